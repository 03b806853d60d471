//! GraphQL over SSE, distinct connections: each answer is an event, and so is the end.

use axum::body::Bytes;
use federation::Response;

use super::Told;

/// A comment: it keeps the line open and means nothing.
const ALIVE: &[u8] = b":\n\n";
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

/// What is told, as text for the client. However it ended, the client reads that it is complete, and comes
/// back by itself with what it saw last.
pub fn frame(told: Told) -> Bytes {
    match told {
        Told::Alive => Bytes::from_static(ALIVE),
        Told::Next(answer) => next(&answer),
        Told::End(_) => Bytes::from_static(COMPLETE),
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
