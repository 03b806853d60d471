//! Both engines give the same answers to the same text.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use chrono::{DateTime, NaiveDate, Utc};
use database::{Database, Error, Migrations, args};
use serde_json::{Value, json};
use testkit::{Engines, TestDatabase};
use uuid::Uuid;

const SQLITE: &str = "create table thing (id text primary key, name text, amount integer, good integer,
    at text, day text, body blob, data text) strict";
const POSTGRES: &str = "create table thing (id uuid primary key, name text, amount bigint, good boolean,
    at timestamptz, day date, body bytea, data jsonb)";
static MIGRATIONS: Migrations =
    Migrations { name: "things", sqlite: &[("0001_thing", SQLITE)], postgres: &[("0001_thing", POSTGRES)] };

async fn open(place: &TestDatabase) -> Database {
    Database::open(&place.target, "things", &[&MIGRATIONS]).await.expect("it opens")
}

const INSERT: &str = "insert into thing (id, name, amount, good, at, day, body, data)
    values ($1, $2, $3, $4, $5, $6, $7, $8)";

#[tokio::test]
async fn what_is_written_is_read_back_in_every_type() {
    for place in Engines::all().await {
        let database = open(&place).await;
        let at: DateTime<Utc> = "2026-11-21T20:57:35.123456Z".parse().unwrap();
        let day: NaiveDate = "2026-02-28".parse().unwrap();
        let (id, data) = (Uuid::from_u128(1), json!({"ก": [1, null]}));
        let all = args![id, "ชื่อ", i64::MAX, true, at, day, vec![0_u8, 255], data.clone()];
        database.execute(INSERT, all).await.unwrap();
        let row = database.row("select * from thing where id = $1 and at = $2", args![id, at]).await.unwrap();
        let row = row.unwrap_or_else(|| panic!("{}: not found", place.engine));
        assert_eq!(row.get::<Uuid>("id").unwrap(), id);
        assert_eq!(row.get::<String>("name").unwrap(), "ชื่อ");
        assert_eq!(row.get::<i64>("amount").unwrap(), i64::MAX);
        assert!(row.get::<bool>("good").unwrap());
        assert_eq!(row.get::<DateTime<Utc>>("at").unwrap(), at);
        assert_eq!(row.get::<NaiveDate>("day").unwrap(), day);
        assert_eq!(row.get::<Vec<u8>>("body").unwrap(), [0, 255]);
        assert_eq!(row.get::<Value>("data").unwrap(), data);
        assert!(matches!(row.get::<i32>("amount"), Err(Error::Column { .. })));
    }
}

#[tokio::test]
async fn a_text_with_a_nul_finds_nothing_and_breaks_nothing() {
    for place in Engines::all().await {
        let database = open(&place).await;
        let named = database.rows("select id from thing where name = $1", args!["a\0b"]).await;
        assert!(named.unwrap().is_empty(), "{}", place.engine);
        let among = format!("select id from thing where name in {}", database.engine().in_texts("$1"));
        assert!(database.rows(&among, args![json!(["a\0b"])]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn nulls_are_nothing_and_never_something() {
    for place in Engines::all().await {
        let database = open(&place).await;
        let none = args![
            Uuid::from_u128(2),
            None::<String>,
            None::<i64>,
            None::<bool>,
            None::<DateTime<Utc>>,
            None::<NaiveDate>,
            None::<Vec<u8>>,
            None::<Value>,
        ];
        database.execute(INSERT, none).await.unwrap();
        let row = database.row("select * from thing", args![]).await.unwrap().unwrap();
        assert_eq!(row.get::<Option<String>>("name").unwrap(), None);
        assert_eq!(row.get::<Option<DateTime<Utc>>>("at").unwrap(), None);
        assert!(row.get::<String>("name").is_err(), "{}", place.engine);
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing_and_wakes_nobody() {
    for place in Engines::all().await {
        let database = open(&place).await;
        let woken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for commit in [false, true] {
            let mut tx = database.begin().await.unwrap();
            tx.execute("insert into thing (id) values ($1)", args![Uuid::from_u128(3)]).await.unwrap();
            let told = std::sync::Arc::clone(&woken);
            tx.after_commit(move || {
                told.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            });
            if commit {
                tx.commit().await.unwrap();
            } else {
                tx.rollback().await.unwrap();
            }
            let found = database.rows("select id from thing", args![]).await.unwrap();
            assert_eq!(found.len(), usize::from(commit), "{}", place.engine);
            assert_eq!(woken.load(std::sync::atomic::Ordering::Relaxed), usize::from(commit));
        }
    }
}

#[tokio::test]
async fn a_second_row_with_the_same_key_is_a_unique_violation() {
    for place in Engines::all().await {
        let database = open(&place).await;
        let insert = || database.execute("insert into thing (id) values ($1)", args![Uuid::from_u128(4)]);
        insert().await.unwrap();
        assert!(insert().await.unwrap_err().is_unique_violation(), "{}", place.engine);
    }
}

#[tokio::test]
async fn lists_are_bound_as_one_value() {
    for place in Engines::all().await {
        let database = open(&place).await;
        for (id, name) in [(5, "a"), (6, "b"), (7, "c")] {
            let sql = "insert into thing (id, name) values ($1, $2)";
            database.execute(sql, args![Uuid::from_u128(id), name]).await.unwrap();
        }
        let sql = format!(
            "select name from thing where id in {} or name in {} order by name",
            database.engine().in_uuids("$1"),
            database.engine().in_texts("$2"),
        );
        let lists = args![json!([Uuid::from_u128(5)]), json!(["c", "'); drop table thing; --"])];
        let found = database.rows(&sql, lists).await.unwrap();
        let names: Vec<String> = found.iter().map(|row| row.get("name").unwrap()).collect();
        assert_eq!(names, ["a", "c"], "{}", place.engine);
    }
}

#[tokio::test]
async fn opening_again_keeps_the_data_and_one_process_has_a_folder() {
    for place in Engines::all().await {
        let database = open(&place).await;
        database.execute("insert into thing (id) values ($1)", args![Uuid::from_u128(8)]).await.unwrap();
        if place.engine == "sqlite" {
            let second = Database::open(&place.target, "things", &[&MIGRATIONS]).await;
            assert!(matches!(second, Err(Error::InUse { .. })));
        }
        database.close().await;
        drop(database);
        let again = open(&place).await;
        assert_eq!(again.rows("select id from thing", args![]).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn writers_at_the_same_time_wait_for_each_other() {
    for place in Engines::all().await {
        let database = open(&place).await;
        database.execute("insert into thing (id, amount) values ($1, 0)", args![Uuid::nil()]).await.unwrap();
        let add = |database: Database| async move {
            let mut tx = database.begin().await.unwrap();
            let sql = format!("select amount from thing{}", tx.engine().for_update());
            let amount: i64 = tx.row(&sql, args![]).await.unwrap().unwrap().get("amount").unwrap();
            tx.execute("update thing set amount = $1", args![amount + 1]).await.unwrap();
            tx.commit().await.unwrap();
        };
        let all: Vec<_> = (0..20).map(|_| tokio::spawn(add(database.clone()))).collect();
        for one in all {
            one.await.unwrap();
        }
        let sum: i64 =
            database.row("select amount from thing", args![]).await.unwrap().unwrap().get("amount").unwrap();
        assert_eq!(sum, 20, "{}", place.engine);
    }
}
