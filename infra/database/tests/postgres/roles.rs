//! A role per service reaches its own rows, and can do nothing else.

use std::collections::BTreeMap;

use database::{Database, Migrations, Server, args, provision};
use testkit::TestDatabase;

use super::{refusing, server_of, target};

static BOOKS: Migrations = Migrations {
    name: "books",
    sqlite: &[],
    postgres: &[(
        "0001_books",
        "create table entry (id bigint primary key, amount bigint);
         create function refuse() returns trigger language plpgsql as $$ begin raise exception 'append-only'; end $$;
         create trigger entry_stays before update or delete on entry for each statement execute function refuse()",
    )],
};

/// The same server under a role of its own for each service; roles belong to the server, not to a database.
fn with_roles(server: &Server) -> Server {
    let mark = clock::Clock::system().uuid().simple().to_string();
    let as_role = |name: &str| server.url.replacen("pratu@", &format!("{name}_{mark}:s%40cret@"), 1);
    let urls = ["payments", "identity"].map(|service| (service.to_owned(), as_role(service)));
    Server { url: as_role("owner"), urls: BTreeMap::from(urls), ..server.clone() }
}

#[tokio::test]
async fn a_role_reaches_the_rows_of_its_service_and_nothing_else() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let all_powerful = server_of(&place);
    // As it was before there were roles: one made everything.
    Database::migrate(&place.target, "payments", &[&BOOKS]).await.unwrap();
    let server = with_roles(&all_powerful);
    for _ in 0..2 {
        let done = provision(&server, &all_powerful.url, &["payments", "identity"]).await.unwrap();
        assert_eq!(done.services.len(), 2);
    }
    for service in ["payments", "identity"] {
        Database::migrate(&target(server.clone()), service, &[&BOOKS]).await.unwrap();
    }
    let payments = Database::open(&refusing(&server), "payments", &[&BOOKS]).await.unwrap();
    payments.execute("insert into entry (id, amount) values (1, 5)", args![]).await.unwrap();
    assert_eq!(payments.rows("select id from entry", args![]).await.unwrap().len(), 1);
    for forbidden in [
        "select id from identity.entry",
        "insert into identity.entry (id) values (1)",
        "create table mine (id bigint)",
        "drop table entry",
        "truncate entry",
        "alter table entry disable trigger entry_stays",
        "update entry set amount = 6",
        "create schema mine",
        "set session_replication_role = replica",
    ] {
        assert!(payments.execute(forbidden, args![]).await.is_err(), "{forbidden}");
    }
}
