//! The steps of the journey, with the documents of our own clients.

use std::fmt::Display;
use std::path::Path;
use std::time::{Duration, Instant};

use goose::goose::{GooseMethod, GooseRequest};
use goose::prelude::*;
use serde_json::{Value, json};

use crate::login::{self, Session, text};

/// How long a bill may take to settle.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks around: a search, a guide, one's own applications.
pub async fn browse(user: &mut GooseUser) -> TransactionResult {
    login::renew(user).await?;
    let find = json!({ "search": "หนังสือรับรองบริษัท", "area": "1201", "first": 10 });
    ask(user, "FindServices", find, "nodes").await?;
    ask(user, "ServiceGuide", json!({ "code": "DBD-03" }), "DBD-03").await?;
    ask(user, "MyApplications", json!({ "first": 20 }), "pageInfo").await?;
    Ok(())
}

/// Asks for a company certificate.
pub async fn file(user: &mut GooseUser) -> TransactionResult {
    let session = session(user)?;
    let input = json!({ "idempotencyKey": key(), "offeringId": session.offering, "partyId": session.party });
    let started = ask(user, "StartApplication", json!({ "input": input }), "ApplicationStarted").await?;
    let draft = &started["startApplication"]["application"];
    let mut answers = draft["answers"].as_object().cloned().unwrap_or_default();
    for (name, answer) in [("certified_company", "0105550000113"), ("language", "th"), ("purpose", "bank")] {
        answers.insert(name.to_owned(), json!(answer));
    }
    let input = json!({
        "idempotencyKey": key(), "applicationId": draft["id"], "revision": draft["revision"], "answers": answers,
    });
    let saved = ask(user, "SaveApplicationDraft", json!({ "input": input }), "DraftSaved").await?;
    let revision = &saved["saveApplicationDraft"]["application"]["revision"];
    let input = json!({ "idempotencyKey": key(), "applicationId": draft["id"], "revision": revision });
    ask(user, "SubmitApplication", json!({ "input": input }), "ApplicationSubmitted").await?;
    let application = text(&draft["id"])?;
    let session = user.get_session_data_mut::<Session>().ok_or_else(|| wrong("nobody is logged in"))?;
    session.application = application;
    Ok(())
}

/// Pays by QR in the sandbox's bank, and waits until the bill is settled.
pub async fn pay(user: &mut GooseUser) -> TransactionResult {
    let application = json!({ "id": session(user)?.application });
    let bill = until(user, "ApplicationDetail", &application, |data| {
        let bill = &data["application"]["bill"]["id"];
        (!bill.is_null()).then(|| bill.clone())
    })
    .await?;
    let input = json!({ "idempotencyKey": key(), "billId": bill, "method": "PROMPTPAY_QR" });
    let started = ask(user, "StartPayment", json!({ "input": input }), "PaymentStarted").await?;
    let payload = text(&started["startPayment"]["payment"]["qrPayload"])?;
    let scan = user.build_url("/sandbox/bank/scan")?;
    let scan = url::Url::parse_with_params(&scan, [("payload", payload)]).map_err(wrong)?;
    let found = user.client.get(scan.clone()).send().await.map_err(wrong)?;
    let page = found.headers().get("location").and_then(|page| page.to_str().ok());
    let page = scan.join(page.ok_or_else(|| wrong("the bank does not know the QR"))?).map_err(wrong)?;
    user.client.post(page).form(&[("action", "pay")]).send().await.map_err(wrong)?;
    until(user, "BillDetail", &json!({ "id": bill }), |data| {
        (data["bill"]["status"] == "SETTLED").then_some(Value::Null)
    })
    .await?;
    Ok(())
}

/// Looks where the application stands.
pub async fn track(user: &mut GooseUser) -> TransactionResult {
    let application = json!({ "id": session(user)?.application });
    ask(user, "ApplicationDetail", application, "receiptNumber").await?;
    ask(user, "MyBills", json!({ "first": 20 }), "pageInfo").await?;
    Ok(())
}

/// Sends a document of `graphql/operations`; an answer without `expected` somewhere is a failed request.
pub async fn ask(
    user: &mut GooseUser,
    operation: &str,
    variables: Value,
    expected: &str,
) -> Result<Value, Box<TransactionError>> {
    let body = json!({ "query": document(operation)?, "variables": variables });
    let mut builder = user.get_request_builder(&GooseMethod::Post, "/graphql")?.json(&body);
    if let Some(session) = user.get_session_data::<Session>().filter(|session| !session.token.is_empty()) {
        builder = builder.bearer_auth(&session.token);
    }
    let request = GooseRequest::builder().method(GooseMethod::Post).path("/graphql").name(operation);
    let mut answer = user.request(request.set_request_builder(builder).build()).await?;
    let said = answer.response.map_err(wrong)?.text().await.map_err(wrong)?;
    if said.contains("\"errors\":[") || !said.contains(expected) {
        let tag = format!("{operation} was answered otherwise");
        return match user.set_failure(&tag, &mut answer.request, None, Some(&said)) {
            Err(error) => Err(error),
            Ok(()) => Err(wrong(tag)),
        };
    }
    let mut said: Value = serde_json::from_str(&said).map_err(wrong)?;
    Ok(said["data"].take())
}

/// Asks again and again until the answer has what is waited for.
async fn until(
    user: &mut GooseUser,
    operation: &str,
    variables: &Value,
    found: impl Fn(&Value) -> Option<Value>,
) -> Result<Value, Box<TransactionError>> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let data = ask(user, operation, variables.clone(), "data").await?;
        if let Some(value) = found(&data) {
            return Ok(value);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(wrong(format!("{operation} never had what was waited for")))
}

fn session(user: &GooseUser) -> Result<Session, Box<TransactionError>> {
    user.get_session_data::<Session>().cloned().ok_or_else(|| wrong("nobody is logged in"))
}

fn document(operation: &str) -> Result<String, Box<TransactionError>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../graphql/operations");
    std::fs::read_to_string(folder.join(format!("{operation}.graphql"))).map_err(wrong)
}

fn key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// An error of our own.
pub fn wrong(what: impl Display) -> Box<TransactionError> {
    Box::new(TransactionError::Custom(what.to_string()))
}
