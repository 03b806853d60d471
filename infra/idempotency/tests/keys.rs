//! One key, one effect, whoever repeats it and however many at once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use database::{Database, args};
use idempotency::{Begin, Key};
use serde_json::json;
use testkit::Engines;
use uuid::Uuid;

const KEY: Key<'static> = Key { subject: "citizen:1", operation: "startThing", key: "k1" };

async fn once(database: Database, key: Key<'static>, input: &'static str) -> Begin {
    let now = testkit::clock().now();
    let mut tx = database.begin().await.unwrap();
    let begin = idempotency::begin(&mut tx, &key, &input, now).await.unwrap();
    if begin == Begin::First {
        let id = Uuid::from_u128(rand_id());
        idempotency::complete(&mut tx, &key, json!({ "id": id })).await.unwrap();
    }
    tx.commit().await.unwrap();
    begin
}

fn rand_id() -> u128 {
    clock::Clock::system().uuid().as_u128()
}

async fn result(database: &Database) -> serde_json::Value {
    let sql = "select result from idempotency_key where key = $1";
    database.row(sql, args!["k1"]).await.unwrap().unwrap().get("result").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_is_first_and_the_others_get_its_result() {
    for place in Engines::all().await {
        let database = Database::open(&place.target, "things", &[&idempotency::MIGRATIONS]).await.unwrap();
        let all: Vec<_> = (0..8).map(|_| tokio::spawn(once(database.clone(), KEY, "input"))).collect();
        let mut first = 0;
        for one in all {
            match one.await.unwrap() {
                Begin::First => first += 1,
                Begin::Replay(id) => assert_eq!(id, result(&database).await),
                Begin::Conflict => panic!("{}: the same input is no conflict", place.engine),
            }
        }
        assert_eq!(first, 1, "{}", place.engine);
    }
}

#[tokio::test]
async fn another_input_is_a_conflict_and_another_caller_is_not() {
    for place in Engines::all().await {
        let database = Database::open(&place.target, "things", &[&idempotency::MIGRATIONS]).await.unwrap();
        assert_eq!(once(database.clone(), KEY, "input").await, Begin::First);
        assert_eq!(once(database.clone(), KEY, "another").await, Begin::Conflict);
        assert_eq!(once(database.clone(), Key { subject: "citizen:2", ..KEY }, "input").await, Begin::First);
        for bad in ["", const { include_str!("../Cargo.toml") }] {
            assert_eq!(once(database.clone(), Key { key: bad, ..KEY }, "input").await, Begin::Conflict);
        }
    }
}

#[tokio::test]
async fn a_write_that_failed_leaves_its_key_free() {
    for place in Engines::all().await {
        let database = Database::open(&place.target, "things", &[&idempotency::MIGRATIONS]).await.unwrap();
        let mut tx = database.begin().await.unwrap();
        let now = testkit::clock().now();
        assert_eq!(idempotency::begin(&mut tx, &KEY, &"input", now).await.unwrap(), Begin::First);
        tx.rollback().await.unwrap();
        assert_eq!(once(database, KEY, "input").await, Begin::First, "{}", place.engine);
    }
}

#[tokio::test]
async fn old_keys_are_forgotten_and_younger_ones_are_not() {
    for place in Engines::all().await {
        let database = Database::open(&place.target, "things", &[&idempotency::MIGRATIONS]).await.unwrap();
        assert_eq!(once(database.clone(), KEY, "input").await, Begin::First);
        let days = |days| testkit::clock().now() + chrono::Duration::days(days);
        assert_eq!(idempotency::forget_old(&database, days(idempotency::KEPT_DAYS)).await.unwrap(), 0);
        assert!(matches!(once(database.clone(), KEY, "input").await, Begin::Replay(_)), "{}", place.engine);
        assert_eq!(idempotency::forget_old(&database, days(idempotency::KEPT_DAYS + 1)).await.unwrap(), 1);
        assert_eq!(once(database, KEY, "input").await, Begin::First, "{}", place.engine);
    }
}
