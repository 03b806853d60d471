//! What a client is told whose connection is one too many.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::connection::farewell;

/// How many are told at once; more are closed without a word.
const TOLD_MAX: usize = 256;
/// How long one of them may take to ask, and to be told.
const WAIT_MAX: Duration = Duration::from_millis(500);
const ANSWER: &str = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\n\
    content-type: application/json; charset=utf-8\r\ncontent-length: 135\r\n\r\n\
    {\"errors\":[{\"message\":\"Too many connections are open; try again a little later.\",\
    \"extensions\":{\"code\":\"OVERLOADED\",\"retryable\":true}}]}";

/// Turns clients away.
pub struct Full {
    told: Arc<Semaphore>,
}

impl Full {
    pub fn new() -> Self {
        Self { told: Arc::new(Semaphore::new(TOLD_MAX)) }
    }

    /// Says why, and closes; nothing of it is waited for.
    pub fn turn_away(&self, mut stream: TcpStream) {
        metrics::counter!("connections_refused_total").increment(1);
        let Ok(turn) = Arc::clone(&self.told).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _turn = turn;
            // A client that is answered before it has asked takes that for nonsense.
            let _ = tokio::time::timeout(WAIT_MAX, stream.readable()).await;
            let written = tokio::time::timeout(WAIT_MAX, stream.write_all(ANSWER.as_bytes())).await;
            if matches!(written, Ok(Ok(()))) {
                farewell(stream).await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
