//! Times that run: the legal days, the time for documents, notices of lateness; with a clock that leaps.

use chrono::Duration;
use serde_json::{Value as Json, json};

use crate::files::attach;
use crate::messages::settled;
use crate::world::{World, id, worlds};

/// A case that was taken, received on Monday 23 November 2026 at ten: seven days end on 2 December.
async fn taken(world: &World) -> Json {
    let application = world.submitted(5).await;
    world.officer_does("takeApplication", &application, json!({})).await;
    application
}

async fn ask(world: &World, application: &Json, due_on: Option<&str>) -> Json {
    let input = json!({ "items": [{ "evidenceCode": "map" }], "message": "ขอแผนที่ใหม่", "dueOn": due_on });
    let asked = world.officer_does("requestMoreDocuments", application, input).await;
    assert_eq!(asked["__typename"], "DocumentsRequested", "{asked}");
    asked["application"].clone()
}

async fn notices(world: &World, application: &Json) -> usize {
    let kinds = world.timeline(application).await;
    kinds.iter().filter(|kind| *kind == "LATENESS_NOTIFIED").count()
}

#[tokio::test]
async fn the_legal_time_stands_still_while_documents_are_awaited() {
    for world in worlds().await {
        let application = taken(&world).await;
        world.clock.advance(Duration::days(2));
        let returned = ask(&world, &application, None).await;
        assert_eq!((&returned["dueOn"], &returned["legalDaysLeft"]), (&json!(null), &json!(5)));
        assert_eq!(returned["documentsDueOn"], "2026-12-18", "fifteen working days");
        let next = &returned["nextAction"];
        assert_eq!(
            (&next["actor"], &next["dueAt"]),
            (&json!("APPLICANT"), &json!("2026-12-18T09:30:00+00:00"))
        );
        assert_eq!(returned["documentsWanted"], json!([{ "evidenceCode": "map", "received": false }]));

        // Past the day on which the legal time would have ended.
        world.clock.advance(Duration::days(9));
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 0);
        attach(&world, &application).await;
        let seen = world.see(&world.citizen, &application).await;
        assert_eq!(seen["documentsWanted"], json!([{ "evidenceCode": "map", "received": true }]));
        let resubmitted = world.submit(&seen, "again").await["application"].clone();
        // Friday 4 December; Monday and Thursday after are holidays.
        assert_eq!(
            (&resubmitted["dueOn"], &resubmitted["legalDaysLeft"]),
            (&json!("2026-12-15"), &json!(null))
        );
        assert_eq!(resubmitted["nextAction"]["dueAt"], "2026-12-15T09:30:00+00:00");
        world.clock.advance(Duration::days(11));
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 0, "not before the close of the last day");
        world.clock.advance(Duration::hours(7));
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 1);
    }
}

#[tokio::test]
async fn a_weekend_in_which_the_legal_time_stops_again_adds_no_day_to_it() {
    for world in worlds().await {
        world
            .publish(|offering| {
                offering["offering_id"] = json!(id(8));
                offering["fee_due"] = json!("submission");
            })
            .await;
        let application = world.submitted(8).await;
        assert_eq!(
            (&application["status"], &application["legalDaysLeft"]),
            (&json!("AWAITING_PAYMENT"), &json!(7))
        );
        // Paid on Friday at eight in the evening: received on Monday.
        world.clock.advance(Duration::days(4) + Duration::hours(10));
        world.hear("payments.bill_settled", settled(&application)).await;
        assert_eq!(world.see(&world.citizen, &application).await["dueOn"], "2026-12-11");
        world.clock.advance(Duration::hours(14));
        world.officer_does("takeApplication", &application, json!({})).await;
        assert_eq!(ask(&world, &application, None).await["legalDaysLeft"], 7, "asked for on Saturday");
    }
}

#[tokio::test]
async fn documents_that_do_not_come_in_time_close_the_case_once() {
    for world in worlds().await {
        let application = taken(&world).await;
        let returned = ask(&world, &application, Some("2026-12-01")).await;
        assert_eq!(returned["documentsDueOn"], "2026-12-01");
        attach(&world, &application).await;
        // Ten in the evening of the last day: closed, before any timer came.
        world.clock.advance(Duration::days(8) + Duration::hours(12));
        let late = world.submit(&returned, "late").await;
        assert_eq!(late["__typename"], "StateProblem", "{late}");
        assert!(world.see(&world.citizen, &application).await["nextAction"]["overdue"].as_bool().unwrap());
        for _ in 0..2 {
            world.tick().await;
        }
        let seen = world.see(&world.citizen, &application).await;
        assert_eq!((&seen["status"], &seen["nextAction"]["actor"]), (&json!("LAPSED"), &json!("NOBODY")));
        let kinds = world.timeline(&application).await;
        assert_eq!(kinds, ["STARTED", "SUBMITTED", "TAKEN", "DOCUMENTS_REQUESTED", "LAPSED"]);
        let closed = world.published("applications.closed").await;
        assert_eq!((closed.len(), &closed[0]["outcome"]), (1, &json!("lapsed")));
        let dead = world.officer_does("approveApplication", &application, json!({})).await;
        assert_eq!(dead["__typename"], "StateProblem");
    }
}

#[tokio::test]
async fn documents_that_came_in_time_leave_the_timer_nothing_to_do() {
    for world in worlds().await {
        let application = taken(&world).await;
        let returned = ask(&world, &application, Some("2026-12-01")).await;
        attach(&world, &application).await;
        world.submit(&returned, "again").await;
        world.clock.advance(Duration::days(9));
        world.tick().await;
        assert_eq!(world.see(&world.citizen, &application).await["status"], "UNDER_REVIEW");
    }
}

#[tokio::test]
async fn lateness_is_told_every_seven_days_until_it_is_decided_once_each_over_leaps_and_restarts() {
    for world in worlds().await {
        let application = taken(&world).await;
        world.clock.advance(Duration::days(9) + Duration::hours(6)); // 2 December, 16:00
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 0);
        world.clock.advance(Duration::minutes(30));
        world.tick().await;
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 1);
        let seen = world.see(&world.citizen, &application).await;
        assert_eq!((&seen["latenessNotices"], &seen["nextAction"]["overdue"]), (&json!(1), &json!(true)));
        assert!(seen["nextAction"]["description"]["en"].as_str().unwrap().contains("every seven days"));

        let reason = json!({ "reason": "รอผลตรวจสถานที่" });
        let explained = world.officer_does("explainDelay", &application, reason).await;
        assert_eq!(explained["__typename"], "DelayExplained", "{explained}");
        let said = explained["application"]["timeline"]["nodes"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&said["kind"], &said["message"]), (&json!("DELAY_EXPLAINED"), &json!("รอผลตรวจสถานที่")));

        // The process goes; four weeks later another one finds what is due.
        world.clock.advance(Duration::days(28));
        let world = world.restarted().await;
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 5, "each one the law asks for");
        let told = world.published("applications.decision_late").await;
        assert_eq!(told.len(), 5);
        assert_eq!((&told[4]["notice"], &told[4]["copy_to"]), (&json!(5), &json!("opdc")));
        assert_eq!(
            (&told[0]["reason_in_event"], &told[1]["reason_in_event"]),
            (&json!(null), &said["sequence"])
        );
        assert_eq!(told[4]["fell_due_at"], "2026-12-30T09:30:00Z");

        // Every timer comes again, under its own id and under others.
        for payload in world.published("applications.lateness").await {
            if payload["at"].as_str().unwrap() < "2026-12-31" {
                world.hear("applications.lateness", payload).await;
            }
        }
        assert_eq!(notices(&world, &application).await, 5);
        let approved = world.officer_does("approveApplication", &application, json!({})).await;
        assert_eq!(approved["__typename"], "ApplicationApproved", "{approved}");
        world.clock.advance(Duration::days(30));
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 5);
        assert_eq!(world.see(&world.citizen, &application).await["latenessNotices"], 5);
    }
}

#[tokio::test]
async fn the_days_of_a_case_that_was_late_already_are_not_given_back() {
    for world in worlds().await {
        let application = taken(&world).await;
        world.clock.advance(Duration::days(10)); // 3 December
        world.tick().await;
        let returned = ask(&world, &application, None).await;
        assert_eq!(returned["legalDaysLeft"], 0);
        world.clock.advance(Duration::days(8)); // Friday 11 December
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 1, "no notice while it is the applicant's turn");
        attach(&world, &application).await;
        let resubmitted = world.submit(&returned, "again").await["application"].clone();
        assert_eq!(resubmitted["dueOn"], "2026-12-11", "due the day it comes back");
        world.clock.advance(Duration::hours(7));
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 2);
    }
}

#[tokio::test]
async fn the_legal_time_begins_when_a_fee_due_at_submission_is_settled() {
    for world in worlds().await {
        world
            .publish(|offering| {
                offering["offering_id"] = json!(crate::world::id(6));
                offering["fee_due"] = json!("submission");
            })
            .await;
        let application = world.submitted(6).await;
        assert_eq!((&application["dueOn"], &application["legalDaysLeft"]), (&json!(null), &json!(7)));
        world.clock.advance(Duration::days(21));
        world.tick().await;
        assert_eq!(notices(&world, &application).await, 0);
        world.hear("payments.bill_settled", crate::messages::settled(&application)).await;
        let seen = world.see(&world.citizen, &application).await;
        assert_eq!((&seen["status"], &seen["dueOn"]), (&json!("UNDER_REVIEW"), &json!("2026-12-23")));
    }
}

#[tokio::test]
async fn calendar_days_count_where_the_service_says_so() {
    for world in worlds().await {
        world
            .publish(|offering| {
                offering["revision"] = json!(2);
                offering["legal_days_counted"] = json!("calendar");
            })
            .await;
        let application = world.submitted(5).await;
        assert_eq!(application["dueOn"], "2026-11-30", "seven days from Monday 23 November");
    }
}

#[tokio::test]
async fn a_draft_nobody_touches_runs_out_and_one_that_is_saved_lives_on() {
    for world in worlds().await {
        let (left, kept) = (world.complete_draft(5).await, world.complete_draft(5).await);
        attach(&world, &left).await;
        assert_eq!(left["nextAction"]["dueAt"], "2027-01-22T03:00:00+00:00");
        world.clock.advance(Duration::days(59));
        world.tick().await;
        let kept = world.save(&kept, json!({ "shop_name": "ร้านใหม่" })).await["application"].clone();
        world.clock.advance(Duration::days(2));
        world.tick().await;
        let seen = world.see(&world.citizen, &left).await;
        assert_eq!((&seen["status"], &seen["answers"]), (&json!("LAPSED"), &json!({})));
        assert_eq!(seen["evidence"], json!([]));
        assert!(world.published("applications.closed").await.is_empty(), "nobody else ever saw it");
        let seen = world.see(&world.citizen, &kept).await;
        assert_eq!((&seen["status"], &seen["answers"]["shop_name"]), (&json!("DRAFT"), &json!("ร้านใหม่")));
        world.clock.advance(Duration::days(60));
        world.tick().await;
        assert_eq!(world.see(&world.citizen, &kept).await["status"], "LAPSED");
    }
}

#[tokio::test]
async fn each_event_says_who_for_whom_by_which_mandate_and_when_it_was_received_by_law() {
    for world in worlds().await {
        let application = taken(&world).await;
        let returned = ask(&world, &application, None).await;
        attach(&world, &application).await;
        world.clock.advance(Duration::hours(10)); // eight in the evening
        world.submit(&returned, "again").await;
        let seen = world.see(&world.citizen, &application).await;
        let received: Vec<(&str, &str, &Json)> = seen["timeline"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| {
                assert!(event["party"]["id"].is_string());
                let kind = event["kind"].as_str().unwrap();
                (kind, event["actor"]["kind"].as_str().unwrap(), &event["legallyReceivedAt"])
            })
            .collect();
        let (at_once, next_morning) =
            (json!("2026-11-23T03:00:00+00:00"), json!("2026-11-24T01:30:00+00:00"));
        let expected = [
            ("STARTED", "APPLICANT", &Json::Null),
            ("SUBMITTED", "APPLICANT", &at_once),
            ("TAKEN", "OFFICER", &Json::Null),
            ("DOCUMENTS_REQUESTED", "OFFICER", &Json::Null),
            ("RESUBMITTED", "APPLICANT", &next_morning),
        ];
        assert_eq!(received, expected);
    }
}
