//! WebSocket frames and messages that there are not.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::installation::Installation;
use crate::interoperability::socket::{Heard, Socket, request};
use crate::person::Person;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_of_the_protocol_closes_the_socket() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    let nested =
        format!(r#"{{"type":"ping","payload":{{"a":{}{}}}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let subscribe = |payload: Value| json!({"id": "1", "type": "subscribe", "payload": payload}).to_string();
    for message in [
        Message::Text("".into()),
        Message::Text("hello".into()),
        Message::Text("[]".into()),
        Message::Text(r#"{"type":"connection_ack"}"#.into()),
        Message::Text(r#"{"type":"start","id":"1","payload":{"query":"{ __typename }"}}"#.into()),
        Message::Text(r#"{"type":"subscribe","payload":{"query":"{ __typename }"}}"#.into()),
        Message::Text(subscribe(json!({})).into()),
        Message::Text(subscribe(json!([{"query": "{ __typename }"}])).into()),
        Message::Text(subscribe(json!({"query": "{ __typename }", "variables": 5})).into()),
        Message::Text(nested.into()),
        Message::Binary(r#"{"type":"ping"}"#.into()),
        Message::Text(format!(r#"{{"type":"ping","payload":{{"a":"{}"}}}}"#, "x".repeat(2_000_000)).into()),
    ] {
        let shown = message.to_string().chars().take(60).collect::<String>();
        let mut socket = Socket::of(&place, &nobody).await;
        socket.send(message).await;
        assert_eq!(socket.code().await, Some(4400), "{shown}");
    }
    // Nor is a token that cannot be one.
    for payload in [json!({"authorization": 5}), json!({"headers": {"Authorization": "Basic eA=="}})] {
        let mut socket = Socket::open(&place).await;
        socket.say(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(socket.code().await, Some(4403), "{payload}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_become_a_web_socket_are_refused() {
    let place = Installation::start().await;
    for (header, value, status) in [
        ("sec-websocket-version", "8", StatusCode::BAD_REQUEST),
        ("connection", "close", StatusCode::BAD_REQUEST),
        ("authorization", "Bearer nonsense", StatusCode::UNAUTHORIZED),
    ] {
        let get = place.http.get(format!("{}/graphql", place.url));
        let get = get.header("connection", "upgrade").header("upgrade", "websocket");
        let get =
            get.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").header("sec-websocket-version", "13");
        let mut request = get.build().unwrap();
        request.headers_mut().insert(header, value.parse().unwrap());
        let answer = place.http.execute(request).await.unwrap();
        assert_eq!(answer.status(), status, "{header}: {value}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{answer}");
    }
}

/// A line on which bytes can be sent that no library would send.
async fn raw(place: &Installation) -> TcpStream {
    let mut line = TcpStream::connect(place.url.trim_start_matches("http://")).await.unwrap();
    let head = "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\
                sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    line.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(line.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_cannot_be_close_the_socket_and_nothing_else() {
    let place = Installation::start().await;
    for (name, frame) in [
        ("not masked", b"\x81\x02hi".as_slice()),
        ("a reserved kind", b"\x83\x80\0\0\0\0"),
        ("a reserved bit", b"\xc1\x80\0\0\0\0"),
        ("half a ping", b"\x09\x80\0\0\0\0"),
        ("a ping that is too long", &[b"\x89\xfe\x00\x7e".as_slice(), &[0; 130]].concat()),
        ("nothing to go on from", b"\x80\x80\0\0\0\0"),
        ("no text", b"\x81\x82\0\0\0\0\xff\xfe"),
        ("a length of exabytes", b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
    ] {
        let mut line = raw(&place).await;
        line.write_all(frame).await.unwrap();
        let mut rest = Vec::new();
        let read =
            tokio::time::timeout(std::time::Duration::from_secs(10), line.read_to_end(&mut rest)).await;
        read.unwrap_or_else(|_| panic!("{name}: the line stays open")).unwrap();
        // A close frame: its length, the code, the reason.
        assert!(
            rest.starts_with(b"\x88") && rest[2..].starts_with(&4400_u16.to_be_bytes()),
            "{name}: {rest:?}"
        );
    }
    let mut socket = Socket::open_with(request(&place)).await.unwrap();
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await, Heard::Message(json!({"type": "pong"})));
}
