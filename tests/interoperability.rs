//! Independent programs on the other end: clients and readers that other people wrote, run by Node.
//!
//! They are `interoperability/*.mjs`: each takes JSON on its standard input and prints what it saw.

mod bucket;
mod clients;
mod dpop;
mod parts;
mod providers;
pub mod socket;
mod sockets;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::filing::{bill, decide, key, parties, start_payment, submitted_food_premises};
use crate::installation::Installation;
use crate::person::{Person, document};

/// How long one program may take.
const PROGRAM_S_MAX: Duration = Duration::from_secs(60);
/// How long npm may take to fetch what they need, on a slow line.
const INSTALL_S_MAX: Duration = Duration::from_secs(300);
const NO_NODE: &str = "is not on PATH: `make test` installs Node.js and puts it there (see infra/node)";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interoperability")
}

/// Runs one of the programs and gives what it prints.
async fn run(program: &str, asked: &Value) -> Value {
    installed().await;
    let mut node = Command::new("node");
    node.arg(program).current_dir(folder()).kill_on_drop(true);
    node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = node.spawn().unwrap_or_else(|error| panic!("node {NO_NODE}: {error}"));
    // By its standard input: arguments would show tokens to the whole machine.
    let mut input = child.stdin.take().expect("it was asked for");
    // One that has died already says why on its standard error.
    let _ = input.write_all(asked.to_string().as_bytes()).await;
    drop(input);
    let output = tokio::time::timeout(PROGRAM_S_MAX, child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{program} did not end in {PROGRAM_S_MAX:?}"));
    let output = output.expect("its output can be read");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {}\n{errors}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{program}: {error}\n{errors}"))
}

/// Returns when what they need is there.
async fn installed() {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    INSTALLED.get_or_init(install).await;
}

/// Installs what the lock file lists, unless that has been done; one test process after the other.
async fn install() {
    let (lock_file, stamp) = (folder().join("package-lock.json"), folder().join("node_modules/.installed"));
    let guard = File::open(&lock_file).expect("the lock file is there");
    let locked = tokio::task::spawn_blocking(|| guard.lock().map(|()| guard)).await;
    let guard = locked.expect("locking does not panic").expect("the file system has locks");
    let wanted = std::fs::read(&lock_file).expect("the lock file can be read");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-progress"]).current_dir(folder()).kill_on_drop(true);
    let output = tokio::time::timeout(INSTALL_S_MAX, npm.output()).await;
    let output = output.unwrap_or_else(|_| panic!("npm ci did not end in {INSTALL_S_MAX:?}"));
    let output = output.unwrap_or_else(|error| panic!("npm {NO_NODE}: {error}"));
    assert!(output.status.success(), "npm ci failed: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::write(&stamp, wanted).expect("npm made the folder");
    drop(guard);
}

/// What graphql-sse sees of an application's events; `how` says when it asks what and leaves.
async fn watch(place: &Installation, person: &Person<'_>, variables: &Value, how: Value) -> Value {
    let mut asked = how;
    asked["url"] = format!("{}/graphql", place.url).into();
    asked["token"] = json!(person.token);
    asked["subscription"] = json!({"query": document("ApplicationEvents"), "variables": variables});
    run("events.mjs", &asked).await
}

fn kinds(seen: &Value) -> Vec<&str> {
    let events = seen["events"].as_array().expect("a list").iter();
    events.map(|event| event["data"]["applicationEvents"]["kind"].as_str().unwrap_or("an error")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_logs_in_refreshes_and_gives_back_its_tokens() {
    let place = Installation::start().await;
    let scope = "openid offline_access profile:read applications:read";
    let seen = run("login.mjs", &json!({"issuer": place.url, "persona": "somchai", "scope": scope})).await;

    assert_eq!(seen["issuers"], json!([place.url, place.url]), "{seen}");
    assert_eq!(seen["tokens"]["type"], "bearer", "{seen}");
    let granted: Vec<&str> = seen["tokens"]["scope"].as_str().unwrap().split(' ').collect();
    assert!(scope.split(' ').all(|wanted| granted.contains(&wanted)), "{seen}");
    let claims = &seen["claims"];
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(place.url), &json!("mobile-app")), "{seen}");
    assert!(claims["auth_time"].is_i64() && claims["acr"].is_string(), "{seen}");
    let viewer = &seen["viewer"]["data"]["viewer"];
    assert!(viewer["citizen"]["nameTh"].as_str().unwrap().contains("สมชาย"), "{seen}");

    // RFC 9207: an answer of another issuer, or of none, goes no further.
    assert_eq!(seen["foreignIssuer"], "OAUTH_INVALID_RESPONSE", "{seen}");
    assert_eq!(seen["noIssuer"], "OAUTH_INVALID_RESPONSE", "{seen}");
    assert_eq!(seen["wrongVerifier"], "invalid_grant", "{seen}");

    let refreshed = json!({"subject": claims["sub"], "newAccessToken": true, "newRefreshToken": true});
    assert_eq!(seen["refreshed"], refreshed, "{seen}");
    for token in ["reuse", "successorAfterReuse", "refreshAfterRevocation"] {
        assert_eq!(seen[token], "invalid_grant", "{token}: {seen}");
    }
    for token in ["accessAfterReuse", "accessAfterRevocation"] {
        assert_eq!(seen[token], "invalid_token", "{token}: {seen}");
    }
    assert_eq!(seen["samePerson"], true, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_sse_comes_back_after_a_break_and_misses_nothing() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;

    let variables = json!({"id": application, "after": 0});
    let watching = watch(&place, &somchai, &variables, json!({"enough": 3}));
    let work = decide(&officer, "TakeApplication", &application, json!({}));
    let (seen, _) = tokio::join!(watching, work);
    assert_eq!(kinds(&seen), ["STARTED", "SUBMITTED", "TAKEN"], "{seen}");
    let last = &seen["events"][2]["data"]["applicationEvents"]["sequence"];

    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let variables = json!({"id": application, "after": last});
    let seen = watch(&place, &somchai, &variables, json!({"enough": 3})).await;
    assert_eq!(kinds(&seen), ["APPROVED", "FEE_FELL_DUE", "BILL_ISSUED"], "{seen}");
    assert_eq!(seen["refused"], Value::Null, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_sse_asks_everything_over_one_transport_while_events_come() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let withdraw = json!({"input": {"idempotencyKey": key(), "applicationId": application}});
    let end = json!({"input": {"idempotencyKey": key()}});
    let steps = json!([
        {"after": 2, "ask": [
            {"query": document("Viewer")},
            {"query": document("WithdrawApplication"), "variables": withdraw},
        ]},
        {"after": 3, "ask": [{"query": document("EndSession"), "variables": end}]},
    ]);
    let variables = json!({"id": application, "after": 0});
    let seen = watch(&place, &somchai, &variables, json!({"steps": steps})).await;
    assert_eq!(kinds(&seen), ["STARTED", "SUBMITTED", "WITHDRAWN"], "{seen}");
    let answers = seen["answers"].as_array().unwrap();
    assert!(answers.iter().all(|results| results.as_array().unwrap().len() == 1), "{seen}");
    assert_eq!(answers[0][0]["data"]["viewer"]["parties"][0]["id"], me, "{seen}");
    let outcome = |at: usize, field: &str| answers[at][0]["data"][field]["__typename"].clone();
    assert_eq!(outcome(1, "withdrawApplication"), "ApplicationWithdrawn", "{seen}");
    assert_eq!(outcome(2, "endSession"), "SessionEnded", "{seen}");
    // The session's end is the stream's end, not a broken line: the client does not come back by itself.
    assert_eq!((&seen["completed"], &seen["refused"]), (&json!(true), &Value::Null), "{seen}");
    let again = watch(&place, &somchai, &variables, json!({"enough": 1})).await;
    assert_eq!((&again["refused"], &again["events"]), (&json!(401), &json!([])), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_sse_is_told_that_an_application_is_not_there_for_a_stranger() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let seen = watch(&place, &malee, &json!({"id": application, "after": 0}), json!({})).await;
    assert_eq!(seen["events"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(seen["events"][0]["errors"][0]["extensions"]["code"], "NOT_FOUND", "{seen}");
    assert_eq!((&seen["completed"], &seen["refused"]), (&json!(true), &Value::Null), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_sse_reads_what_is_wrong_with_a_document() {
    install().await;
    let place = Installation::start().await;
    for (query, code) in
        [("subscription { nonsense }", "GRAPHQL_VALIDATION_FAILED"), ("{", "GRAPHQL_PARSE_FAILED")]
    {
        let asked = json!({
            "url": format!("{}/graphql", place.url), "token": null, "subscription": { "query": query },
        });
        let seen = run("events.mjs", &asked).await;
        assert_eq!(seen["events"][0]["errors"][0]["extensions"]["code"], code, "{seen}");
        assert_eq!((&seen["completed"], &seen["refused"]), (&json!(true), &json!(null)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn qr_readers_of_others_read_our_bill_and_refuse_a_changed_character() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    let bill = bill(&somchai, &application).await;
    let payment = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    let amount = payment["amount"]["amount"].as_str().unwrap();

    let seen = run("qr.mjs", &json!({"payload": payment["qrPayload"]})).await;
    let books = place.bank_books().await;
    let read = &seen["promptparse"];
    assert_eq!(read["billerId"], "099400000010401", "{seen}");
    assert_eq!(read["ref1"], books["transactions"][0]["reference1"], "{seen}");
    assert_eq!(read["amount"].as_f64(), amount.parse().ok(), "{seen}");
    // One in 256 codes is beyond emvqr.
    if !seen["emvqr"].is_null() {
        let expected = json!({
            "billerId": read["billerId"], "ref1": read["ref1"], "amount": amount,
            "currency": "764 (THB)", "country": "TH (Thailand)",
        });
        assert_eq!(seen["emvqr"], expected, "{seen}");
    }
    assert_eq!(seen["onceOnly"], true, "{seen}");
    assert!(seen["changesTried"].as_u64().unwrap() > 80, "{seen}");
    assert_eq!(seen["changesAccepted"], json!([]), "{seen}");
}
