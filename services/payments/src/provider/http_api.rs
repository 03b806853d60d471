//! Asking a provider over HTTP: one timeout, one limit, errors told apart by whether it can have happened.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;

use super::ProviderError;

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Sends a request and reads the whole answer within `timeout`.
pub async fn ask(request: RequestBuilder, timeout: Duration) -> Result<(StatusCode, Vec<u8>), ProviderError> {
    let answer = async {
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
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
