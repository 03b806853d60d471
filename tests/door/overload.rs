//! More than can be done is refused at once, and clearly: operations, and connections.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::asking;
use crate::installation::{Installation, eventually};
use crate::interoperability::socket::{Heard, Socket};
use crate::person::Person;

/// Who is not refused by then is let in.
const PATIENCE: Duration = Duration::from_secs(2);

async fn connected(place: &Installation) -> TcpStream {
    TcpStream::connect(place.url.trim_start_matches("http://")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_is_told_so_and_closed_and_the_others_live() {
    const CONNECTIONS_MAX: usize = 4;
    let mut place = Installation::start().await;
    place.restart_with(|config| config.door.overload.connections_max = CONNECTIONS_MAX).await;
    let mut open = Vec::new();
    let mut told = String::new();
    // The first to be refused is the one behind those that fill the house.
    while told.is_empty() {
        let mut line = connected(&place).await;
        let said = tokio::time::timeout(PATIENCE, line.read_to_string(&mut told)).await;
        if said.is_err() {
            open.push(line);
        }
        assert!(open.len() <= CONNECTIONS_MAX, "{}", open.len());
    }
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("\r\nretry-after: "), "{told}");
    let body: Value = serde_json::from_str(told.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "OVERLOADED");
    drop(open);
    let query = json!({"query": "{ __typename }"});
    eventually("room again", async || {
        let answered = asking(&place, &query).send().await;
        answered.is_ok_and(|answer| answer.status() == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_never_ends_is_given_up_whatever_comes_between_its_parts() {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.limits.keep_alive_ms = 100).await;
    let mut socket = Socket::of(&place, &Person::nobody(&place)).await;
    let begun = Frame::message(r#"{"type":"#.to_owned(), OpCode::Data(Data::Text), false);
    socket.send(Message::Frame(begun)).await;
    for _ in 0..20 {
        socket.send(Message::Pong(Vec::<u8>::new().into())).await;
        match socket.hear().await {
            Heard::Message(ping) => assert_eq!(ping["type"], "ping"),
            closed => return assert_eq!(closed, Heard::Closed(1001)),
        }
    }
    panic!("it is waited for");
}
