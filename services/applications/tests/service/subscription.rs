//! Telling each event as it happens, and those that were missed.

use std::time::Duration;

use async_graphql::{Request, Variables};
use auth::Principal;
use futures::{Stream, StreamExt};
use serde_json::{Value as Json, json};

use crate::world::{World, worlds};

const DOCUMENT: &str = "subscription($id: ID!, $after: Int! = 0) {
    applicationEvents(applicationId: $id, after: $after) { sequence kind statusAfter } }";

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
