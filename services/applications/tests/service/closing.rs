//! A public service that is closed: nothing new is taken, and nothing begun is lost.

use chrono::Duration;
use graphql::{OfferingId, PartyId};
use serde_json::{Value as Json, json};

use crate::world::{World, id, worlds};

const TOPIC: &str = "catalogue.availability_changed";

/// What catalogue announces.
fn announced(world: &World, number: i64, closed_for_hours: Option<i64>) -> Json {
    let now = world.clock.now();
    let closure = closed_for_hours.map(|hours| {
        json!({ "from": now, "until": now + Duration::hours(hours),
            "text": { "th": "ปิดปรับปรุง", "en": "Closed for repair" } })
    });
    json!({
        "target": { "kind": "public_service", "name": "food-premises" }, "number": number,
        "closure": closure, "reason": "as announced", "changed_by": "officer:1", "changed_at": now,
    })
}

async fn start(world: &World) -> Json {
    let document =
        "mutation($input: StartApplicationInput!) { it: startApplication(input: $input) { __typename
        ... on ServiceClosedProblem { code retryable text { th } drafts { en } opensAt } } }";
    let input = json!({
        "idempotencyKey": format!("start-{}", rand::random::<u64>()),
        "offeringId": OfferingId::from(id(5)),
        "partyId": PartyId::from(id(1)),
    });
    world.ask(&world.citizen, document, json!({ "input": input })).await["data"]["it"].clone()
}

async fn closures(world: &World) -> Json {
    let document = "{ serviceClosures { publicService { code } availability { open closesAt } } }";
    world.ask(&auth::Principal::Nobody, document, json!({})).await["data"]["serviceClosures"].clone()
}

#[tokio::test]
async fn while_a_service_is_closed_no_draft_is_begun_or_submitted_and_drafts_are_kept() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let sent = world.submitted(5).await;
        world.hear(TOPIC, announced(&world, 1, Some(2))).await;
        let refused = start(&world).await;
        assert_eq!(refused["__typename"], "ServiceClosedProblem", "{refused}");
        assert_eq!((&refused["code"], &refused["retryable"]), (&json!("UNAVAILABLE"), &json!(true)));
        assert_eq!(refused["text"]["th"], "ปิดปรับปรุง");
        assert!(refused["drafts"]["en"].as_str().unwrap().contains("kept"));
        assert_eq!(refused["opensAt"], "2026-11-23T05:00:00+00:00");
        let refused = world.submit(&draft, "submit").await;
        assert_eq!(refused["__typename"], "ServiceClosedProblem", "{refused}");
        assert_eq!(world.see(&world.citizen, &draft).await["status"], "DRAFT");
        // A draft can be gone on with, and what was submitted goes on.
        let saved = world.save(&draft, json!({ "shop_name": "ร้านใหม่", "area_sqm": 41 })).await;
        assert_eq!(saved["__typename"], "DraftSaved", "{saved}");
        assert_eq!(
            world.officer_does("takeApplication", &sent, json!({})).await["__typename"],
            "ApplicationTaken"
        );
        assert_eq!(closures(&world).await[0]["publicService"]["code"], "food-premises");
        // It opens by itself; the same key that was refused goes through.
        world.clock.advance(Duration::hours(2));
        let submitted = world.submit(&saved["application"], "submit").await;
        assert_eq!(submitted["__typename"], "ApplicationSubmitted", "{submitted}");
        assert_eq!(closures(&world).await, json!([]));
    }
}

#[tokio::test]
async fn a_service_that_was_opened_takes_applications_at_once() {
    for world in worlds().await {
        world.hear(TOPIC, announced(&world, 1, Some(100))).await;
        assert_eq!(start(&world).await["__typename"], "ServiceClosedProblem");
        world.hear(TOPIC, announced(&world, 2, None)).await;
        // An older message that comes late closes nothing.
        world.hear(TOPIC, announced(&world, 1, Some(100))).await;
        assert_eq!(start(&world).await["__typename"], "ApplicationStarted");
    }
}

#[tokio::test]
async fn a_draft_does_not_run_out_while_its_service_is_closed() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        world.clock.advance(Duration::days(59));
        world.hear(TOPIC, announced(&world, 1, Some(24 * 3))).await;
        world.clock.advance(Duration::days(2));
        world.tick().await;
        assert_eq!(world.see(&world.citizen, &draft).await["status"], "DRAFT");
        world.clock.advance(Duration::days(6));
        world.tick().await;
        assert_eq!(world.see(&world.citizen, &draft).await["status"], "DRAFT", "a week after it opened");
        world.clock.advance(Duration::days(3));
        world.tick().await;
        assert_ne!(world.see(&world.citizen, &draft).await["status"], "DRAFT");
    }
}

#[tokio::test]
async fn a_draft_that_ran_out_while_its_service_was_closed_has_a_week_from_when_it_was_opened() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        world.clock.advance(Duration::days(59));
        let mut endless = announced(&world, 1, Some(1));
        endless["closure"]["until"] = Json::Null;
        world.hear(TOPIC, endless).await;
        world.clock.advance(Duration::days(2));
        world.tick().await;
        // Nobody knew the end, so it was going to be looked at again a week later, on the 68th day.
        world.clock.advance(Duration::days(6));
        world.hear(TOPIC, announced(&world, 2, None)).await;
        world.clock.advance(Duration::days(3));
        world.tick().await;
        assert_eq!(world.see(&world.citizen, &draft).await["status"], "DRAFT", "three days after it opened");
        world.clock.advance(Duration::days(5));
        world.tick().await;
        assert_ne!(world.see(&world.citizen, &draft).await["status"], "DRAFT");
    }
}
