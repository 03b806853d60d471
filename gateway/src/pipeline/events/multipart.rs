//! Apollo's multipart protocol for subscriptions over HTTP: each answer is a part.
//!
//! A part ends where the next delimiter begins, and clients wait for that: so each part is sent with the
//! delimiter behind it.

use axum::body::Bytes;
use federation::GraphQLError;
use graphql::ErrorCode;

use super::{End, Told};

pub const CONTENT_TYPE: &str = r#"multipart/mixed;boundary="graphql";subscriptionSpec=1.0"#;
/// What comes before the first part.
pub const OPENING: &[u8] = b"--graphql";

/// What is told, as text for the client.
pub fn frame(told: Told) -> Bytes {
    match told {
        Told::Alive => part(b"{}"),
        // The engine's own last word: an error of the transport to this protocol.
        Told::Next(answer) if answer.data.is_none() && answer.errors.len() == 1 => {
            part(format!(r#"{{"payload":null,"errors":[{}]}}"#, answer.errors[0].to_value()).as_bytes())
        }
        Told::Next(answer) => part(&[b"{\"payload\":", &answer.to_json_bytes()[..], b"}"].concat()),
        Told::End(End::Complete) => Bytes::from_static(CLOSING),
        Told::End(End::Forbidden) => {
            let message = "The token or the session has ended.";
            broken_off(&GraphQLError::new(ErrorCode::Unauthenticated.as_str(), message))
        }
        Told::End(End::GoingAway) => {
            let message = "This server is going away; subscribe again.";
            let error = GraphQLError::new(ErrorCode::Unavailable.as_str(), message);
            broken_off(&error.with("retryable", true))
        }
    }
}

/// Behind the last delimiter it says that there are no more parts.
const CLOSING: &[u8] = b"--\r\n";

/// An error of the transport, and the end.
fn broken_off(error: &GraphQLError) -> Bytes {
    let payload = format!(r#"{{"payload":null,"errors":[{}]}}"#, error.to_value());
    Bytes::from([&part(payload.as_bytes())[..], CLOSING].concat())
}

fn part(json: &[u8]) -> Bytes {
    let head: &[u8] = b"\r\ncontent-type: application/json; charset=utf-8\r\n\r\n";
    Bytes::from([head, json, b"\r\n--graphql"].concat())
}
