//! What Apollo's multipart protocol asks of a server, byte by byte; and which answers are compressed.

use std::time::Duration;

use futures::StreamExt;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::filing::{key, parties, submitted_food_premises};
use crate::installation::Installation;
use crate::person::{Person, document};

const APOLLO: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json";

async fn post(person: &Person<'_>, place: &Installation, accept: &str, body: Value) -> Response {
    let post = place.http.post(format!("{}/graphql", place.url)).header("accept", accept).json(&body);
    let post = match &person.token {
        Some(token) => post.bearer_auth(token),
        None => post,
    };
    post.send().await.unwrap()
}

/// The text of a stream, up to where `enough` is content.
async fn read(response: Response, enough: impl Fn(&str) -> bool) -> String {
    let (mut text, mut stream) = (String::new(), response.bytes_stream());
    while !enough(&text) {
        let bytes = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
        let Some(bytes) = bytes.unwrap_or_else(|_| panic!("no more came after {text}")) else { break };
        text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
    }
    text
}

/// The JSON of each part, after checking what stands between them.
fn json_of_parts(text: &str) -> Vec<Value> {
    let mut parts = text.split("\r\n--graphql");
    let first = parts.next().unwrap().strip_prefix("--graphql").unwrap();
    let parts = [first].into_iter().chain(parts).filter(|part| !part.is_empty() && *part != "--\r\n");
    let body = |part: &str| {
        let (head, body) = part.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{part:?} is no part"));
        assert_eq!(head, "\r\ncontent-type: application/json; charset=utf-8");
        serde_json::from_str(body).unwrap()
    };
    parts.map(body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_a_whole_part_as_soon_as_it_comes_and_silence_has_heartbeats() {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.limits.keep_alive_ms = 300).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let asked = json!({"query": document("ApplicationEvents"), "variables": {"id": application, "after": 0}});

    let response = post(&somchai, &place, APOLLO, asked.clone()).await;
    let content_type = response.headers()["content-type"].to_str().unwrap();
    assert_eq!(content_type, r#"multipart/mixed;boundary="graphql";subscriptionSpec=1.0"#);
    let seen = read(response, |text| text.matches("{}").count() >= 3).await;
    // The delimiter stands behind the last part: a client need not wait for the next to read it.
    assert!(seen.ends_with("\r\n--graphql"), "{seen}");
    let parts = json_of_parts(&seen);
    let kinds: Vec<&Value> =
        parts.iter().map(|part| &part["payload"]["data"]["applicationEvents"]["kind"]).collect();
    assert_eq!(kinds, [&json!(null), &json!("STARTED"), &json!("SUBMITTED"), &json!(null), &json!(null)]);
    assert_eq!(parts[4], json!({}));

    let watching = post(&somchai, &place, APOLLO, asked.clone()).await;
    let input = json!({"input": {"idempotencyKey": key()}});
    somchai.ask("EndSession", input).await;
    let seen = read(watching, |_| false).await;
    assert!(seen.ends_with("\r\n--graphql--\r\n"), "{seen}");
    let parts = json_of_parts(&seen);
    let last = parts.last().unwrap();
    assert_eq!(last["payload"], Value::Null, "{last}");
    assert_eq!(last["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_stream_of_events_has_one_answer() {
    let place = Installation::start().await;
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let nobody = Person::nobody(&place);
    let newer = format!("{APOLLO};q=0.9,application/graphql-response+json");
    for (accept, query, status, code) in [
        (APOLLO, "subscription { nonsense }", StatusCode::OK, "GRAPHQL_VALIDATION_FAILED"),
        (&newer, "subscription { nonsense }", StatusCode::BAD_REQUEST, "GRAPHQL_VALIDATION_FAILED"),
        (APOLLO, "{", StatusCode::OK, "GRAPHQL_PARSE_FAILED"),
    ] {
        let answer = post(&nobody, &place, accept, json!({"query": query})).await;
        assert_eq!(answer.status(), status, "{accept}: {query}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
    }
    let answer = post(&nobody, &place, APOLLO, json!({"query": "{ __typename }"})).await;
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"data": {"__typename": "Query"}}));

    // A subscription that ends by itself: what it says, and the end.
    let query = document("ApplicationEvents");
    let asked = json!({"query": query, "variables": {"id": "app_unknown", "after": 0}});
    let seen = read(post(&malee, &place, APOLLO, asked.clone()).await, |_| false).await;
    assert!(seen.ends_with("\r\n--graphql--\r\n"), "{seen}");
    let parts = json_of_parts(&seen);
    assert_eq!(parts[1]["payload"]["errors"][0]["extensions"]["code"], "NOT_FOUND", "{seen}");

    // One that the client cannot take in any form is told in the form it can take.
    let answer = post(&malee, &place, "application/json", asked).await;
    assert_eq!(answer.status(), StatusCode::NOT_ACCEPTABLE);
    assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_compressed_and_streams_never() {
    let place = Installation::start().await;
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let long = json!({"query": "{ __schema { types { name description fields { name description } } } }"});
    let events = json!({
        "query": document("ApplicationEvents"), "variables": {"id": "app_unknown", "after": 0},
    });
    for (accept, body, encoding) in [
        ("application/json", long, Some("gzip")),
        ("application/json", json!({"query": "{ __typename }"}), None),
        ("text/event-stream", events.clone(), None),
        (APOLLO, events, None),
    ] {
        let post =
            place.http.post(format!("{}/graphql", place.url)).bearer_auth(malee.token.as_ref().unwrap());
        let post = post.header("accept", accept).header("accept-encoding", "gzip, br").json(&body);
        let answer = post.send().await.unwrap();
        let got = answer.headers().get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(got, encoding, "{accept}: {body}");
    }
}
