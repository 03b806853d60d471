//! Track: events as they happen, the timeline, the officer's desk, what happens next.

use serde_json::{Value, json};

use crate::filing::{application_at, attach_map, decide, key, offering, parties, save, start, submit};
use crate::filing::{bill, pay, start_payment, submitted_food_premises};
use crate::installation::{Installation, eventually};
use crate::person::Person;

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_tells_each_step_and_after_a_break_misses_nothing() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;

    // Watching while the officer works: each step comes as it happens.
    let watch = somchai.events("ApplicationEvents", json!({"id": application, "after": 0}), |events| {
        kinds(&seen_events(events)).contains(&"TAKEN")
    });
    let work = decide(&officer, "TakeApplication", &application, json!({}));
    let (seen, _) = tokio::join!(watch, work);
    assert_eq!(kinds(&seen_events(&seen)), ["STARTED", "SUBMITTED", "TAKEN"]);
    let last = seen_events(&seen).last().unwrap()["sequence"].clone();

    // Ten minutes in the background: the token ends, the officer goes on.
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    place.pass(600).await;
    let expired = somchai.send("Viewer", json!({})).await;
    assert_eq!(expired["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let missed = somchai
        .events("ApplicationEvents", json!({"id": application, "after": last}), |events| events.len() >= 3)
        .await;
    assert_eq!(kinds(&seen_events(&missed)), ["APPROVED", "FEE_FELL_DUE", "BILL_ISSUED"]);
}

fn seen_events(answers: &[Value]) -> Vec<Value> {
    answers.iter().map(|answer| answer["data"]["applicationEvents"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_asked_for_once_and_the_citizen_sees_why() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    let ask = json!({"items": [{"evidenceCode": "map", "message": "แผนที่ไม่ชัด"}], "message": "ขอแผนที่ใหม่"});
    let asked = decide(&officer, "RequestMoreDocuments", &application, ask.clone()).await;
    assert_eq!(asked["__typename"], "DocumentsRequested", "{asked}");

    let returned = application_at(&somchai, &application, "RETURNED").await;
    assert_eq!(returned["nextAction"]["actor"], "APPLICANT");
    let events = returned["timeline"]["nodes"].as_array().unwrap();
    let request = events.iter().find(|event| event["kind"] == "DOCUMENTS_REQUESTED").unwrap();
    assert_eq!(request["message"], "ขอแผนที่ใหม่");
    assert_eq!(request["actor"]["kind"], "OFFICER");

    attach_map(&somchai, &application).await;
    let sent = submit(&somchai, &application, returned["revision"].as_i64().unwrap(), &key()).await;
    assert_eq!(sent["application"]["status"], "UNDER_REVIEW", "{sent}");
    let second = decide(&officer, "RequestMoreDocuments", &application, ask).await;
    assert_eq!(second["__typename"], "StateProblem", "{second}");
    assert!(second["message"].as_str().unwrap().contains("2558"), "{second}");

    let reason = json!({"reason": "สถานที่ไม่ถูกสุขลักษณะ"});
    let rejected = decide(&officer, "RejectApplication", &application, reason).await;
    assert_eq!(rejected["__typename"], "ApplicationRejected", "{rejected}");
    let seen = application_at(&somchai, &application, "REJECTED").await;
    assert_eq!(seen["decision"]["outcome"], "REJECTED");
    assert_eq!(seen["decision"]["reason"], "สถานที่ไม่ถูกสุขลักษณะ");
    assert_eq!(seen["nextAction"]["actor"], "NOBODY");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_officers_of_that_agency_see_and_take_the_case() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let own = Person::officer(&place, "officer-nonthaburi").await;
    let other = Person::officer(&place, "officer-chiangmai").await;
    let queue = own.ask("OfficerQueue", json!({})).await;
    assert_eq!(queue["officerQueue"]["nodes"][0]["id"], application);
    assert!(queue["officerQueue"]["nodes"][0]["applicantName"]["th"].as_str().unwrap().contains("สมชาย"));
    let queue = other.ask("OfficerQueue", json!({})).await;
    assert_eq!(queue["officerQueue"]["nodes"], json!([]));
    let refused = decide(&other, "TakeApplication", &application, json!({})).await;
    assert_eq!(refused["__typename"], "NotFoundProblem", "{refused}");
    let detail = other.ask("ApplicationDetail", json!({"id": application})).await;
    assert!(detail["application"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeline_says_who_did_what_when_and_for_whom() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let company = parties(&somchai).await.remove(1);
    let application = submitted_food_premises(&place, &somchai, &company).await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let bill = bill(&somchai, &application).await;
    let payment = start_payment(&somchai, &bill["id"], "G_WALLET").await;
    pay(&place, &payment, "").await;
    let done = application_at(&somchai, &application, "PAID").await;
    assert_eq!(done["applicant"]["kind"], "JURISTIC");
    let events = done["timeline"]["nodes"].as_array().unwrap().clone();
    let expected =
        ["STARTED", "SUBMITTED", "TAKEN", "APPROVED", "FEE_FELL_DUE", "BILL_ISSUED", "FEE_SETTLED"];
    assert_eq!(kinds(&events), expected);
    let sequences: Vec<i64> = events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, (1..=7).collect::<Vec<_>>());
    for event in &events {
        assert!(event["at"].is_string() && event["description"]["th"].is_string());
        assert_eq!(event["party"]["id"], company.as_str());
        let by_director = event["actor"]["kind"] == "APPLICANT";
        assert_eq!(event["mandateId"].is_string(), by_director, "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simple_case_is_decided_at_once_without_an_officer() {
    let place = Installation::start().await;
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let me = parties(&malee).await.remove(0);
    let draft = start(&malee, &offering(&place, "ECT-01", "5001").await, &me).await;
    let answers = json!({"election_on": "2026-11-15", "reason": "illness"});
    let revision = save(&malee, &draft, &answers).await;
    let submitted = submit(&malee, &draft["id"], revision, &key()).await;
    assert_eq!(submitted["__typename"], "ApplicationSubmitted", "{submitted}");
    let decided = application_at(&malee, &draft["id"], "APPROVED").await;
    assert_eq!((&decided["decision"]["automatic"], &decided["bill"]), (&json!(true), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_past_its_legal_time_is_told_so_every_week_until_it_decides() {
    const DAY_S: i64 = 24 * 60 * 60;
    let place = Installation::start().await;
    let application = {
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        let me = parties(&somchai).await.remove(0);
        submitted_food_premises(&place, &somchai, &me).await
    };
    // Thirty working days are six weeks, and holidays: ninety days on, several notices were due.
    place.pass(90 * DAY_S).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let told = eventually("the notices of lateness", || async {
        let detail = somchai.ask("ApplicationDetail", json!({"id": application})).await;
        let notices = detail["application"]["latenessNotices"].as_i64()?;
        (notices >= 4).then(|| detail["application"].clone())
    });
    let told = told.await;
    let next = &told["nextAction"];
    assert_eq!((&next["actor"], &next["overdue"]), (&json!("AGENCY"), &json!(true)), "{next}");
    assert!(next["description"]["th"].as_str().unwrap().contains("ทุก 7 วัน"), "{next}");

    let officer = Person::officer(&place, "officer-nonthaburi").await;
    let queue = officer.ask("OfficerQueue", json!({"filter": {"late": true}})).await;
    assert_eq!(queue["officerQueue"]["nodes"][0]["id"], application);
    decide(&officer, "TakeApplication", &application, json!({})).await;
    let reason = json!({"reason": "รอผลตรวจสถานที่"});
    let explained = decide(&officer, "ExplainDelay", &application, reason).await;
    assert_eq!(explained["__typename"], "DelayExplained", "{explained}");
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let decided = application_at(&somchai, &application, "AWAITING_PAYMENT").await;
    place.pass(30 * DAY_S).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let seen = somchai.ask("ApplicationDetail", json!({"id": application})).await;
    assert_eq!(seen["application"]["latenessNotices"], decided["latenessNotices"], "decided is decided");
}
