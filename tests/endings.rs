//! What ends, ends: a session over a restart, a subscription with its token, the process in bounded time.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::filing::{key, parties, submitted_food_premises};
use crate::installation::Installation;
use crate::person::{Person, document};

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_stays_ended_over_a_restart_and_others_go_on() {
    let mut places = vec![Installation::start().await];
    places.extend(Installation::start_on_postgres().await);
    for mut place in places {
        let (ended, live) = {
            let malee = Person::citizen(&place, "malee", "thaid").await;
            let somchai = Person::citizen(&place, "somchai", "thaid").await;
            let answer = malee.ask("EndSession", json!({"input": {"idempotencyKey": key()}})).await;
            assert_eq!(answer["endSession"]["__typename"], "SessionEnded");
            (malee.token.clone(), somchai.token.clone())
        };
        place.restart().await;
        let mut caller = Person::nobody(&place);
        caller.token = ended;
        assert_eq!(code(&caller.send("Viewer", json!({})).await), "UNAUTHENTICATED");
        caller.token = live;
        assert!(caller.ask("Viewer", json!({})).await["viewer"].is_object());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_completes_when_its_token_expires_and_when_its_session_ends() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let variables = json!({"id": application, "after": 0});
    let watch = somchai.events("ApplicationEvents", variables.clone(), |_| false);
    let end = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        somchai.ask("EndSession", json!({"input": {"idempotencyKey": key()}})).await
    };
    let (seen, _) = tokio::join!(watch, end);
    assert_eq!(seen.len(), 2, "it told what there was, then completed: {seen:#?}");

    let again = Person::citizen(&place, "somchai", "thaid").await;
    let watch = again.events("ApplicationEvents", variables, |_| false);
    let expire = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        place.pass(400).await;
    };
    let (seen, ()) = tokio::join!(watch, expire);
    assert_eq!(seen.len(), 2, "{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_event_streams_may_take_other_forms_too() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let request = json!({
        "query": document("ApplicationEvents"), "variables": {"id": application, "after": 0},
    });
    // As urql and others send it with every operation.
    let accept = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
    let post = place.http.post(format!("{}/graphql", place.url)).json(&request).header("accept", accept);
    let token = somchai.token.as_deref().unwrap_or_default();
    let answer = post.header(AUTHORIZATION, format!("Bearer {token}")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_for_no_client_that_sends_half_or_reads_nothing() {
    let data = tempfile::TempDir::new().unwrap();
    let limits = pratu::config::Limits { drain_ms: 1_000, ..Default::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = pratu::Config { listen, data: data.path().to_owned(), limits, ..Default::default() };
    let server = pratu::Server::start(config).await.unwrap();
    let mut open = Vec::new();
    for path in ["/graphql", "/oauth/token", "/uploads/x"] {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        open.push(client);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    tokio::time::timeout(Duration::from_secs(15), server.stop()).await.expect("it stops");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_comes_whole_is_given_up() {
    let data = tempfile::TempDir::new().unwrap();
    let limits = pratu::config::Limits { request_timeout_ms: 300, ..Default::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = pratu::Config { listen, data: data.path().to_owned(), limits, ..Default::default() };
    let server = pratu::Server::start(config).await.unwrap();
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let half =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    client.write_all(half.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    let read = tokio::time::timeout(Duration::from_secs(5), client.read_exact(&mut answer)).await;
    read.expect("an answer comes").unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 408");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_take_a_bad_token_for_nobody_and_a_ticket_is_enough() {
    let place = Installation::start().await;
    let bad = |request: reqwest::RequestBuilder| request.header(AUTHORIZATION, "Bearer nonsense").send();
    let ticket = bad(place.http.put(format!("{}/uploads/unknown", place.url))).await.unwrap();
    assert_eq!(ticket.status(), StatusCode::NOT_FOUND, "an upload asks for its ticket, not for a token");
    let evidence = bad(place.http.get(format!("{}/evidence/unknown", place.url))).await.unwrap();
    assert_eq!(evidence.status(), StatusCode::UNAUTHORIZED);
    assert!(evidence.headers().contains_key(WWW_AUTHENTICATE), "RFC 9110 section 15.5.2");
}
