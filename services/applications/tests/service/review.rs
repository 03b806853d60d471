//! The agency's side.

use auth::Principal;
use futures::future::join_all;
use serde_json::json;

use crate::files::attach;
use crate::world::worlds;

#[tokio::test]
async fn an_officer_takes_asks_once_and_decides() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        let early = world.officer_does("approveApplication", &application, json!({})).await;
        assert_eq!(early["__typename"], "StateProblem", "not taken yet");
        let taken = world.officer_does("takeApplication", &application, json!({})).await;
        assert_eq!(taken["application"]["status"], "UNDER_REVIEW");
        assert_eq!(taken["application"]["applicant"], json!(null), "officers see the name alone");
        assert_eq!(taken["application"]["timeline"]["nodes"][0]["party"], json!(null));
        let twice = world.officer_does("takeApplication", &application, json!({})).await;
        assert_eq!(twice["__typename"], "StateProblem");

        let ask =
            json!({ "items": [{ "evidenceCode": "map", "message": "แผนที่ไม่ชัด" }], "message": "ขอแผนที่ใหม่" });
        let asked = world.officer_does("requestMoreDocuments", &application, ask.clone()).await;
        assert_eq!(asked["application"]["status"], "RETURNED", "{asked}");
        let seen = world.see(&world.citizen, &application).await;
        let event = seen["timeline"]["nodes"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(event["message"], "ขอแผนที่ใหม่");
        assert_eq!(event["requestedDocuments"][0]["evidenceCode"], "map");
        assert_eq!(seen["nextAction"]["action"], "SEND_DOCUMENTS");

        let early = world.submit(&seen, "early").await;
        assert_eq!(early["fields"][0]["pointer"], "/evidence/map", "it has not come: {early}");
        let message = &early["fields"][0]["message"];
        assert!(message["th"].as_str().unwrap().contains("แผนที่"), "{message}");
        assert!(message["en"].as_str().unwrap().contains("Map"), "{message}");
        attach(&world, &application).await;
        let resubmitted = world.submit(&seen, "again").await;
        assert_eq!(resubmitted["application"]["status"], "UNDER_REVIEW", "{resubmitted}");
        assert_eq!(resubmitted["application"]["receiptNumber"], seen["receiptNumber"]);

        let refused = world.officer_does("requestMoreDocuments", &application, ask).await;
        assert_eq!(refused["__typename"], "StateProblem");
        assert!(refused["message"].as_str().unwrap().contains("B.E. 2558, section 8"));

        let reason = json!({ "reason": "ไม่ตรงตามหลักเกณฑ์" });
        let rejected = world.officer_does("rejectApplication", &application, reason).await;
        assert_eq!(rejected["application"]["status"], "REJECTED");
        let seen = world.see(&world.citizen, &application).await;
        assert_eq!(seen["decision"]["reason"], "ไม่ตรงตามหลักเกณฑ์");
        assert_eq!(seen["decision"]["automatic"], false);
        assert_eq!(world.published("applications.closed").await[0]["outcome"], "rejected");
        let kinds = world.timeline(&application).await;
        assert_eq!(
            kinds,
            ["STARTED", "SUBMITTED", "TAKEN", "DOCUMENTS_REQUESTED", "RESUBMITTED", "REJECTED"]
        );
    }
}

#[tokio::test]
async fn of_officers_who_take_a_case_at_once_one_has_it_and_of_decisions_one_stands() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        let takes = (0..5).map(|_| world.officer_does("takeApplication", &application, json!({})));
        let answers = join_all(takes).await;
        let count = |kind: &str| answers.iter().filter(|answer| answer["__typename"] == kind).count();
        assert_eq!((count("ApplicationTaken"), count("StateProblem")), (1, 4), "{answers:?}");

        let withdraw = json!({ "idempotencyKey": "w", "applicationId": application["id"] });
        let (approved, rejected, withdrawn) = tokio::join!(
            world.officer_does("approveApplication", &application, json!({})),
            world.officer_does("rejectApplication", &application, json!({ "reason": "ไม่ครบ" })),
            world.change(&world.citizen, "withdrawApplication", withdraw),
        );
        let ends = ["APPROVED", "REJECTED", "WITHDRAWN"];
        let kinds = world.timeline(&application).await;
        let ended = kinds.iter().filter(|kind| ends.contains(&kind.as_str())).count();
        // An approved application that waits for its fee may still be withdrawn.
        let both = kinds.ends_with(&["APPROVED".into(), "FEE_FELL_DUE".into(), "WITHDRAWN".into()]);
        assert!(ended == 1 || both, "{kinds:?} {approved} {rejected} {withdrawn}");
    }
}

#[tokio::test]
async fn what_an_officer_asks_for_is_checked() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        world.officer_does("takeApplication", &application, json!({})).await;
        for (ask, pointer) in [
            (json!({ "items": [] }), "/items"),
            (json!({ "items": [{ "evidenceCode": "selfie" }] }), "/items/0/evidenceCode"),
            (json!({ "items": [{ "evidenceCode": "id-card" }] }), "/items/0/evidenceCode"),
            (json!({ "items": [], "message": " " }), "/message"),
            (json!({ "items": [{ "evidenceCode": "map" }], "dueOn": "2026-11-24" }), "/dueOn"),
            (json!({ "items": [{ "evidenceCode": "map" }], "dueOn": "2026-12-05" }), "/dueOn"),
            (json!({ "items": [{ "evidenceCode": "map" }], "dueOn": "2030-12-03" }), "/dueOn"),
        ] {
            let refused = world.officer_does("requestMoreDocuments", &application, ask).await;
            assert_eq!(refused["fields"][0]["pointer"], pointer, "{refused}");
        }
        let silent = world.officer_does("rejectApplication", &application, json!({ "reason": "" })).await;
        assert_eq!(silent["fields"][0]["pointer"], "/reason");
        assert_eq!(world.see(&world.citizen, &application).await["status"], "UNDER_REVIEW");
    }
}

#[tokio::test]
async fn a_closed_case_is_nobodys_to_move_any_more() {
    for world in worlds().await {
        let (rejected, withdrawn, lapsed) =
            tokio::join!(world.submitted(5), world.submitted(5), world.submitted(5));
        for application in [&rejected, &lapsed] {
            world.officer_does("takeApplication", application, json!({})).await;
        }
        world.officer_does("rejectApplication", &rejected, json!({ "reason": "ไม่ครบ" })).await;
        let withdraw = json!({ "idempotencyKey": "w", "applicationId": withdrawn["id"] });
        world.change(&world.citizen, "withdrawApplication", withdraw).await;
        let ask = json!({ "items": [{ "evidenceCode": "map" }] });
        world.officer_does("requestMoreDocuments", &lapsed, ask.clone()).await;
        world.clock.advance(chrono::Duration::days(60));
        world.tick().await;
        for (application, status) in [(rejected, "REJECTED"), (withdrawn, "WITHDRAWN"), (lapsed, "LAPSED")] {
            let before = world.see(&world.citizen, &application).await;
            assert_eq!(before["status"], status);
            for (mutation, more) in [
                ("takeApplication", json!({})),
                ("requestMoreDocuments", ask.clone()),
                ("explainDelay", json!({ "reason": "x" })),
                ("approveApplication", json!({})),
                ("rejectApplication", json!({ "reason": "x" })),
            ] {
                let refused = world.officer_does(mutation, &application, more).await;
                assert_eq!(refused["__typename"], "StateProblem", "{mutation} of {status}: {refused}");
                assert_eq!(refused["message"], "the application is closed", "{mutation} of {status}");
            }
            let saved = world.save(&before, json!({ "shop_name": "อื่น" })).await;
            assert_eq!(saved["__typename"], "StateProblem");
            assert_eq!(world.submit(&before, &format!("again-{status}")).await["__typename"], "StateProblem");
            assert_eq!(world.see(&world.citizen, &application).await, before, "unchanged");
        }
    }
}

#[tokio::test]
async fn deciding_needs_the_role() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        world.officer_does("takeApplication", &application, json!({})).await;
        let Principal::Officer(mut reviewer) = world.officer.clone() else { unreachable!() };
        reviewer.roles.remove(&auth::Role::Approver);
        let input = json!({ "idempotencyKey": "k", "applicationId": application["id"] });
        let error = world.change(&Principal::Officer(reviewer), "approveApplication", input).await;
        assert_eq!(error["extensions"]["code"], "FORBIDDEN");
    }
}

#[tokio::test]
async fn an_officer_who_sees_to_persons_data_alone_moves_no_case() {
    for world in worlds().await {
        let application = world.submitted(5).await;
        let Principal::Officer(mut officer) = world.officer.clone() else { unreachable!() };
        officer.roles = [auth::Role::DataProtection].into();
        let officer = Principal::Officer(officer);
        for (mutation, more) in [
            ("takeApplication", json!({})),
            ("requestMoreDocuments", json!({ "items": [{ "evidenceCode": "map" }] })),
            ("explainDelay", json!({ "reason": "x" })),
            ("approveApplication", json!({})),
        ] {
            let mut input = json!({ "idempotencyKey": mutation, "applicationId": application["id"] });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let refused = world.change(&officer, mutation, input).await;
            assert_eq!(refused["extensions"]["code"], "FORBIDDEN", "{mutation}: {refused}");
        }
        assert_eq!(world.timeline(&application).await, ["STARTED", "SUBMITTED"]);
    }
}

#[tokio::test]
async fn the_queue_is_filtered_by_any_day_of_the_calendar() {
    for world in worlds().await {
        world.submitted(5).await;
        let document =
            "query($filter: OfficerQueueFilter) { officerQueue(filter: $filter) { nodes { id } } }";
        for (filter, count) in [
            (json!({ "submittedFrom": "-262143-01-01" }), 1),
            (json!({ "submittedFrom": "+12345-01-01" }), 0),
            (json!({ "submittedUntil": "+262142-12-31" }), 1),
            (json!({ "submittedUntil": "-4800-01-01" }), 0),
        ] {
            let found = world.ask(&world.officer, document, json!({ "filter": filter })).await;
            let cases = found["data"]["officerQueue"]["nodes"].as_array();
            assert_eq!(cases.map(Vec::len), Some(count), "{filter}: {found}");
        }
    }
}

#[tokio::test]
async fn the_queue_has_the_agencys_cases_and_is_filtered_and_paged() {
    for world in worlds().await {
        // Begun first and submitted last: it comes last.
        let begun_first = world.complete_draft(5).await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(world.submitted(5).await["id"].clone());
            world.clock.advance(chrono::Duration::seconds(1));
        }
        let document = "query($first: Int, $after: String, $filter: OfficerQueueFilter) {
            officerQueue(first: $first, after: $after, filter: $filter) {
                nodes { id } pageInfo { hasNextPage endCursor } } }";
        let first = world.ask(&world.officer, document, json!({ "first": 2 })).await;
        let queue = &first["data"]["officerQueue"];
        assert_eq!(queue["nodes"], json!([{ "id": ids[0] }, { "id": ids[1] }]), "{first}");
        let after = json!({ "first": 2, "after": queue["pageInfo"]["endCursor"] });
        let rest = world.ask(&world.officer, document, after).await;
        assert_eq!(rest["data"]["officerQueue"]["nodes"], json!([{ "id": ids[2] }]));
        let after = json!({ "first": 2, "after": rest["data"]["officerQueue"]["pageInfo"]["endCursor"] });
        world.submit(&begun_first, "last").await;
        let latest = world.ask(&world.officer, document, after).await;
        assert_eq!(latest["data"]["officerQueue"]["nodes"], json!([{ "id": begun_first["id"] }]), "{latest}");
        for (filter, count) in [
            (json!({ "status": "SUBMITTED" }), 4),
            (json!({ "status": "REJECTED" }), 0),
            (json!({ "serviceCode": "food-premises" }), 4),
            (json!({ "serviceCode": "other" }), 0),
            (json!({ "submittedFrom": "2026-11-23" }), 4),
            (json!({ "submittedFrom": "2026-11-24" }), 0),
            (json!({ "submittedUntil": "2026-11-23", "status": "SUBMITTED" }), 4),
            (json!({ "submittedUntil": "2026-11-22" }), 0),
            (json!({ "late": true }), 0),
            (json!({ "applicantNumber": "1-1001-00001-01-5" }), 4),
            (json!({ "applicantNumber": "1100100001016" }), 0),
        ] {
            let found = world.ask(&world.officer, document, json!({ "filter": filter })).await;
            assert_eq!(found["data"]["officerQueue"]["nodes"].as_array().unwrap().len(), count);
        }
        let wrong = json!({ "filter": { "applicantNumber": "110010000101x" } });
        let wrong = world.ask(&world.officer, document, wrong).await.to_string();
        assert!(wrong.contains("13 digits") && !wrong.contains("110010000101x"), "{wrong}");
        world.clock.advance(chrono::Duration::days(20));
        let late = world.ask(&world.officer, document, json!({ "filter": { "late": true } })).await;
        assert_eq!(late["data"]["officerQueue"]["nodes"].as_array().unwrap().len(), 4, "{late}");
        let mine = world.ask(&world.citizen, "{ applications(first: 2) { nodes { id } } }", json!({})).await;
        assert_eq!(mine["data"]["applications"]["nodes"][0]["id"], ids[2], "newest first");
    }
}
