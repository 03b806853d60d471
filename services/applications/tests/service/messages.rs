//! What is told to payments and heard from it; and that nothing personal lies in the clear.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::world::{ADDRESS, NAME, NUMBER, World, id, worlds};

pub fn settled(application: &Json) -> Json {
    json!({
        "bill_id": id(100),
        "application_id": uuid_of(application),
        "payment_id": id(101),
        "receipt_number": "R-1",
        "settled_at": "2026-11-23T04:00:00Z",
    })
}

fn uuid_of(application: &Json) -> Uuid {
    Uuid::parse_str(application["id"].as_str().unwrap().trim_start_matches("app_")).unwrap()
}

async fn approve(world: &World, application: &Json) -> Json {
    world.officer_does("takeApplication", application, json!({})).await;
    let approved = world.officer_does("approveApplication", application, json!({ "reason": "ครบถ้วน" })).await;
    assert_eq!(approved["__typename"], "ApplicationApproved", "{approved}");
    approved["application"].clone()
}

#[tokio::test]
async fn a_fee_after_approval_falls_due_then_and_is_settled_once() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        assert!(world.published("applications.fee_fell_due").await.is_empty());
        let approved = approve(&world, &application).await;
        assert_eq!(approved["status"], "AWAITING_PAYMENT");
        assert_eq!(approved["nextAction"]["action"], "PAY");
        let due = world.published("applications.fee_fell_due").await;
        assert_eq!(due.len(), 1);
        let expected = json!({
            "application_id": uuid_of(&application),
            "party_id": id(1),
            "agency_code": "LAO-1201",
            "agency_name": { "th": "เทศบาลตัวอย่าง", "en": "Sample municipality" },
            "offering_id": id(5),
            "offering_revision": 1,
            "service_code": "food-premises",
            "service_title": { "th": "หนังสือรับรองการแจ้งจัดตั้งสถานที่จำหน่ายอาหาร", "en": "Food premises" },
            "amount_satang": 50_000,
            "on_rejection": "refund",
            "due": "approval",
        });
        assert_eq!(due[0], expected);

        let issued =
            json!({ "bill_id": id(100), "application_id": uuid_of(&application), "amount_satang": 50_000 });
        world.hear("payments.bill_issued", issued).await;
        for _ in 0..2 {
            world.hear_as(id(500), "payments.bill_settled", settled(&application)).await;
        }
        // The same news under another message id moves nothing either.
        world.hear("payments.bill_settled", settled(&application)).await;
        let seen = world.see(&world.citizen, &application).await;
        assert_eq!(seen["status"], "PAID");
        assert_eq!(seen["nextAction"]["action"], "ISSUE");
        let kinds = world.timeline(&application).await;
        let end = ["APPROVED", "FEE_FELL_DUE", "BILL_ISSUED", "FEE_SETTLED"];
        assert_eq!(kinds[kinds.len() - 4..], end);
    }
}

#[tokio::test]
async fn a_fee_at_submission_is_settled_before_review_and_goes_back_on_rejection() {
    for world in worlds().await {
        world
            .publish(|offering| {
                offering["offering_id"] = json!(id(6));
                offering["fee_due"] = json!("submission");
            })
            .await;
        let application = world.submitted(6).await;
        assert_eq!(application["status"], "AWAITING_PAYMENT");
        assert_eq!(world.published("applications.fee_fell_due").await[0]["due"], "submission");
        let early = world.officer_does("takeApplication", &application, json!({})).await;
        assert_eq!(early["__typename"], "StateProblem");
        world.hear("payments.bill_settled", settled(&application)).await;
        assert_eq!(world.see(&world.citizen, &application).await["status"], "UNDER_REVIEW");
        world.officer_does("takeApplication", &application, json!({})).await;
        world.officer_does("rejectApplication", &application, json!({ "reason": "x" })).await;
        let closed = world.published("applications.closed").await;
        assert_eq!((&closed[0]["outcome"], &closed[0]["refund"]), (&json!("rejected"), &json!(true)));
        let refunded = json!({ "bill_id": id(100), "application_id": uuid_of(&application),
            "refund_id": id(102), "amount_satang": 50_000 });
        world.hear("payments.refunded", refunded).await;
        assert_eq!(world.timeline(&application).await.last().unwrap(), "FEE_REFUNDED");
        // Money that was paid twice is not the fee.
        let twice = json!({ "bill_id": id(100), "application_id": uuid_of(&application),
            "refund_id": id(103), "amount_satang": 50_000, "reason": "DUPLICATE" });
        world.hear("payments.refunded", twice).await;
        assert_eq!(world.timeline(&application).await.last().unwrap(), "PAYMENT_RETURNED");
        assert_eq!(world.see(&world.citizen, &application).await["status"], "REJECTED");
    }
}

#[tokio::test]
async fn the_rules_decide_where_the_offering_says_so() {
    for world in worlds().await {
        world
            .publish(|offering| {
                offering["offering_id"] = json!(id(6));
                offering["decision"] = json!("automatic");
                offering["fee_due"] = json!("none");
                offering["fee_satang"] = json!(0);
            })
            .await;
        let application = world.submitted(6).await;
        assert_eq!(application["status"], "APPROVED");
        assert_eq!(application["decision"]["automatic"], true);
        assert_eq!(application["timeline"]["nodes"][2]["kind"], "APPROVED_AUTOMATICALLY");
        assert_eq!(application["timeline"]["nodes"][2]["actor"]["kind"], "SYSTEM");

        world
            .publish(|offering| {
                offering["offering_id"] = json!(id(7));
                offering["decision"] = json!("automatic");
                offering["fee_due"] = json!("submission");
            })
            .await;
        let application = world.submitted(7).await;
        assert_eq!(application["status"], "AWAITING_PAYMENT");
        world.hear("payments.bill_settled", settled(&application)).await;
        assert_eq!(world.see(&world.citizen, &application).await["status"], "APPROVED");
    }
}

#[tokio::test]
async fn news_of_an_unknown_application_is_left() {
    for world in worlds().await {
        world
            .hear("payments.bill_settled", settled(&json!({ "id": format!("app_{}", id(4).simple()) })))
            .await;
        let draft = world.draft_of(5).await;
        world.hear("payments.bill_settled", settled(&draft)).await;
        assert_eq!(world.see(&world.citizen, &draft).await["status"], "DRAFT");
    }
}

#[tokio::test]
async fn nothing_personal_lies_in_the_clear() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        approve(&world, &application).await;
        if world.place.engine == "sqlite" {
            let needles = [NAME, NUMBER, ADDRESS, "ร้านป้าสม", "ครบถ้วน", "Somying"];
            for entry in std::fs::read_dir(world.folder()).unwrap() {
                let path = entry.unwrap().path();
                let Ok(bytes) = std::fs::read(&path) else { continue };
                for needle in needles {
                    let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
                    assert!(!found, "{needle} in {}", path.display());
                }
            }
        }
        for topic in ["applications.submitted", "applications.decided", "applications.fee_fell_due"] {
            let published = world.published(topic).await;
            assert_eq!(published.len(), 1, "{topic}");
            assert!(!published[0].to_string().contains(NAME));
        }
    }
}

#[tokio::test]
async fn an_event_never_changes() {
    for world in worlds().await {
        world.draft_of(5).await;
        for sql in ["update application_event set kind = 'REJECTED'", "delete from application_event"] {
            assert!(world.service.database().execute(sql, Vec::new()).await.is_err(), "{sql}");
        }
    }
}
