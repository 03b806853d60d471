//! The messages of `graphql-transport-ws`.

use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes};
use axum::http::HeaderValue;
use federation::{GraphQLError, Response};
use serde_json::{Map, Value, json};

use super::close::Close;
use crate::pipeline::document::Asked;

/// Clients make ids of some 36 characters.
const ID_BYTES_MAX: usize = 256;

/// What a client says.
#[derive(Debug)]
pub enum Said {
    ConnectionInit { payload: Map<String, Value> },
    Ping { payload: Option<Value> },
    Pong,
    Subscribe { id: String, asked: Asked },
    Complete { id: String },
}

impl Said {
    /// Reads a message; what the protocol does not have closes the connection.
    pub fn read(text: &str) -> Result<Self, Close> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err(Close::invalid("The message is not a JSON object"));
        };
        let kind = message.remove("type");
        let payload = message.remove("payload").filter(|payload| !payload.is_null());
        if payload.as_ref().is_some_and(|payload| !payload.is_object()) {
            return Err(Close::invalid("`payload` must be an object"));
        }
        let id = message.remove("id");
        Ok(match kind.as_ref().and_then(Value::as_str) {
            Some("connection_init") => Self::ConnectionInit { payload: object(payload) },
            Some("ping") => Self::Ping { payload },
            Some("pong") => Self::Pong,
            Some("subscribe") => Self::Subscribe {
                id: checked(id)?,
                asked: Asked::of(object(payload)).map_err(|refusal| Close::invalid(refusal.message()))?,
            },
            Some("complete") => Self::Complete { id: checked(id)? },
            _ => return Err(Close::invalid("The message is of no known type")),
        })
    }
}

fn object(payload: Option<Value>) -> Map<String, Value> {
    match payload {
        Some(Value::Object(payload)) => payload,
        _ => Map::new(),
    }
}

fn checked(id: Option<Value>) -> Result<String, Close> {
    match id {
        Some(Value::String(id)) if (1..=ID_BYTES_MAX).contains(&id.len()) => Ok(id),
        _ => Err(Close::invalid("`id` must be a short string")),
    }
}

/// The token, or the proof of its key, that a `connection_init` brings as our clients and others send it;
/// `None` when there is none. Only these headers are taken: others may be a proxy's to set.
pub fn header(payload: &Map<String, Value>, name: &str) -> Result<Option<HeaderValue>, Close> {
    let named = |map: &Map<String, Value>, wanted: &str| {
        map.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone())
    };
    let headers = named(payload, "headers").unwrap_or_default();
    let within = headers.as_object().and_then(|headers| named(headers, name));
    match named(payload, name).or(within) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(none)) if none.is_empty() => Ok(None),
        Some(Value::String(value)) => match HeaderValue::try_from(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                Ok(Some(value))
            }
            Err(_) => Err(Close::forbidden()),
        },
        Some(_) => Err(Close::forbidden()),
    }
}

pub fn connection_ack() -> Message {
    Message::Text(Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#))
}

pub fn ping() -> Message {
    Message::Text(Utf8Bytes::from_static(r#"{"type":"ping"}"#))
}

pub fn pong(payload: Option<Value>) -> Message {
    let pong = match payload {
        Some(payload) => json!({"type": "pong", "payload": payload}),
        None => json!({"type": "pong"}),
    };
    Message::Text(pong.to_string().into())
}

pub fn next(id: &str, answer: &Response) -> Message {
    let head = format!(r#"{{"id":{},"type":"next","payload":"#, Value::from(id));
    let text = [head.as_bytes(), &answer.to_json_bytes()[..], b"}"].concat();
    // What the engine writes is JSON text.
    Utf8Bytes::try_from(Bytes::from(text)).map_or_else(|_| error(id, &[]), Message::Text)
}

pub fn error(id: &str, errors: &[GraphQLError]) -> Message {
    let errors: Vec<Value> = errors.iter().map(GraphQLError::to_value).collect();
    Message::Text(json!({"id": id, "type": "error", "payload": errors}).to_string().into())
}

pub fn complete(id: &str) -> Message {
    Message::Text(json!({"id": id, "type": "complete"}).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::given::Given;

    #[test]
    fn what_is_no_message_is_refused_with_a_reason() {
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(257));
        let deep = format!(r#"{{"type":"ping","payload":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"type":5}"#,
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"ping","payload":[]}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"complete","id":""}"#,
            r#"{"type":"complete","id":7}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            &long,
            &deep,
        ] {
            let close = Said::read(text).unwrap_err();
            assert!(close.code == 4400 && !close.reason.is_empty(), "{text}: {close:?}");
        }
        let said = Said::read(r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","extensions":null}}"#);
        assert!(
            matches!(said, Ok(Said::Subscribe { id, asked }) if id == "1" && asked.given == Given::Text("{a}".into()))
        );
    }

    #[test]
    fn the_token_is_found_where_clients_put_it() {
        let token = |payload: Value| header(payload.as_object().unwrap(), "authorization");
        for payload in [
            json!({"Authorization": "Bearer a"}),
            json!({"authorization": "Bearer a"}),
            json!({"headers": {"Authorization": "Bearer a"}}),
            json!({"authorization": "Bearer a", "headers": {"authorization": "Bearer b"}}),
        ] {
            assert_eq!(token(payload).unwrap().unwrap(), "Bearer a");
        }
        for payload in
            [json!({}), json!({"authorization": null}), json!({"Authorization": ""}), json!({"headers": 5})]
        {
            assert_eq!(token(payload), Ok(None));
        }
        for payload in [json!({"authorization": 5}), json!({"authorization": "Bearer \u{0}"})] {
            assert_eq!(token(payload).unwrap_err().code, 4403);
        }
    }
}
