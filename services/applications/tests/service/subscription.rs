//! Telling each event as it happens, and those that were missed.

use std::time::Duration;

use async_graphql::{Request, Variables};
use auth::Principal;
use cache::{Redis, RedisConfig, Wake};
use database::Target;
use futures::{Stream, StreamExt};
use serde_json::{Value as Json, json};
use testkit::Engines;

use crate::world::{World, worlds};

const DOCUMENT: &str = "subscription($id: ID!, $after: Int! = 0) {
    applicationEvents(applicationId: $id, after: $after) { sequence kind statusAfter } }";

/// One message of a process reaches another within this time, or the test runs where nothing does.
const PATIENCE: Duration = Duration::from_secs(20);

fn listen(world: &World, principal: &Principal, of: &Json, after: i32) -> impl Stream<Item = Json> + use<> {
    let variables = Variables::from_json(json!({ "id": of["id"], "after": after }));
    let request = Request::new(DOCUMENT).variables(variables).data(principal.clone());
    let answers = world.schema.execute_stream(request);
    answers.map(|answer| serde_json::to_value(answer).unwrap())
}

async fn next(events: &mut (impl Stream<Item = Json> + Unpin)) -> Json {
    let answer = tokio::time::timeout(Duration::from_secs(5), events.next()).await;
    answer.expect("an event arrives before the sweep would find it").expect("the stream goes on")
}

#[tokio::test]
async fn each_step_is_told_and_nothing_is_missed_after_a_break() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        let mut events = Box::pin(listen(&world, &world.citizen, &application, 0));
        for (sequence, kind) in [(1, "STARTED"), (2, "SUBMITTED")] {
            let event = &next(&mut events).await["data"]["applicationEvents"];
            assert_eq!((&event["sequence"], &event["kind"]), (&json!(sequence), &json!(kind)));
        }
        let waiting = async { next(&mut events).await };
        let taking = world.officer_does("takeApplication", &application, json!({}));
        let (event, _) = futures::join!(waiting, taking);
        assert_eq!(event["data"]["applicationEvents"]["kind"], "TAKEN");
        drop(events);

        world.officer_does("approveApplication", &application, json!({})).await;
        let mut events = Box::pin(listen(&world, &world.citizen, &application, 3));
        for (sequence, kind) in [(4, "APPROVED"), (5, "FEE_FELL_DUE")] {
            let event = &next(&mut events).await["data"]["applicationEvents"];
            assert_eq!((&event["sequence"], &event["kind"]), (&json!(sequence), &json!(kind)));
        }
    }
}

#[tokio::test]
async fn who_names_no_sequence_number_hears_everything() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        let document = "subscription($id: ID!, $after: Int) {
            applicationEvents(applicationId: $id, after: $after) { kind } }";
        let request = Request::new(document)
            .variables(Variables::from_json(json!({ "id": application["id"] })))
            .data(world.citizen.clone());
        let mut events = Box::pin(world.schema.execute_stream(request))
            .map(|answer| serde_json::to_value(answer).unwrap());
        let first = next(&mut events).await;
        assert_eq!(first["data"]["applicationEvents"]["kind"], "STARTED", "{first}");
    }
}

#[tokio::test]
async fn strangers_hear_nothing() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        for (principal, code) in [(&world.stranger, "NOT_FOUND"), (&Principal::Nobody, "UNAUTHENTICATED")] {
            let mut events = Box::pin(listen(&world, principal, &application, 0));
            let answer = next(&mut events).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
        }
        let mut events = Box::pin(listen(&world, &world.officer, &application, 1));
        assert_eq!(next(&mut events).await["data"]["applicationEvents"]["kind"], "SUBMITTED");
    }
}

/// Redis where the tests have one; said aloud where not.
#[allow(clippy::disallowed_methods, reason = "tests are told by the environment where servers are")]
fn redis(prefix: &str) -> Option<Redis> {
    let Some(url) = std::env::var("PRATU_TEST_REDIS").ok().filter(|url| !url.is_empty()) else {
        eprintln!("skipped: PRATU_TEST_REDIS names no server");
        return None;
    };
    let (urls, timeout_ms) = (vec![url.as_str().into()], 5_000);
    let config = RedisConfig { urls, prefix: prefix.to_owned(), timeout_ms, ..RedisConfig::default() };
    Redis::open(&config).unwrap()
}

#[tokio::test]
async fn what_another_process_commits_is_told_at_once() {
    for place in Engines::all().await {
        // Two processes on one SQLite file there are not.
        if !matches!(place.target, Target::Postgres { .. }) {
            continue;
        }
        let prefix = format!("test-{}", rand::random::<u64>());
        let (Some(one), Some(other)) = (redis(&prefix), redis(&prefix)) else { return };
        let (wake, other_wake) = (Wake::new(Some(one)), Wake::new(Some(other)));
        let mut heard = other_wake.listen("are you there");
        let hearing = async {
            while tokio::time::timeout(Duration::from_millis(50), heard.woken()).await.is_err() {
                wake.wake("are you there");
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("the processes hear each other");

        let mut world = World::woken_by(place, wake).await;
        let application = world.submitted(5).await;
        let there = world.beside(&other_wake).await;
        let here = std::mem::replace(&mut world.schema, there);
        let mut events = Box::pin(listen(&world, &world.citizen, &application, 2));
        world.schema = here;
        assert!(futures::poll!(events.next()).is_pending());
        let waiting = async { next(&mut events).await };
        let taking = world.officer_does("takeApplication", &application, json!({}));
        let (event, _) = futures::join!(waiting, taking);
        assert_eq!(event["data"]["applicationEvents"]["kind"], "TAKEN");
    }
}
