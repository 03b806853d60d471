//! What only PostgreSQL has: a role per service, twins that start at once, other hosts, replicas.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "postgres/hosts.rs"]
mod hosts;
#[path = "postgres/replicas.rs"]
mod replicas;
#[path = "postgres/roles.rs"]
mod roles;

use database::{Database, Error, Migrate, Migrations, Server, Settings, Target, args};
use testkit::TestDatabase;

const THING: &str = "create table thing (id bigint primary key)";
static FIRST: Migrations = Migrations { name: "things", sqlite: &[], postgres: &[("0001_thing", THING)] };
/// Takes its time, so that twins meet.
static SECOND: Migrations = Migrations {
    name: "things",
    sqlite: &[],
    postgres: &[
        ("0001_thing", THING),
        ("0002_name", "alter table thing add column name text; select pg_sleep(0.3)"),
    ],
};

fn server_of(place: &TestDatabase) -> Server {
    let Target::Postgres { url } = &place.target else { unreachable!("it is PostgreSQL") };
    Server { url: url.clone(), ..Server::default() }
}

fn target(server: Server) -> Target {
    Target::Server(Box::new(server))
}

fn refusing(server: &Server) -> Target {
    let settings = Settings { migrate: Some(Migrate::Before), ..server.settings.clone() };
    target(Server { settings, ..server.clone() })
}

#[tokio::test]
async fn twins_that_start_at_once_bring_the_tables_up_to_date_once() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let open = || {
        let target = place.target.clone();
        tokio::spawn(async move { Database::open(&target, "things", &[&SECOND]).await.map(|_| ()) })
    };
    let twins: Vec<_> = (0..6).map(|_| open()).collect();
    for twin in twins {
        twin.await.unwrap().expect("it starts");
    }
}

#[tokio::test]
async fn a_process_refuses_tables_that_are_behind_and_takes_those_that_are_ahead() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let server = server_of(&place);
    let behind = |found: Result<Database, Error>| matches!(found, Err(Error::Behind { .. }));
    assert!(behind(Database::open(&refusing(&server), "things", &[&FIRST]).await), "there is nothing");
    Database::migrate(&place.target, "things", &[&FIRST]).await.unwrap();
    assert!(behind(Database::open(&refusing(&server), "things", &[&SECOND]).await), "a column is missing");
    Database::migrate(&place.target, "things", &[&SECOND]).await.unwrap();
    for (version, target) in
        [(&SECOND, refusing(&server)), (&FIRST, refusing(&server)), (&FIRST, place.target.clone())]
    {
        let database = Database::open(&target, "things", &[version]).await.unwrap();
        database.rows("select id from thing", args![]).await.unwrap();
    }
}

#[tokio::test]
async fn a_statement_that_waits_too_long_for_a_lock_may_be_tried_again() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let mut server = server_of(&place);
    server.settings.lock_timeout_ms = 100;
    let database = Database::open(&target(server), "things", &[&FIRST]).await.unwrap();
    database.execute("insert into thing (id) values (1)", args![]).await.unwrap();
    let mut first = database.begin().await.unwrap();
    first.rows("select id from thing for update", args![]).await.unwrap();
    let mut second = database.begin().await.unwrap();
    let refused = second.rows("select id from thing for update", args![]).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
}
