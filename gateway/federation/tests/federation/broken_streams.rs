//! Subscriptions whose events break: a last event says so, and the stream ends.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Map, Value, json};

use super::connections::{Then, head, serve_bytes};
use super::failures::{unavailable, with};
use super::world::{context, remote};

const QUERY: &str = "subscription { made { upc price } }";
const GOOD: &str = r#"{"data":{"made":{"upc":"p1","price":10}}}"#;

fn good() -> Value {
    json!({"data": {"made": {"upc": "p1", "price": 10}}})
}

fn broken() -> Value {
    json!({"errors": [unavailable(json!(["made"]))], "data": null})
}

/// All events of a stream that the subgraph sends as these bytes and then ends.
async fn events(kind: &str, text: &str) -> Vec<Value> {
    events_of(head(kind, "") + text).await
}

async fn events_of(bytes: impl Into<Vec<u8>>) -> Vec<Value> {
    let begun = Instant::now();
    let world = with("products", remote(serve_bytes(bytes, Then::Closes).await));
    let prepared = world.prepare(QUERY, Map::new(), &Default::default()).unwrap();
    let events = match world.engine.subscribe(prepared, context()).await {
        Ok(events) => events.map(|event| event.to_value()).collect().await,
        Err(errors) => vec![federation::Response::from_errors(errors).to_value()],
    };
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    events
}

async fn sse(text: &str) -> Vec<Value> {
    events("text/event-stream", text).await
}

async fn multipart(text: &str) -> Vec<Value> {
    events("multipart/mixed;boundary=graphql;subscriptionSpec=1.0", text).await
}

fn part(event: &str) -> String {
    format!("\r\n--graphql\r\nContent-Type: application/json\r\n\r\n{event}")
}

#[tokio::test]
async fn an_event_that_is_nonsense_ends_the_stream_with_a_word() {
    for nonsense in [
        "x",
        "[]",
        "7",
        "null",
        "{\"data\":7}",
        "{\"errors\":{}}",
        "{\"data\":{}",
        "{\"payload\":7}",
        "{\"payload\":{\"data\":[]}}",
        "{\"data\":{\"made\":NaN}}",
        "{\"data\":null}",
    ] {
        let stream = format!("data: {GOOD}\n\ndata: {nonsense}\n\ndata: {GOOD}\n\n");
        let events = sse(&stream).await;
        assert_eq!(events[..2], [good(), broken()], "{nonsense}");
        // Data that is null without a word is an event like any other.
        assert!(events.len() == 2 || nonsense == "{\"data\":null}", "{nonsense} {events:?}");
    }
    for nonsense in ["{\"data\":7}", "{x}", "{\"payload\":{\"data\":true}}", "{\"data\":{\"made\":1e999}}"] {
        let stream = part(GOOD) + &part(nonsense) + &part(GOOD) + "\r\n--graphql--\r\n";
        assert_eq!(multipart(&stream).await, [good(), broken()], "{nonsense}");
    }
}

#[tokio::test]
async fn a_wrong_value_costs_its_event_and_the_next_is_whole() {
    let wrong = r#"{"data":{"made":{"upc":[],"price":"10"}}}"#;
    let events = sse(&format!("data: {wrong}\n\nevent: next\ndata: {GOOD}\n\nevent: complete\n\n")).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["data"], Value::Null);
    assert_eq!(events[0]["errors"][0]["path"], json!(["made", "upc"]));
    assert_eq!(events[1], good());
}

#[tokio::test]
async fn a_stream_that_breaks_within_an_event_says_so() {
    let chunked = |kind: &str, text: &str| {
        let head = head(kind, "transfer-encoding: chunked\r\n");
        format!("{head}{:x}\r\n{text}\r\n", text.len())
    };
    let half = format!("data: {GOOD}\n\ndata: {{\"data\":");
    let half_part = part(GOOD) + &part("{\"data\":{");
    // The connection ends as if all were said.
    assert_eq!(sse(&half).await, [good(), broken()]);
    assert_eq!(multipart(&half_part).await, [good(), broken()]);
    // It ends without the mark of its end, be it within an event or between two.
    assert_eq!(events_of(chunked("text/event-stream", &half)).await, [good(), broken()]);
    assert_eq!(events_of(chunked("multipart/mixed", &half_part)).await, [good(), broken()]);
    assert_eq!(events_of(chunked("text/event-stream", &half[..GOOD.len() + 8])).await, [good(), broken()]);
}

#[tokio::test]
async fn a_stream_that_ends_between_events_is_over() {
    for end in ["", "\n", ": bye", "event: complete", "event: complete\ndata:", "retry: 1\nid: 7\n\n"] {
        assert_eq!(sse(&format!("data: {GOOD}\n\n{end}")).await, [good()], "{end}");
    }
    for end in ["", "\r\n--graphql--\r\n", "\r\n--graphql\r\nContent-Type: appl", "} \" ]"] {
        assert_eq!(multipart(&(part(GOOD) + end)).await, [good()], "{end}");
    }
}

#[tokio::test]
async fn noise_between_events_is_no_event() {
    let noise = ": ping\n\nretry: 10\n\nid: 1\n\n\n\n\r\n\r\ndata: {}\n\nevent: ping\n\nnonsense\n\n:\n\n";
    assert_eq!(sse(&format!("{noise}data: {GOOD}\n\n{noise}")).await, [good()]);
    let noise = "preamble \" [ ] } \\ \r\n".to_owned() + &part("{}") + &part("{\"payload\":null}");
    assert_eq!(multipart(&format!("{noise}{}{noise}", part(GOOD))).await, [good()]);
}

#[tokio::test]
async fn a_flood_of_empty_events_is_passed_in_moderate_time() {
    let flood = "\n\n".repeat(1_000_000);
    assert_eq!(sse(&format!("{flood}data: {GOOD}\n\n")).await, [good()]);
    let flood = "{}".repeat(500_000);
    assert_eq!(multipart(&format!("{flood}{}", part(GOOD))).await, [good()]);
}

#[tokio::test]
async fn an_event_without_end_is_cut_off_by_its_length() {
    let long = " ".repeat(33 * 1024 * 1024);
    assert_eq!(sse(&format!("data: {GOOD}\n\ndata: {long}\n\n")).await, [good(), broken()]);
    assert_eq!(
        multipart(&format!("{}{}", part(GOOD), part(&format!("{{{long}}}")))).await,
        [good(), broken()]
    );
}

#[tokio::test]
async fn a_subgraph_that_refuses_a_subscription_is_heard() {
    let refusal = r#"{"errors":[{"message":"No.","extensions":{"code":"FORBIDDEN"}}]}"#;
    let events = events("application/json", refusal).await;
    assert_eq!(
        events,
        [json!({
            "errors": [{"message": "No.", "extensions": {"code": "FORBIDDEN"}}], "data": null,
        })]
    );
    for (kind, nonsense) in [("text/html", "<html>"), ("application/json", "{\"data\":[]}"), ("x", "")] {
        let events = self::events(kind, nonsense).await;
        assert_eq!(events.len(), 1, "{nonsense}");
        assert_eq!(events[0]["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{nonsense}");
    }
}

#[tokio::test]
async fn a_subscription_nobody_answers_is_given_up_in_time() {
    for bytes in ["", "HTTP/1.1 200 OK\r\ncontent-type: text/ev", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let world = with("products", remote(serve_bytes(bytes, Then::Waits).await));
        let prepared = world.prepare(QUERY, Map::new(), &Default::default()).unwrap();
        let begun = Instant::now();
        let errors = world.engine.subscribe(prepared, context()).await.err().unwrap();
        assert_eq!(errors[0].code, "UNAVAILABLE");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn silence_after_the_first_event_holds_nobody_up() {
    let bytes = head("text/event-stream", "") + "data: " + GOOD + "\n\ndata: {";
    let world = with("products", remote(serve_bytes(bytes, Then::Waits).await));
    let prepared = world.prepare(QUERY, Map::new(), &Default::default()).unwrap();
    let mut events = world.engine.subscribe(prepared, context()).await.unwrap();
    assert_eq!(events.next().await.unwrap().to_value(), good());
    // Events come when they come; until then there is nothing, and whoever listens may leave.
    assert!(futures::FutureExt::now_or_never(events.next()).is_none());
}

#[tokio::test]
async fn an_event_is_whole_when_those_who_complete_it_are_not() {
    let world = with("reviews", remote("http://127.0.0.1:1/".to_owned()));
    let query = "subscription { made(count: 1) { upc shipping } }";
    let prepared = world.prepare(query, Map::new(), &Default::default()).unwrap();
    let events: Vec<_> = world.engine.subscribe(prepared, context()).await.unwrap().collect().await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0].to_value(),
        json!({
            "errors": [unavailable(json!(["made", "shipping"]))],
            "data": {"made": {"upc": "p1", "shipping": null}},
        })
    );
}
