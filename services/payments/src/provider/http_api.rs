//! Asking a provider over HTTP: one timeout, one limit, errors told apart by whether it can have happened.

use std::time::Duration;

use chassis::Secret;
use chrono::{DateTime, Utc};
use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::ProviderError;

/// The largest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// A token is renewed this long before it ends, in seconds.
const TOKEN_MARGIN_S: i64 = 60;

/// Sends a request and reads the whole answer within `timeout`.
pub async fn ask(request: RequestBuilder, timeout: Duration) -> Result<(StatusCode, Vec<u8>), ProviderError> {
    ask_up_to(request, timeout, ANSWER_BYTES_MAX).await
}

/// The same, for an answer of up to `bytes_max`.
pub async fn ask_up_to(
    request: RequestBuilder,
    timeout: Duration,
    bytes_max: usize,
) -> Result<(StatusCode, Vec<u8>), ProviderError> {
    let answer = async {
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > bytes_max {
                return Err(ProviderError::Malformed("it is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    };
    tokio::time::timeout(timeout, answer).await.map_err(|_| ProviderError::Timeout)?
}

/// Reads JSON of a known shape.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|_| ProviderError::Malformed("it has not the agreed shape"))
}

/// A server's own trouble, or being told to slow down, says nothing about what happened.
pub fn is_indefinite(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED
        )
}

fn failure(error: &reqwest::Error) -> ProviderError {
    // The error's own text carries the address, whose query may hold references: it goes nowhere.
    if error.is_timeout() { ProviderError::Timeout } else { ProviderError::Unreachable }
}

/// A provider's access token, kept until shortly before it ends.
#[derive(Default)]
pub struct KeptToken(Mutex<Option<(Secret, DateTime<Utc>)>>);

impl KeptToken {
    /// The token, or the one that `fetch` gets with its life in seconds. Who asks meanwhile waits.
    pub async fn get(
        &self,
        now: DateTime<Utc>,
        renew: bool,
        fetch: impl Future<Output = Result<(Secret, i64), ProviderError>> + Send,
    ) -> Result<Secret, ProviderError> {
        let mut kept = self.0.lock().await;
        if let Some((token, _)) = kept.as_ref().filter(|(_, renew_at)| !renew && now < *renew_at) {
            return Ok(token.clone());
        }
        let (token, valid_s) = fetch.await?;
        let renew_at = now + chrono::Duration::seconds((valid_s - TOKEN_MARGIN_S).max(1));
        *kept = Some((token.clone(), renew_at));
        Ok(token)
    }
}
