//! Two transports, one product: subgraphs answer over signed HTTP what they answer in process.

mod desk;
mod doors;
mod journal;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::filing::{
    application_at, attach_map, bill, decide, food_premises_answers, key, offering, parties, pay, save,
    submit, submitted_food_premises,
};
use crate::installation::Installation;
use crate::person::Person;
use desk::work_at_desks;
use journal::Journal;

const SECRET: &str = "a secret of tests, 32 bytes or more";

/// An installation whose gateway reaches each of its own subgraphs over HTTP.
async fn over_http() -> Installation {
    let mut place = Installation::start().await;
    let url = place.url.clone();
    place
        .restart_with(|config| {
            let names = pratu::subgraph_schemas().into_iter().map(|(name, _)| name.to_owned());
            config.peers = names.map(|name| (name, vec![url.clone()])).collect();
            config.subgraph_doors = true;
            config.subgraph_secret = Some(SECRET.into());
        })
        .await;
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_of_ours_gets_the_same_answers_over_http_as_in_process() {
    let (in_process, over_http) = tokio::join!(Installation::start(), over_http());
    let (expected, got) = tokio::join!(everything(&in_process), everything(&over_http));
    for (expected, got) in expected.iter().zip(&got) {
        assert_eq!(expected, got);
    }
    assert_eq!(expected.len(), got.len());
    let asked: BTreeSet<String> = expected.into_iter().map(|(operation, _)| operation).collect();
    let all: BTreeSet<String> = crate::documents::all().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(asked, all, "a document of ours was not asked");
}

/// All that our clients can ask, one person after the other.
async fn everything(place: &Installation) -> Vec<(String, Value)> {
    let mut journal = Journal::default();
    let somchai = Person::citizen(place, "somchai", "thaid").await;
    let officer = Person::officer(place, "officer-nonthaburi").await;
    find(&mut journal, place).await;
    let application = file(&mut journal, place, &somchai).await;
    decide_and_watch(&mut journal, &somchai, &officer, &application).await;
    pay_and_look(&mut journal, place, &somchai, &application).await;
    return_and_reject(&mut journal, place, &somchai, &officer).await;
    journal.ask(&officer, "ApplicationDetail", json!({"id": application})).await;
    work_at_desks(&mut journal, place, &officer).await;
    be_refused(&mut journal, place, &application).await;
    for operation in ["MyApplications", "MyBills", "Viewer"] {
        journal.ask(&somchai, operation, json!({"first": 2})).await;
    }
    journal.ask(&somchai, "EndSession", json!({"input": {"idempotencyKey": key()}})).await;
    journal.ask(&somchai, "Viewer", json!({})).await;
    journal.entries
}

async fn find(journal: &mut Journal, place: &Installation) {
    let nobody = Person::nobody(place);
    journal.ask(&nobody, "FindServices", json!({"area": "1201", "first": 100})).await;
    let narrow = json!({"area": "5001", "search": "food", "first": 2, "filter": {"audience": "BUSINESS"}});
    journal.ask(&nobody, "FindServices", narrow).await;
    journal.ask(&nobody, "ServiceGuide", json!({"code": "LAO-01"})).await;
    journal.ask(&nobody, "ServiceGuide", json!({"code": "none"})).await;
    journal.ask(&nobody, "LifeEventGuide", json!({"code": "open-a-restaurant"})).await;
    journal.ask(&nobody, "Viewer", json!({})).await;
}

/// Files for the company, with every answer that may come on the way; gives the application's id.
async fn file(journal: &mut Journal, place: &Installation, person: &Person<'_>) -> Value {
    let seen = journal.ask(person, "Viewer", json!({})).await;
    let company = &seen["data"]["viewer"]["parties"][1]["id"];
    let offering = offering(place, "LAO-01", "1201").await;
    let input = json!({"idempotencyKey": key(), "offeringId": offering, "partyId": company});
    let input = json!({"input": input});
    let started = journal.ask(person, "StartApplication", input.clone()).await;
    let draft = &started["data"]["startApplication"]["application"];
    // Sent twice, it is one draft.
    assert_eq!(&journal.ask(person, "StartApplication", input).await, &started);

    let early = json!({"idempotencyKey": key(), "applicationId": draft["id"], "revision": draft["revision"]});
    journal.ask(person, "SubmitApplication", json!({"input": early})).await;
    let mut answers = draft["answers"].clone();
    for (name, answer) in food_premises_answers().as_object().expect("answers are an object") {
        answers[name] = answer.clone();
    }
    for _stale in [false, true] {
        let input = json!({
            "idempotencyKey": key(), "applicationId": draft["id"], "revision": draft["revision"], "answers": answers,
        });
        journal.ask(person, "SaveApplicationDraft", json!({"input": input})).await;
    }
    let file = json!({
        "idempotencyKey": key(), "applicationId": draft["id"], "evidenceCode": "map",
        "fileName": "แผนที่.png", "mediaType": "image/png", "sizeBytes": 10,
    });
    journal.ask(person, "StartEvidenceUpload", json!({"input": file})).await;
    attach_map(person, &draft["id"]).await;
    let seen = journal.ask(person, "ApplicationDetail", json!({"id": draft["id"]})).await;
    let revision = &seen["data"]["application"]["revision"];
    let input = json!({"idempotencyKey": key(), "applicationId": draft["id"], "revision": revision});
    let submitted = journal.ask(person, "SubmitApplication", json!({"input": input})).await;
    assert_eq!(submitted["data"]["submitApplication"]["__typename"], "ApplicationSubmitted", "{submitted}");
    draft["id"].clone()
}

/// The officer works while the citizen watches.
async fn decide_and_watch(
    journal: &mut Journal,
    person: &Person<'_>,
    officer: &Person<'_>,
    application: &Value,
) {
    journal.ask(officer, "OfficerViewer", json!({})).await;
    journal.ask(officer, "OfficerQueue", json!({"first": 5})).await;
    let taken =
        |events: &[Value]| events.iter().any(|event| event["data"]["applicationEvents"]["kind"] == "TAKEN");
    let watch = person.events("ApplicationEvents", json!({"id": application, "after": 0}), taken);
    let input = json!({"input": {"idempotencyKey": key(), "applicationId": application}});
    let work = officer.send("TakeApplication", input);
    let (seen, took) = tokio::join!(watch, work);
    assert_eq!(seen.len(), 3, "{seen:?}");
    journal.note("ApplicationEvents", &Value::from(seen));
    journal.note("TakeApplication", &took);
    let input = json!({"idempotencyKey": key(), "applicationId": application, "reason": "ครบถ้วน"});
    journal.ask(officer, "ApproveApplication", json!({"input": input})).await;
}

async fn pay_and_look(journal: &mut Journal, place: &Installation, person: &Person<'_>, application: &Value) {
    let bill = bill(person, application).await;
    journal.ask(person, "BillDetail", json!({"id": bill["id"]})).await;
    for method in ["PROMPTPAY_QR", "G_WALLET"] {
        let input = json!({"idempotencyKey": key(), "billId": bill["id"], "method": method});
        let started = journal.ask(person, "StartPayment", json!({"input": input})).await;
        let payment = &started["data"]["startPayment"]["payment"];
        if method == "G_WALLET" {
            assert!(pay(place, payment, "").await.is_success());
            application_at(person, application, "PAID").await;
        }
        journal.ask(person, "Payment", json!({"id": payment["id"]})).await;
        let input = json!({"idempotencyKey": key(), "paymentId": payment["id"]});
        journal.ask(person, "CheckPayment", json!({"input": input})).await;
    }
    let late = json!({"idempotencyKey": key(), "billId": bill["id"], "method": "G_WALLET"});
    journal.ask(person, "StartPayment", json!({"input": late})).await;
    journal.ask(person, "BillDetail", json!({"id": bill["id"]})).await;
    journal.ask(person, "ApplicationDetail", json!({"id": application})).await;
    let events = json!({"id": application, "after": 3});
    let seen = person.events("ApplicationEvents", events, |events| events.len() >= 4).await;
    journal.note("ApplicationEvents", &Value::from(seen));
}

/// One application that comes back and is rejected, one draft that is withdrawn.
async fn return_and_reject(
    journal: &mut Journal,
    place: &Installation,
    person: &Person<'_>,
    officer: &Person<'_>,
) {
    let me = parties(person).await.remove(0);
    let application = submitted_food_premises(place, person, &me).await;
    decide(officer, "TakeApplication", &application, json!({})).await;
    let items = json!([{"evidenceCode": "map", "message": "แผนที่ไม่ชัด"}]);
    let input =
        json!({"idempotencyKey": key(), "applicationId": application, "items": items, "message": "ขอใหม่"});
    journal.ask(officer, "RequestMoreDocuments", json!({"input": input})).await;
    let returned = journal.ask(person, "ApplicationDetail", json!({"id": application})).await;
    attach_map(person, &application).await;
    let revision = returned["data"]["application"]["revision"].as_i64().expect("a number");
    submit(person, &application, revision, &key()).await;
    let input = json!({"idempotencyKey": key(), "applicationId": application, "reason": "รอผลตรวจสถานที่"});
    journal.ask(officer, "ExplainDelay", json!({"input": input})).await;
    let input = json!({"idempotencyKey": key(), "applicationId": application, "reason": "ไม่ถูกสุขลักษณะ"});
    journal.ask(officer, "RejectApplication", json!({"input": input})).await;
    journal.ask(person, "ApplicationDetail", json!({"id": application})).await;

    let draft = crate::filing::start(person, &offering(place, "LAO-01", "5001").await, &me).await;
    save(person, &draft, &json!({"shop_name": "ร้านฉัน"})).await;
    let input = json!({"input": {"idempotencyKey": key(), "applicationId": draft["id"]}});
    journal.ask(person, "WithdrawApplication", input).await;
}

/// Errors keep their codes, paths and details over HTTP.
async fn be_refused(journal: &mut Journal, place: &Installation, application: &Value) {
    let nobody = Person::nobody(place);
    journal.ask(&nobody, "MyApplications", json!({})).await;
    let malee = Person::citizen(place, "malee", "thaid").await;
    journal.ask(&malee, "ApplicationDetail", json!({"id": application})).await;
    journal.ask(&malee, "BillDetail", json!({"id": "bil_0"})).await;
    journal.ask(&malee, "OfficerQueue", json!({})).await;
    journal.ask(&malee, "MyBills", json!({"first": 100_000})).await;
    journal.ask(&malee, "MyApplications", json!({"after": "not a cursor"})).await;
    let events = json!({"id": application, "after": 0});
    let refused = malee.refused_subscription("ApplicationEvents", events).await;
    assert!(refused["errors"].is_array(), "{refused}");
    journal.note("ApplicationEvents", &refused);
    let low = Person::citizen(place, "somchai", "dga").await;
    let me = parties(&low).await.remove(0);
    let input = json!({"idempotencyKey": key(), "offeringId": offering(place, "DLT-01", "1201").await, "partyId": me});
    let refused = journal.ask(&low, "StartApplication", json!({"input": input})).await;
    assert_eq!(refused["errors"][0]["extensions"]["required"]["ial"], "2.3", "{refused}");
}
