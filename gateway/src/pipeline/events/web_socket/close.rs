//! Why we close a WebSocket.

use axum::extract::ws::{CloseFrame, Message};

/// A close frame has room for no more (RFC 6455 section 5.5).
const REASON_BYTES_MAX: usize = 123;

/// Why we close a connection: a code that clients act on, and a reason for people.
#[derive(Debug, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    pub reason: String,
}

impl Close {
    pub fn going_away() -> Self {
        Self::new(1001, "Going away")
    }

    /// Nothing came from the client for too long.
    pub fn silent() -> Self {
        Self::new(1001, "No pong came")
    }

    pub fn try_again_later() -> Self {
        Self::new(1013, "Too many subscriptions are open")
    }

    pub fn invalid(reason: &str) -> Self {
        Self::new(4400, reason)
    }

    /// An operation came before `connection_init`.
    pub fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    /// The token is not good, or no longer.
    pub fn forbidden() -> Self {
        Self::new(4403, "Forbidden")
    }

    pub fn subprotocol() -> Self {
        Self::new(4406, "Subprotocol not acceptable")
    }

    pub fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub fn duplicate(id: &str) -> Self {
        Self::new(4409, &format!("Subscriber for {id} already exists"))
    }

    pub fn second_init() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    fn new(code: u16, reason: &str) -> Self {
        Self { code, reason: reason[..reason.floor_char_boundary(REASON_BYTES_MAX)].to_owned() }
    }

    pub fn message(&self) -> Message {
        Message::Close(Some(CloseFrame { code: self.code, reason: self.reason.as_str().into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_into_a_close_frame_and_stays_text() {
        let close = Close::duplicate(&"ก".repeat(100));
        assert!(close.reason.len() <= REASON_BYTES_MAX && close.reason.ends_with('ก'));
    }
}
