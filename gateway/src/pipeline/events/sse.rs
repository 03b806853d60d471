//! GraphQL over SSE, distinct connections: each answer is an event, and so is the end.

use axum::body::Bytes;
use federation::Response;

use super::{End, Told};

/// A comment: it keeps the line open and means nothing.
const ALIVE: &[u8] = b":\n\n";
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";
/// The last of a stream that is not complete.
const GOING_AWAY: &[u8] = b": going away\n\n";

/// What is told, as text for the client. When this process drains there is more to tell: the stream ends
/// without `complete`, which clients take for a broken line, so that they subscribe again by themselves.
pub fn frame(told: Told) -> Bytes {
    match told {
        Told::Alive => Bytes::from_static(ALIVE),
        Told::Next(answer) => next(&answer),
        Told::End(End::Complete | End::Forbidden) => Bytes::from_static(COMPLETE),
        Told::End(End::GoingAway) => Bytes::from_static(GOING_AWAY),
    }
}

/// A whole answer as an event stream: for clients that ask everything over one transport.
pub fn whole(answer: &Response) -> Bytes {
    Bytes::from([&next(answer)[..], COMPLETE].concat())
}

fn next(answer: &Response) -> Bytes {
    // JSON text has no raw line breaks, so the answer is one `data` line.
    Bytes::from([b"event: next\ndata: ", &answer.to_json_bytes()[..], b"\n\n"].concat())
}
