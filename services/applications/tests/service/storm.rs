//! Many things at once: applicant, officers, payments and timers on one case.

use applications::model::{ApplicationStatus, DecisionMode, EventKind, Facts, FeeDue};
use futures::future::join_all;
use graphql::{OfferingId, PartyId};
use serde_json::{Value as Json, json};

use crate::files::announce;
use crate::messages::settled;
use crate::world::{World, id, worlds};

/// Kinds of moves that [`one_move`] knows.
const MOVES: u64 = 9;

#[tokio::test]
async fn whatever_happens_at_once_the_timeline_follows_the_rules_and_ends_where_it_says() {
    for world in worlds().await {
        for round in 0..6 {
            let application = world.submitted(5).await;
            // Some rounds begin further on, so that decisions and documents meet.
            if round % 2 == 0 {
                world.officer_does("takeApplication", &application, json!({})).await;
            }
            let which = |number: u64| (round * 7 + number * 5 + number * number) % MOVES;
            join_all((0..24).map(|number| one_move(&world, &application, which(number), number))).await;
            check(&world, &application).await;
        }
    }
}

async fn one_move(world: &World, application: &Json, which: u64, number: u64) {
    let ask = json!({ "items": [{ "evidenceCode": "map" }], "message": "ขอแผนที่" });
    let reason = json!({ "reason": "เหตุผล" });
    let key = format!("{number}");
    match which {
        0 => _ = world.officer_does("takeApplication", application, json!({})).await,
        1 => _ = world.officer_does("requestMoreDocuments", application, ask).await,
        2 => _ = world.officer_does("explainDelay", application, reason).await,
        3 => _ = world.officer_does("approveApplication", application, json!({})).await,
        4 => _ = world.officer_does("rejectApplication", application, reason).await,
        5 => _ = world.submit(application, &key).await,
        6 => world.hear("payments.bill_settled", settled(application)).await,
        7 => _ = announce(world, application, &key, json!({})).await,
        // Late in each round, or nothing else would ever happen.
        _ if number > 18 => {
            let input = json!({ "idempotencyKey": key, "applicationId": application["id"] });
            world.change(&world.citizen, "withdrawApplication", input).await;
        }
        _ => world.tick().await,
    }
}

/// Plays the timeline again by the rules.
async fn check(world: &World, application: &Json) {
    let seen = world.see(&world.citizen, application).await;
    let mut status = ApplicationStatus::Draft;
    let mut facts = Facts {
        fee_due: FeeDue::Approval,
        fee_settled: false,
        decision: DecisionMode::Officer,
        taken: false,
        document_requests: 0,
        document_requests_max: 1,
    };
    for (index, event) in seen["timeline"]["nodes"].as_array().unwrap().iter().enumerate() {
        assert_eq!(event["sequence"], index + 1, "without gaps: {seen}");
        let kind = EventKind::from_word(event["kind"].as_str().unwrap()).unwrap();
        status = status.after(kind, facts).unwrap_or_else(|refused| panic!("{refused} at {event} of {seen}"));
        assert_eq!(event["statusAfter"], status.word(), "{seen}");
        match kind {
            EventKind::Taken => facts.taken = true,
            EventKind::FeeSettled => facts.fee_settled = true,
            EventKind::DocumentsRequested => facts.document_requests += 1,
            _ => {}
        }
    }
    assert_eq!(seen["status"], status.word(), "{seen}");
}

#[tokio::test]
async fn a_party_without_a_draft_that_begins_many_at_once_gets_as_many_as_one_may_have() {
    for world in worlds().await {
        let begun = join_all((0..30).map(|number| begin(&world, number))).await;
        let started = begun.iter().filter(|outcome| *outcome == "ApplicationStarted").count();
        assert_eq!(started, 20, "{}: {begun:?}", world.place.engine);
    }
}

#[tokio::test]
async fn no_draft_is_left_behind_by_an_erasure_that_comes_while_drafts_are_begun() {
    for world in worlds().await {
        let erased = json!({ "citizen_id": id(1), "erasure_id": id(600) });
        let drafts = join_all((0..10).map(|number| begin(&world, number)));
        tokio::join!(drafts, world.hear("identity.citizen_erased", erased));
        let left = "select id from application where status = 'DRAFT'";
        let left = world.service.database().rows(left, database::args![]).await.unwrap();
        assert!(left.is_empty(), "{}: {} are left", world.place.engine, left.len());
    }
}

/// Begins a draft; tells what came of it.
async fn begin(world: &World, number: u64) -> String {
    let document =
        "mutation($input: StartApplicationInput!) { it: startApplication(input: $input) { __typename } }";
    let input = json!({
        "idempotencyKey": format!("many-{number}"),
        "offeringId": OfferingId::from(id(5)),
        "partyId": PartyId::from(id(1)),
    });
    let answer = world.ask(&world.citizen, document, json!({ "input": input })).await;
    answer["data"]["it"]["__typename"].as_str().unwrap_or("nothing").to_owned()
}
