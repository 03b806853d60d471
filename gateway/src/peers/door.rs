//! The doors that only our own processes may use: what is signed for this path and body, now, and once.

use std::sync::Arc;
use std::time::Duration;

use ::clock::Clock;
use auth::{PRINCIPAL_HEADER, Principal, PrincipalSigner};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use cache::Seen;
use chassis::telemetry::continue_from;
use tracing::Instrument;

use super::Peers;

/// Bytes of a request.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a request's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Where signatures that were taken are remembered.
const NONCES: &str = "internal";

/// Checks who knocks. Cloning shares the memory of what was taken.
#[derive(Clone)]
pub struct SignedDoor {
    signer: PrincipalSigner,
    clock: Clock,
    taken: Seen,
}

impl SignedDoor {
    /// `None` where our processes share no secret: then there are no such doors.
    pub fn new(peers: &Peers, taken: Seen) -> Option<Self> {
        Some(Self { signer: peers.signer()?, clock: peers.clock().clone(), taken })
    }

    /// `POST path`, answered by `answer` for the principal that was signed.
    pub fn route<A, F>(&self, path: &'static str, answer: A) -> Router
    where
        A: Fn(Principal, Bytes) -> F + Send + Sync + 'static,
        F: Future<Output = Response> + Send,
    {
        let (door, answer) = (self.clone(), Arc::new(answer));
        Router::new().route(
            path,
            post(move |request: Request| async move {
                let span = tracing::info_span!("internal", path);
                continue_from(request.headers(), &span);
                let answered = async {
                    match door.open(path, request).await {
                        Ok((principal, body)) => answer(principal, body).await,
                        Err(status) => status.into_response(),
                    }
                };
                answered.instrument(span).await
            }),
        )
    }

    async fn open(&self, path: &str, request: Request) -> Result<(Principal, Bytes), StatusCode> {
        let (parts, body) = request.into_parts();
        let header = parts.headers.get(PRINCIPAL_HEADER).and_then(|value| value.to_str().ok());
        let header = header.ok_or(StatusCode::UNAUTHORIZED)?;
        // Before the body: strangers would have us keep what they send.
        let announced = self.signer.announced(header, path, self.clock.now());
        let announced = announced.map_err(|_| refused(path))?;
        let body = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES_MAX)).await;
        let body = body.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
        let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let (principal, nonce) = announced.of(&body).map_err(|_| refused(path))?;
        if !self.taken.first_time(NONCES, nonce.as_bytes(), PrincipalSigner::LIFE_MAX).await {
            return Err(refused(path));
        }
        Ok((principal, body))
    }
}

fn refused(path: &str) -> StatusCode {
    tracing::warn!(path, "a request that is not signed, or not anew, was refused");
    StatusCode::UNAUTHORIZED
}
