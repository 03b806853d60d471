//! The clients that apps are built with ask over every transport, and auditors look at our HTTP.

use pratu::config::DocumentMode;
use serde_json::{Value, json};

use super::run;
use crate::filing::{parties, submitted_food_premises};
use crate::installation::Installation;
use crate::person::{Person, document};

/// Time enough for a busy machine, and short enough that a test sees several.
const KEEP_ALIVE_MS: u64 = 300;

async fn lively() -> Installation {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.limits.keep_alive_ms = KEEP_ALIVE_MS).await;
    place
}

fn documents(operations: &[&str]) -> Value {
    operations.iter().map(|operation| ((*operation).to_owned(), Value::from(document(operation)))).collect()
}

fn codes(errors: &Value) -> Vec<&str> {
    let errors = errors.as_array().into_iter().flatten();
    errors.map(|error| error["extensions"]["code"].as_str().unwrap_or("none")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_http_audits_us_and_is_content_with_everything() {
    let place = Installation::start().await;
    let audited = run("audits.mjs", &json!({"url": format!("{}/graphql", place.url)})).await;
    let audited = audited.as_array().unwrap();
    let failed: Vec<&Value> = audited.iter().filter(|audit| audit["status"] != "ok").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(audited.len(), 61);
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_ws_asks_everything_over_sockets_that_end_with_their_token() {
    let place = lively().await;
    let phone = Person::citizen(&place, "somchai", "thaid").await;
    let tablet = Person::citizen(&place, "somchai", "thaid").await;
    let stranger = Person::citizen(&place, "malee", "thaid").await;
    let me = parties(&phone).await.remove(0);
    let application = submitted_food_premises(&place, &phone, &me).await;
    let seen = run(
        "sockets.mjs",
        &json!({
            "url": place.url,
            "tokens": {"phone": phone.token, "tablet": tablet.token, "stranger": stranger.token},
            "application": application,
            "documents": documents(&["ApplicationEvents", "Viewer", "WithdrawApplication", "EndSession"]),
        }),
    )
    .await;

    let line = &seen["oneLine"];
    assert_eq!(line["kinds"], json!(["STARTED", "SUBMITTED", "WITHDRAWN"]), "{seen}");
    assert_eq!(line["query"]["results"][0]["data"]["viewer"]["parties"][0]["id"], me, "{seen}");
    let withdrawn = &line["mutation"]["results"][0]["data"]["withdrawApplication"]["__typename"];
    assert_eq!(withdrawn, "ApplicationWithdrawn", "{seen}");
    for single in ["query", "mutation"] {
        let results = line[single]["results"].as_array().unwrap().len();
        assert_eq!((results, &line[single]["completed"]), (1, &json!(true)), "{seen}");
    }
    assert_eq!(seen["afterBreak"], json!(["SUBMITTED", "WITHDRAWN"]), "{seen}");

    let stranger = &seen["stranger"];
    assert_eq!(codes(&stranger["results"][0]["errors"]), ["NOT_FOUND"], "{seen}");
    assert_eq!((&stranger["completed"], &stranger["wrong"]), (&json!(true), &Value::Null), "{seen}");
    let nobody = &seen["nobody"]["results"][0];
    assert_eq!(codes(&nobody["errors"]), ["UNAUTHORIZED_FIELD_OR_TYPE"], "{seen}");
    assert_eq!(seen["nobodyAsksWhatIsPublic"]["results"][0]["data"]["__typename"], "Query", "{seen}");
    let wrong: Vec<Vec<&str>> =
        seen["wrongDocuments"].as_array().unwrap().iter().map(|seen| codes(&seen["wrong"])).collect();
    let expected = ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT"];
    assert_eq!(wrong, expected.map(|code| vec![code]), "{seen}");

    let forbidden = json!({"code": 4403, "reason": "Forbidden"});
    assert_eq!(seen["badToken"], forbidden, "{seen}");
    assert_eq!(seen["tokenElsewhere"], json!([true, true]), "{seen}");
    let ended = json!({"said": "SessionEnded", "wrong": forbidden});
    assert_eq!((&seen["sessionEnd"], &seen["otherSessionLives"]), (&ended, &json!(true)), "{seen}");
    assert_eq!(seen["tokenEnd"], forbidden, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn apollo_client_asks_the_same_over_multipart_and_over_a_socket() {
    let place = lively().await;
    let (mut tokens, mut applications) = (json!({}), json!({}));
    let mut me = String::new();
    for way in ["multipart", "socket"] {
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        me = parties(&somchai).await.remove(0);
        applications[way] = submitted_food_premises(&place, &somchai, &me).await;
        tokens[way] = json!(somchai.token);
    }
    tokens["stranger"] = json!(Person::citizen(&place, "malee", "thaid").await.token);
    let seen = run(
        "apollo.mjs",
        &json!({
            "url": place.url, "tokens": tokens, "applications": applications,
            "documents": documents(&["ApplicationEvents", "Viewer", "WithdrawApplication", "EndSession"]),
        }),
    )
    .await;
    for way in ["multipart", "socket"] {
        let seen = &seen[way];
        assert_eq!(seen["query"]["data"]["viewer"]["parties"][0]["id"], me, "{way}: {seen}");
        let withdrawn = &seen["mutation"]["data"]["withdrawApplication"]["__typename"];
        assert_eq!(withdrawn, "ApplicationWithdrawn", "{way}: {seen}");
        assert_eq!(seen["watched"]["kinds"], json!(["STARTED", "SUBMITTED", "WITHDRAWN"]), "{way}: {seen}");
        let mistakes = &seen["mistakes"];
        for mistake in ["query", "subscription"] {
            let wrong = &mistakes[mistake]["wrong"];
            assert_eq!(wrong["name"], "CombinedGraphQLErrors", "{way}: {seen}");
            assert_eq!(wrong["codes"], json!(["GRAPHQL_VALIDATION_FAILED"]), "{way}: {seen}");
        }
        assert_eq!(mistakes["stranger"]["wrong"]["codes"], json!(["NOT_FOUND"]), "{way}: {seen}");
        assert_eq!(mistakes["stranger"]["completed"], true, "{way}: {seen}");
    }
    // The session's end is told as each protocol tells it.
    let parts = &seen["multipart"]["watched"]["wrong"];
    assert_eq!(parts["name"], "CombinedProtocolErrors", "{seen}");
    assert_eq!(parts["codes"], json!(["UNAUTHENTICATED"]), "{seen}");
    let socket = &seen["socket"]["watched"]["wrong"];
    assert_eq!(socket["message"], "Socket closed with event 4403 Forbidden", "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn apollo_s_persisted_queries_are_registered_once_and_then_asked_by_hash() {
    let mut place = Installation::start().await;
    let asked = json!({
        "url": place.url, "query": document("FindServices"), "variables": {"first": 2, "area": "1201"},
    });
    let seen = run("persisted.mjs", &asked).await;
    let request =
        |method: &str, text: bool, status: u16| json!({"method": method, "text": text, "status": status});
    let expected = json!([
        request("GET", false, 400),
        request("POST", true, 200),
        request("GET", false, 200),
        request("GET", false, 200)
    ]);
    assert_eq!(seen["requests"], expected, "{seen}");
    for answer in seen["answers"].as_array().unwrap() {
        assert_eq!(answer["data"]["publicServices"]["nodes"].as_array().map(Vec::len), Some(2), "{seen}");
    }

    // Where trusted documents are required the client's own text is none of them: it adds `__typename`.
    place.restart_with(|config| config.door.documents.mode = Some(DocumentMode::Require)).await;
    let seen = run("persisted.mjs", &asked).await;
    assert!(seen["answers"][0]["data"].is_null(), "{seen}");
    assert_eq!(seen["answers"][0]["wrong"], "Only documents that are known here are answered.", "{seen}");
}
