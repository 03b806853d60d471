//! Clients that dribble, flood, or do not read: each costs itself its connection, and nobody else anything.

use std::time::{Duration, Instant};

use pratu::Config;
use pratu::config::Limits;
use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::filing::{parties, submitted_food_premises};
use crate::installation::{Installation, eventually};
use crate::interoperability::socket::{Socket, request};
use crate::person::{Person, document};

const PATIENCE: Duration = Duration::from_secs(20);
/// Asks for the most that a short question can be answered with.
const LONG: &str =
    "{ __schema { types { name description fields { name description args { name description } } } } }";
/// So many answers are longer than what two systems buffer between programs.
const UNREAD_ANSWERS: usize = 90;

async fn with(limits: Limits) -> Installation {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.limits = limits).await;
    place
}

async fn connect(place: &Installation) -> TcpStream {
    TcpStream::connect(place.url.trim_start_matches("http://")).await.unwrap()
}

/// A line whose own end buffers next to nothing.
async fn connect_narrow(place: &Installation) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(place.url.trim_start_matches("http://").parse().unwrap()).await.unwrap()
}

/// All that comes until the line ends, however it does.
async fn rest(line: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, line.read_to_end(&mut rest)).await;
    let _ = read.expect("the line ends");
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_dribbles_in_is_given_up() {
    let place = with(Limits { header_timeout_ms: 500, ..Limits::default() }).await;
    for head in ["", "POST", "POST /graphql HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut line = connect(&place).await;
        line.write_all(head.as_bytes()).await.unwrap();
        let begun = Instant::now();
        rest(&mut line).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{head:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_is_no_idle_connection() {
    let mut place = Installation::start().await;
    let (token, application) = {
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        let me = parties(&somchai).await.remove(0);
        let application = submitted_food_premises(&place, &somchai, &me).await;
        (somchai.token, application)
    };
    let change = |config: &mut Config| {
        config.limits.header_timeout_ms = 300;
        config.limits.keep_alive_ms = 200;
    };
    place.restart_with(change).await;
    let mut somchai = Person::nobody(&place);
    somchai.token = token;

    let mut socket = Socket::of(&place, &somchai).await;
    for _ in 0..5 {
        socket.hear_of("ping").await;
        socket.say(json!({"type": "pong"})).await;
    }
    let variables = json!({"id": application, "after": 1});
    let body = json!({"query": document("ApplicationEvents"), "variables": variables}).to_string();
    let (length, token) = (body.len(), somchai.token.as_deref().unwrap());
    let head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\ncontent-type: application/json";
    let mut line = connect(&place).await;
    let ask = format!("{head}\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}");
    line.write_all(ask.as_bytes()).await.unwrap();
    let (mut seen, mut bytes) = (String::new(), [0; 4_096]);
    while seen.matches(":\n\n").count() < 6 {
        let read = tokio::time::timeout(PATIENCE, line.read(&mut bytes)).await.expect("more comes").unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    assert!(seen.contains("SUBMITTED"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_too_long_or_none_are_refused() {
    let place = Installation::start().await;
    let long = "x".repeat(100_000);
    for (head, status) in [
        (format!("GET /graphql?query={long} HTTP/1.1\r\nhost: x\r\n\r\n"), ["414", "431"]),
        (format!("GET /graphql HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n"), ["431", "431"]),
        (format!("GET /graphql HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(1_000)), ["431", "431"]),
        ("\x16\x03\x01\x02\0\x01\0\x01\x7c\x03\x03 a TLS hello\r\n\r\n".to_owned(), ["400", "400"]),
        ("GET /graphql HTTP/9.9\r\n\r\n".to_owned(), ["400", "400"]),
    ] {
        let mut line = connect(&place).await;
        let _ = line.write_all(head.as_bytes()).await;
        let answer = rest(&mut line).await;
        let got = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status.contains(&got), "{}: {answer}", &head[..head.len().min(60)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_too_much_without_listening_still_reads_why() {
    let place = Installation::start().await;
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536));
    for (header, body) in [
        ("content-length: 10000000", " ".repeat(10_000_000)),
        ("transfer-encoding: chunked", chunk.repeat(160)),
    ] {
        let mut line = connect(&place).await;
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{header}\r\n\r\n"
        );
        line.write_all(head.as_bytes()).await.unwrap();
        line.write_all(body.as_bytes()).await.unwrap();
        line.shutdown().await.unwrap();
        let answer = rest(&mut line).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{header}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_loses_the_line_and_gives_back_the_seat() {
    let limits = Limits { write_timeout_ms: 500, subscriptions_max: 1, ..Limits::default() };
    let place = with(limits).await;
    let line = connect_narrow(&place).await;
    let mut socket = Socket::over(line, request(&place)).await;
    socket.say(json!({"type": "connection_init"})).await;
    for id in 0..UNREAD_ANSWERS {
        socket.say(json!({"id": id.to_string(), "type": "subscribe", "payload": {"query": LONG}})).await;
    }
    assert_eq!(Socket::open_with(request(&place)).await.err(), Some(StatusCode::SERVICE_UNAVAILABLE));
    eventually("the seat of who reads nothing", async || Socket::open_with(request(&place)).await.ok()).await;

    let mut line = connect_narrow(&place).await;
    let body = json!({ "query": LONG }).to_string();
    let length = body.len();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ";
    let ask = format!("{head}{length}\r\n\r\n{body}");
    let cut = async { while line.write_all(ask.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, cut).await.expect("the line is cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_for_no_connection_that_asks_nothing() {
    let mut place = Installation::start().await;
    let lines = [connect(&place).await, connect(&place).await];
    let mut used = connect(&place).await;
    used.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut status = [0; 12];
    used.read_exact(&mut status).await.unwrap();
    let mut half = connect(&place).await;
    half.write_all(b"GET /graphql HTTP/1.1\r\nhos").await.unwrap();
    let begun = Instant::now();
    place.restart().await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    drop((lines, used, half));
}
