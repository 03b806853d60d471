//! A WebSocket client that says exactly what it is told to, and hears everything.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

use crate::installation::Installation;
use crate::person::{Person, document};

const PATIENCE: Duration = Duration::from_secs(20);

/// One line to the door.
pub struct Socket {
    line: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What comes over it.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Message(Value),
    /// The server closed, and said why.
    Closed(u16),
    /// The line broke.
    Nothing,
}

/// The request for a WebSocket, with the right subprotocol.
pub fn request(place: &Installation) -> Request {
    let address = format!("{}/graphql", place.url.replace("http", "ws"));
    let mut request = address.into_client_request().expect("an address");
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a word"));
    request
}

/// What subscribes to an application's events.
pub fn events(id: &str, application: &Value, after: u32) -> Value {
    let variables = json!({"id": application, "after": after});
    let query = document("ApplicationEvents");
    json!({"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}})
}

impl Socket {
    /// The status of the answer, when it is not a WebSocket.
    pub async fn open_with(request: Request) -> Result<Self, StatusCode> {
        match connect_async(request).await {
            Ok((line, _)) => Ok(Self { line }),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Over a line that is there already.
    pub async fn over(line: TcpStream, request: Request) -> Self {
        let (line, _) = client_async(request, MaybeTlsStream::Plain(line)).await.expect("a WebSocket");
        Self { line }
    }

    pub async fn open(place: &Installation) -> Self {
        Self::open_with(request(place)).await.expect("it becomes a WebSocket")
    }

    /// One on which `person` may ask.
    pub async fn of(place: &Installation, person: &Person<'_>) -> Self {
        let mut socket = Self::open(place).await;
        let payload = match &person.token {
            Some(token) => json!({"Authorization": format!("Bearer {token}")}),
            None => json!({}),
        };
        socket.say(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(socket.hear().await, Heard::Message(json!({"type": "connection_ack"})));
        socket
    }

    pub async fn say(&mut self, message: Value) {
        self.send(Message::Text(message.to_string().into())).await;
    }

    pub async fn send(&mut self, message: Message) {
        // A line that is closed already says so to who listens.
        let _ = self.line.send(message).await;
    }

    pub async fn hear(&mut self) -> Heard {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.line.next()).await.expect("something comes");
            return match message {
                Some(Ok(Message::Text(text))) => {
                    Heard::Message(serde_json::from_str(&text).expect("a message is JSON"))
                }
                Some(Ok(Message::Close(frame))) => {
                    Heard::Closed(frame.map_or(1005, |frame| frame.code.into()))
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Heard::Nothing,
            };
        }
    }

    /// The next message, which is to be of this type.
    pub async fn hear_of(&mut self, kind: &str) -> Value {
        match self.hear().await {
            Heard::Message(message) if message["type"] == kind => message,
            other => panic!("{other:?} is not {kind}"),
        }
    }

    /// Hears it out: the code it is closed with.
    pub async fn code(&mut self) -> Option<u16> {
        loop {
            match self.hear().await {
                Heard::Message(_) => {}
                Heard::Closed(code) => return Some(code),
                Heard::Nothing => return None,
            }
        }
    }
}
