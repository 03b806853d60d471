//! Forgetting a person: what ends, what does not begin any more, and answers that come in any way.

use auth::{Principal, TokenError};
use database::args;
use outbox::Received;
use serde_json::json;
use uuid::Uuid;

use super::driver::{World, worlds};
use super::graph::ask;

const SERVICES: [&str; 2] = ["applications", "payments"];

async fn officer(world: &World, persona: &str) -> Principal {
    let returned = world.desk().authorize("thaid", persona, &[("scope", "openid people:erase")]).await;
    world.desk().redeem(returned.code()).await.unwrap().access(world).unwrap().0
}

/// A proposal to forget this citizen.
async fn proposed(world: &World, citizen: Uuid) -> Uuid {
    let document = "mutation($key: String!, $citizen: ID!) {
        proposeErasure(input: { idempotencyKey: $key, citizenId: $citizen }) { __typename } }";
    let citizen_id = graphql::PartyId::from(citizen).to_string();
    let variables = json!({ "key": world.clock.uuid(), "citizen": citizen_id });
    let answer = ask(world, &officer(world, "officer-dbd").await, document, variables).await;
    assert_eq!(answer["data"]["proposeErasure"]["__typename"], "ErasureProposed", "{answer}");
    let row =
        world.service.database().row("select id from erasure where citizen_id = $1", args![citizen]).await;
    row.unwrap().unwrap().get("id").unwrap()
}

/// The word of a second officer, after the services had nothing against it.
async fn confirmed(world: &World, citizen: Uuid) -> Uuid {
    let erasure = proposed(world, citizen).await;
    for service in SERVICES {
        receive(world, &answer(world, erasure, 1, service)).await.unwrap();
    }
    let document = "mutation($key: String!, $erasure: ID!) {
        confirmErasure(input: { idempotencyKey: $key, erasureId: $erasure }) { __typename } }";
    let erasure_id = graphql::ErasureId::from(erasure).to_string();
    let variables = json!({ "key": world.clock.uuid(), "erasure": erasure_id });
    let answer = ask(world, &officer(world, "officer-dlt").await, document, variables).await;
    assert_eq!(answer["data"]["confirmErasure"]["__typename"], "ErasureConfirmed", "{answer}");
    erasure
}

/// A service's word that nothing stands in the way.
fn answer(world: &World, erasure: Uuid, round: i64, service: &str) -> Received {
    let payload = json!({ "erasure_id": erasure, "round": round, "service": service, "obstacles": [] });
    Received { id: world.clock.uuid(), topic: format!("{service}.erasure_answered"), payload }
}

async fn receive(world: &World, message: &Received) -> Result<(), outbox::Error> {
    world.service.consumers()[0].receive(message).await
}

async fn status(world: &World, erasure: Uuid) -> String {
    let row = world.service.database().row("select status from erasure where id = $1", args![erasure]).await;
    row.unwrap().unwrap().get("status").unwrap()
}

#[tokio::test]
async fn an_erasure_ends_the_tokens_that_a_step_up_left_alive() {
    for world in worlds().await {
        let app = world.portal();
        let low = app.log_in("dga", "somchai").await;
        let claims = low.claims(&world);
        let session = claims.sid.to_string();
        let returned = app.authorize("thaid", "somchai", &[("step_up_of", &session)]).await;
        let high = app.redeem(returned.code()).await.unwrap();
        assert!(low.access(&world).is_ok());
        confirmed(&world, claims.sub).await;
        assert_eq!(high.access(&world).unwrap_err(), TokenError::Ended);
        assert_eq!(low.access(&world).unwrap_err(), TokenError::Ended);
    }
}

#[tokio::test]
async fn a_code_of_somebody_who_is_being_forgotten_is_refused_and_is_no_failure_of_ours() {
    for world in worlds().await {
        let app = world.portal();
        let somchai = app.log_in("thaid", "somchai").await.claims(&world).sub;
        let returned = app.authorize("thaid", "somchai", &[]).await;
        confirmed(&world, somchai).await;
        assert_eq!(app.redeem(returned.code()).await.unwrap_err()["error"], "invalid_grant");
        let closed = app.authorize("thaid", "somchai", &[]).await;
        assert_eq!(closed.error(), "access_denied");
    }
}

#[tokio::test]
async fn services_that_answer_at_once_do_not_lock_each_other_out() {
    for world in worlds().await {
        let somchai = world.portal().log_in("thaid", "somchai").await.claims(&world).sub;
        let erasure = proposed(&world, somchai).await;
        for round in 1..20 {
            let [one, other] = SERVICES.map(|service| answer(&world, erasure, round, service));
            let (one, other) = tokio::join!(receive(&world, &one), receive(&world, &other));
            assert!(one.is_ok() && other.is_ok(), "round {round}: {one:?}, {other:?}");
        }
    }
}

#[tokio::test]
async fn an_erasure_whose_process_was_cut_off_is_scrubbed_when_its_message_comes_again() {
    for world in worlds().await {
        let Some(_) = world.log_bytes() else { continue };
        let somchai = world.portal().log_in("thaid", "somchai").await.claims(&world).sub;
        let erasure = confirmed(&world, somchai).await;
        let answers = SERVICES.map(|service| answer(&world, erasure, 2, service));
        for message in &answers {
            receive(&world, message).await.unwrap();
        }
        assert_eq!((status(&world, erasure).await.as_str(), world.log_bytes()), ("ERASED", Some(0)));
        world.portal().log_in("thaid", "malee").await;
        assert_ne!(world.log_bytes(), Some(0));
        receive(&world, &answers[1]).await.unwrap();
        assert_eq!(world.log_bytes(), Some(0));
    }
}

#[tokio::test]
async fn an_answer_to_an_earlier_question_decides_nothing() {
    for world in worlds().await {
        let somchai = world.portal().log_in("thaid", "somchai").await.claims(&world).sub;
        let erasure = confirmed(&world, somchai).await;
        for service in SERVICES {
            receive(&world, &answer(&world, erasure, 1, service)).await.unwrap();
        }
        assert_eq!(status(&world, erasure).await, "CONFIRMED");
        let obstructed = Received {
            payload: json!({
                "erasure_id": erasure, "round": 2, "service": "payments", "obstacles": ["UNSETTLED_MONEY"],
            }),
            ..answer(&world, erasure, 2, "payments")
        };
        receive(&world, &obstructed).await.unwrap();
        receive(&world, &answer(&world, erasure, 2, "applications")).await.unwrap();
        assert_eq!(status(&world, erasure).await, "PROPOSED", "what came in the way stops it");
        assert!(!world.portal().log_in("thaid", "somchai").await.text("access_token").is_empty());
    }
}

#[tokio::test]
async fn what_is_looked_up_by_person_or_session_has_an_index() {
    for world in worlds().await {
        let Some(_) = world.log_bytes() else { continue };
        for (table, column) in
            [("session", "citizen_id"), ("account", "citizen_id"), ("authorization_code", "session_id")]
        {
            let sql = format!("explain query plan select * from {table} where {column} = $1");
            let row = world.service.database().row(&sql, args![Uuid::nil()]).await.unwrap().unwrap();
            let plan: String = row.get("detail").unwrap();
            assert!(plan.contains("USING INDEX"), "{table}: {plan}");
        }
    }
}
