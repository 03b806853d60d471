//! What stands in the files: what was overwritten is gone, and an onlooker changes nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use database::{Database, Error, Migrations, args};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use testkit::{Engines, TestDatabase};

const SQLITE: &str = "create table secret (id integer primary key, body blob) strict";
const POSTGRES: &str = "create table secret (id bigint primary key, body bytea)";
static MIGRATIONS: Migrations =
    Migrations { name: "files", sqlite: &[("0001_files", SQLITE)], postgres: &[("0001_files", POSTGRES)] };

#[tokio::test]
async fn what_was_overwritten_is_gone_from_the_files_after_scrubbing() {
    let place = TestDatabase::sqlite();
    let database = Database::open(&place.target, "files", &[&MIGRATIONS]).await.unwrap();
    let secret = b"thirty-two bytes that nobody may find";
    let lingers = || {
        let bytes = |name| std::fs::read(place.directory().join(name)).unwrap_or_default();
        [bytes("files.sqlite"), bytes("files.sqlite-wal")]
            .concat()
            .windows(secret.len())
            .any(|at| at == secret)
    };
    database.execute("insert into secret (id, body) values (1, $1)", args![secret.to_vec()]).await.unwrap();
    database.scrub().await.unwrap();
    assert!(lingers(), "it was written");
    database.execute("update secret set body = null where id = 1", args![]).await.unwrap();
    assert!(lingers(), "the log still has it");
    database.scrub().await.unwrap();
    assert!(!lingers());
}

#[tokio::test]
async fn files_are_not_called_scrubbed_while_somebody_reads_what_was_before() {
    let place = TestDatabase::sqlite();
    let database = Database::open(&place.target, "files", &[&MIGRATIONS]).await.unwrap();
    let write = || database.execute("insert into secret (body) values (null)", args![]);
    write().await.unwrap();
    let file = SqliteConnectOptions::new().filename(place.directory().join("files.sqlite"));
    let mut reader = file.connect().await.unwrap();
    for sql in ["begin", "select * from secret"] {
        sqlx::raw_sql(sql).execute(&mut reader).await.unwrap();
    }
    write().await.unwrap();
    assert!(matches!(database.scrub().await, Err(Error::Read)));
    sqlx::raw_sql("commit").execute(&mut reader).await.unwrap();
    database.scrub().await.unwrap();
}

#[tokio::test]
async fn an_onlooker_sees_what_is_committed_and_changes_nothing() {
    for place in Engines::all().await {
        let database = Database::open(&place.target, "files", &[&MIGRATIONS]).await.unwrap();
        let onlooker = Database::observe(&place.target, "files").await.unwrap();
        database.execute("insert into secret (id) values (1)", args![]).await.unwrap();
        let seen = onlooker.rows("select id from secret", args![]).await.unwrap();
        assert_eq!(seen.len(), 1, "{}", place.engine);
        assert!(onlooker.execute("delete from secret", args![]).await.is_err(), "{}", place.engine);
    }
}
