//! The steps of filing that many tests take on their way to something else.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::installation::{Installation, eventually};
use crate::person::Person;

/// A one-pixel PNG: the smallest map there is.
pub const MAP: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1F, 0x15, 0xC4, 0x89, 0, 0, 0, 0x0A, b'I', b'D', b'A', b'T', 0x78, 0x9C, 0x62, 0,
    1, 0, 0, 5, 0, 1, 0x0D, 0x0A, 0x2D, 0xB4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xAE, 0x42, 0x60, 0x82,
];

/// A fresh idempotency key.
pub fn key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The id of the offering of `service` for somebody in `area`.
pub async fn offering(place: &Installation, service: &str, area: &str) -> String {
    let query = "query($code: String!, $area: String!) { publicService(code: $code) { offering(area: $area) { id } } }";
    let found = Person::nobody(place).query(query, json!({"code": service, "area": area})).await;
    found["data"]["publicService"]["offering"]["id"].as_str().expect("it is offered there").to_owned()
}

/// The caller's parties: themselves, then their companies.
pub async fn parties(person: &Person<'_>) -> Vec<String> {
    let viewer = person.ask("Viewer", json!({})).await;
    let parties = viewer["viewer"]["parties"].as_array().expect("somebody is logged in");
    parties.iter().map(|party| party["id"].as_str().expect("an id").to_owned()).collect()
}

/// Begins an application and gives the draft.
pub async fn start(person: &Person<'_>, offering: &str, party: &str) -> Value {
    let input = json!({"idempotencyKey": key(), "offeringId": offering, "partyId": party});
    let mut started = person.ask("StartApplication", json!({"input": input})).await;
    assert_eq!(started["startApplication"]["__typename"], "ApplicationStarted", "{started}");
    started["startApplication"]["application"].take()
}

/// Saves `answers` over those of the draft and gives the new revision.
pub async fn save(person: &Person<'_>, draft: &Value, answers: &Value) -> i64 {
    let mut all = draft["answers"].clone();
    let map = all.as_object_mut().expect("answers are an object");
    map.extend(answers.as_object().expect("answers are an object").clone());
    let input = json!({
        "idempotencyKey": key(), "applicationId": draft["id"], "revision": draft["revision"], "answers": all,
    });
    let saved = person.ask("SaveApplicationDraft", json!({"input": input})).await;
    assert_eq!(saved["saveApplicationDraft"]["__typename"], "DraftSaved", "{saved}");
    saved["saveApplicationDraft"]["application"]["revision"].as_i64().expect("a number")
}

/// Attaches the map.
pub async fn attach_map(person: &Person<'_>, application: &Value) {
    let input = json!({
        "idempotencyKey": key(), "applicationId": application, "evidenceCode": "map",
        "fileName": "แผนที่ร้าน.png", "mediaType": "image/png", "sizeBytes": MAP.len(),
    });
    let started = person.ask("StartEvidenceUpload", json!({"input": input})).await;
    let upload = &started["startEvidenceUpload"];
    assert_eq!(upload["__typename"], "EvidenceUploadStarted", "{upload}");
    let address = upload["upload"]["url"].as_str().expect("an address");
    assert!(person.upload(address, "image/png", MAP.to_vec()).await.is_success());
    let again = person.upload(address, "image/png", MAP.to_vec()).await;
    assert!(again.is_client_error() && again != StatusCode::UNAUTHORIZED, "a ticket is good once: {again}");
}

pub fn food_premises_answers() -> Value {
    json!({
        "shop_name": "ครัวคุณสมชาย", "food_kind": "cooked", "premises_address": "99/1 ถนนทดสอบ ตำบลสวนใหญ่",
        "floor_area_m2": 42.5, "seats": 20, "phone": "0812345678",
    })
}

/// Submits and gives the whole payload.
pub async fn submit(person: &Person<'_>, application: &Value, revision: i64, key: &str) -> Value {
    let input = json!({"idempotencyKey": key, "applicationId": application, "revision": revision});
    let mut submitted = person.ask("SubmitApplication", json!({"input": input})).await;
    submitted["submitApplication"].take()
}

/// A food-premises application of `person` in Nonthaburi, submitted; gives its id.
pub async fn submitted_food_premises(place: &Installation, person: &Person<'_>, party: &str) -> Value {
    let offering = offering(place, "LAO-01", "1201").await;
    let draft = start(person, &offering, party).await;
    let revision = save(person, &draft, &food_premises_answers()).await;
    attach_map(person, &draft["id"]).await;
    let submitted = submit(person, &draft["id"], revision, &key()).await;
    assert_eq!(submitted["__typename"], "ApplicationSubmitted", "{submitted}");
    draft["id"].clone()
}

/// An officer's move that must go through: `TakeApplication`, `ApproveApplication` and the like.
pub async fn decide(officer: &Person<'_>, operation: &str, application: &Value, more: Value) -> Value {
    let mut input = json!({"idempotencyKey": key(), "applicationId": application});
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let data = officer.ask(operation, json!({"input": input})).await;
    data.as_object().and_then(|data| data.values().next().cloned()).expect("one root field")
}

/// Waits until the application has a bill, and gives it.
pub async fn bill(person: &Person<'_>, application: &Value) -> Value {
    eventually("the bill", || async {
        let detail = person.ask("ApplicationDetail", json!({"id": application})).await;
        let bill = detail["application"]["bill"].clone();
        (!bill.is_null()).then_some(bill)
    })
    .await
}

/// Starts a payment and gives it once it can be paid.
pub async fn start_payment(person: &Person<'_>, bill: &Value, method: &str) -> Value {
    let input = json!({"idempotencyKey": key(), "billId": bill, "method": method});
    let mut started = person.ask("StartPayment", json!({"input": input})).await;
    assert_eq!(started["startPayment"]["__typename"], "PaymentStarted", "{started}");
    let payment = started["startPayment"]["payment"].take();
    assert_eq!(payment["status"], "PENDING", "{payment}");
    payment
}

/// Pays in the sandbox bank or wallet, as the payer's app would.
pub async fn pay(place: &Installation, payment: &Value, behave: &str) -> StatusCode {
    let page = match payment["qrPayload"].as_str() {
        Some(payload) => {
            let scan = format!("{}/sandbox/bank/scan", place.url);
            let scan = url::Url::parse_with_params(&scan, [("payload", payload)]).expect("a URL");
            let found = place.http.get(scan).send().await.expect("the bank answers");
            let location = found.headers()["location"].to_str().expect("an address").to_owned();
            url::Url::parse(&place.url).and_then(|base| base.join(&location)).expect("a URL").to_string()
        }
        None => payment["deepLink"].as_str().expect("a link").to_owned(),
    };
    let form = [("action", "pay"), ("behave", behave)];
    let form = if behave.is_empty() { &form[..1] } else { &form[..] };
    place.http.post(page).form(form).send().await.expect("the bank answers").status()
}

/// Waits until the bill stands at `status`, and gives it.
pub async fn bill_at(person: &Person<'_>, bill: &Value, status: &str) -> Value {
    eventually(&format!("a bill that is {status}"), || async {
        let detail = person.ask("BillDetail", json!({"id": bill})).await;
        let bill = detail["bill"].clone();
        (bill["status"] == status).then_some(bill)
    })
    .await
}

/// Waits until the application stands at `status`, and gives it.
pub async fn application_at(person: &Person<'_>, application: &Value, status: &str) -> Value {
    eventually(&format!("an application that is {status}"), || async {
        let detail = person.ask("ApplicationDetail", json!({"id": application})).await;
        let application = detail["application"].clone();
        (application["status"] == status).then_some(application)
    })
    .await
}
