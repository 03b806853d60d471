//! Submitting: once, with a receipt number, whatever the network does.

use auth::{Aal, Ial, Level, Principal};
use futures::future::join_all;
use graphql::{OfferingId, PartyId};
use serde_json::json;

use crate::world::{id, worlds};

#[tokio::test]
async fn a_submission_has_a_receipt_number_and_legal_times() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        assert_eq!(application["receiptNumber"], "LAO-1201-2569-000001");
        assert_eq!(application["status"], "SUBMITTED");
        assert_eq!(application["legallyReceivedAt"], "2026-11-23T03:00:00+00:00");
        assert_eq!(application["dueOn"], "2026-12-02");
        assert_eq!(application["ruleSet"], "e-gov-2565/1");
        assert_eq!(application["nextAction"]["actor"], "AGENCY");
        // Checked within one working day.
        assert_eq!(application["nextAction"]["dueAt"], "2026-11-24T09:30:00+00:00");
        assert_eq!(application["timeline"]["nodes"][1]["legallyReceivedAt"], "2026-11-23T03:00:00+00:00");
        assert_eq!(world.submitted(5).await["receiptNumber"], "LAO-1201-2569-000002");
        assert_eq!(world.published("applications.submitted").await.len(), 2);
    }
}

#[tokio::test]
async fn what_arrives_at_night_counts_from_the_next_opening() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        world.clock.advance(chrono::Duration::hours(10));
        let application = world.submit(&draft, "k").await["application"].clone();
        assert_eq!(application["receivedAt"], "2026-11-23T13:00:00+00:00");
        assert_eq!(application["legallyReceivedAt"], "2026-11-24T01:30:00+00:00");
    }
}

#[tokio::test]
async fn five_submits_at_once_give_one_application_and_one_receipt_number() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let answers = join_all((0..5).map(|_| world.submit(&draft, "the-same"))).await;
        for answer in &answers {
            assert_eq!(answer["application"]["receiptNumber"], "LAO-1201-2569-000001", "{answer}");
            assert_eq!(answer["application"]["id"], draft["id"]);
        }
        assert_eq!(world.timeline(&draft).await, ["STARTED", "SUBMITTED"]);

        let draft = world.complete_draft(5).await;
        let keys = ["a", "b", "c", "d", "e"];
        let answers = join_all(keys.map(|key| world.submit(&draft, key))).await;
        let count = |kind: &str| answers.iter().filter(|answer| answer["__typename"] == kind).count();
        assert_eq!((count("ApplicationSubmitted"), count("StateProblem")), (1, 4));
        assert_eq!(world.see(&world.citizen, &draft).await["receiptNumber"], "LAO-1201-2569-000002");
        assert_eq!(world.published("applications.submitted").await.len(), 2);
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_as_things_stand_now() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let first = world.submit(&draft, "k").await;
        world.officer_does("takeApplication", &draft, json!({})).await;
        let again = world.submit(&draft, "k").await;
        assert_eq!(again["application"]["receiptNumber"], first["application"]["receiptNumber"]);
        assert_eq!(again["application"]["status"], "UNDER_REVIEW");
        let other = world.submit(&json!({ "id": draft["id"], "revision": 99 }), "k").await;
        assert_eq!(other["__typename"], "ConflictProblem");
        let stale = world.complete_draft(5).await;
        let stale = world.submit(&json!({ "id": stale["id"], "revision": 1 }), "stale").await;
        assert_eq!(stale["__typename"], "RevisionConflict");
    }
}

#[tokio::test]
async fn everything_missing_is_told_at_once_and_nothing_is_submitted() {
    for world in worlds().await {
        world
            .publish(|offering| {
                offering["revision"] = json!(2);
                offering["evidence"][0]["required"] = json!(true);
            })
            .await;
        let draft = world.draft_of(5).await;
        let refused = world.submit(&draft, "k").await;
        let mut pointers: Vec<_> = refused["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["pointer"].as_str().unwrap())
            .collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["/area_sqm", "/evidence/map", "/shop_name"]);
        assert_eq!(refused["fields"][0]["message"]["th"], "กรุณากรอกข้อมูลนี้");
        let seen = world.see(&world.citizen, &draft).await;
        assert_eq!((&seen["status"], &seen["receiptNumber"]), (&json!("DRAFT"), &json!(null)));
        // The key was not used up by a refusal, and an older revision does not come back.
        world.publish(|offering| offering["revision"] = json!(1)).await;
        assert_eq!(world.submit(&draft, "k").await["__typename"], "InvalidInput");
    }
}

#[tokio::test]
async fn a_closed_offering_takes_no_submission_and_keeps_the_draft() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let close = |revision: i64, accepting: bool| {
            move |offering: &mut serde_json::Value| {
                offering["revision"] = json!(revision);
                offering["accepting"] = json!(accepting);
            }
        };
        world.publish(close(2, false)).await;
        assert_eq!(world.submit(&draft, "k").await["__typename"], "StateProblem");
        world.publish(close(3, true)).await;
        assert_eq!(world.submit(&draft, "k").await["application"]["receiptNumber"], "LAO-1201-2569-000001");
    }
}

#[tokio::test]
async fn a_low_login_must_step_up_to_begin_and_to_submit() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let Principal::Citizen(mut low) = world.citizen.clone() else { unreachable!() };
        low.level = Level { ial: Ial::Ial1_1, aal: Aal::Aal1 };
        let low = Principal::Citizen(low);
        let begin = json!({
            "idempotencyKey": "b",
            "offeringId": OfferingId::from(id(5)),
            "partyId": PartyId::from(id(1)),
        });
        let submit =
            json!({ "idempotencyKey": "s", "applicationId": draft["id"], "revision": draft["revision"] });
        for (mutation, input) in [("startApplication", begin), ("submitApplication", submit)] {
            let error = world.change(&low, mutation, input).await;
            assert_eq!(error["extensions"]["code"], "IDENTITY_LEVEL_TOO_LOW", "{error}");
            assert_eq!(error["extensions"]["required"]["ial"], "2.1");
        }
        assert_eq!(world.see(&world.citizen, &draft).await["status"], "DRAFT");
    }
}

#[tokio::test]
async fn a_withdrawal_closes_the_case_for_good() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        let input = json!({ "idempotencyKey": "w", "applicationId": application["id"] });
        for _ in 0..2 {
            let withdrawn = world.change(&world.citizen, "withdrawApplication", input.clone()).await;
            assert_eq!(withdrawn["application"]["status"], "WITHDRAWN");
        }
        let closed = world.published("applications.closed").await;
        assert_eq!(closed.len(), 1);
        assert_eq!(closed[0]["outcome"], "withdrawn");
        let taken = world.officer_does("takeApplication", &application, json!({})).await;
        assert_eq!((&taken["__typename"], &taken["retryable"]), (&json!("StateProblem"), &json!(false)));
        let again = json!({ "idempotencyKey": "w2", "applicationId": application["id"] });
        let again = world.change(&world.citizen, "withdrawApplication", again).await;
        assert_eq!(again["__typename"], "StateProblem");
    }
}
