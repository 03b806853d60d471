//! The door of one subgraph over HTTP: answers gateways that sign for their callers, and nobody else.
//!
//! A request names its caller in the header [`auth::PRINCIPAL_HEADER`], signed for this subgraph, for
//! this body and for now, and is taken once. Everything else is refused with 401 before it is parsed.
//! Answers come as JSON; with `Accept: text/event-stream` as GraphQL over SSE. [`DEADLINE_HEADER`] bounds how
//! long it works on one, and logs name the request as the gateway does.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{ErrorExtensionValues, Executor, Request as Asked, Response as Answer, ServerError};
use auth::{Announced, PRINCIPAL_HEADER, Principal, PrincipalSigner};
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use cache::Seen;
use clock::Clock;
use futures::{StreamExt, stream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::telemetry::continue_from;

/// The header that tells how many milliseconds are left, after which nobody waits for the answer.
pub const DEADLINE_HEADER: &str = "pratu-deadline-ms";

/// The header in which the gateway says what it calls the request.
const REQUEST_ID_HEADER: &str = "x-request-id";
const REQUEST_ID_CHARS_MAX: usize = 64;
/// No request runs for longer, whatever its gateway says.
const WORK_MAX: Duration = Duration::from_secs(60);

/// Bytes of a request. Gateways take less from clients; keys of entities come on top.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a request's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Subscriptions open at once.
const SUBSCRIPTIONS_MAX: usize = 20_000;
/// Silence on a subscription after which a comment keeps it alive.
pub const KEEP_ALIVE: Duration = Duration::from_secs(12);

struct Door<E> {
    executor: E,
    name: &'static str,
    signer: PrincipalSigner,
    clock: Clock,
    /// The nonces of signatures that were taken. While Redis is dead another process of this subgraph has
    /// its own, and what is sent twice there is still safe, as every write is.
    taken: Seen,
    subscriptions: Arc<Semaphore>,
    stop: CancellationToken,
}

/// Serves the subgraph `name` under `/`. Subscriptions end when `stop` is cancelled, with an error by which
/// clients know to subscribe again.
pub fn routes<E: Executor>(
    executor: E,
    name: &'static str,
    signer: PrincipalSigner,
    clock: Clock,
    taken: Seen,
    stop: CancellationToken,
) -> Router {
    let subscriptions = Arc::new(Semaphore::new(SUBSCRIPTIONS_MAX));
    let door = Door { executor, name, signer, clock, taken, subscriptions, stop };
    Router::new().route("/", post(answer::<E>)).with_state(Arc::new(door))
}

async fn answer<E: Executor>(State(door): State<Arc<Door<E>>>, request: Request) -> Response {
    let span =
        tracing::info_span!("subgraph", subgraph = door.name, request_id = request_id(request.headers()));
    // Who is not signed is refused; until then a name of a trace does no harm.
    continue_from(request.headers(), &span);
    taken(&door, request).instrument(span).await
}

async fn taken<E: Executor>(door: &Door<E>, request: Request) -> Response {
    let until = Instant::now() + time_left(request.headers());
    let (parts, body) = request.into_parts();
    // Before the body: strangers would have us keep what they send.
    let Some(announced) = door.announced(&parts.headers) else { return door.refused() };
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let Some(principal) = door.caller(announced, &body).await else { return door.refused() };
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let asked = asked.data(principal);
    if wants_events(&parts.headers) { door.events(asked) } else { door.whole(asked, until).await }
}

impl<E: Executor> Door<E> {
    /// The signature, when it holds for this subgraph and now.
    fn announced(&self, headers: &HeaderMap) -> Option<Announced> {
        let header = headers.get(PRINCIPAL_HEADER)?.to_str().ok()?;
        self.signer.announced(header, self.name, self.clock.now()).ok()
    }

    /// Who asks, when this is the body that was signed, and it comes for the first time.
    async fn caller(&self, announced: Announced, body: &[u8]) -> Option<Principal> {
        let (principal, nonce) = announced.of(body).ok()?;
        let nonce = nonce.as_bytes();
        let first = self.taken.first_time("subgraph-signature", nonce, PrincipalSigner::LIFE_MAX).await;
        first.then_some(principal)
    }

    /// Says nothing that a stranger could use; gateways show it as unavailable.
    fn refused(&self) -> Response {
        tracing::warn!(subgraph = self.name, "a request that is not signed, or not anew, was refused");
        StatusCode::UNAUTHORIZED.into_response()
    }

    /// When the time is over nobody waits for the answer: the work on it is dropped, or not begun.
    async fn whole(&self, asked: Asked, until: Instant) -> Response {
        let late = || StatusCode::GATEWAY_TIMEOUT.into_response();
        if until <= Instant::now() {
            return late();
        }
        let Ok(answer) = tokio::time::timeout_at(until, self.executor.execute(asked)).await else {
            tracing::warn!("a request was given up: its time is over");
            return late();
        };
        ([(header::CONTENT_TYPE, "application/graphql-response+json")], Json(answer)).into_response()
    }

    fn events(&self, asked: Asked) -> Response {
        let Ok(seat) = Arc::clone(&self.subscriptions).try_acquire_owned() else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        let answers = self.executor.execute_stream(asked, None);
        let next = |answer| Event::default().event("next").json_data(answer);
        let events = answers.take_until(self.stop.clone().cancelled_owned()).map(move |answer| {
            // Held for as long as the stream lives.
            let _seat = &seat;
            next(answer)
        });
        let stop = self.stop.clone();
        let end = stream::once(async move { stop.is_cancelled().then(|| next(going_away())) });
        let complete = stream::once(async { Some(Ok(Event::default().event("complete"))) });
        let end = end.chain(complete).filter_map(std::future::ready);
        Sse::new(events.chain(end)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
    }
}

/// Told to subscribers when this process drains: it has more to tell, and another process does.
fn going_away() -> Answer {
    let mut error = ServerError::new("This part of the system is restarting; subscribe again.", None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", "UNAVAILABLE");
    extensions.set("retryable", true);
    error.extensions = Some(extensions);
    Answer::from_errors(vec![error])
}

/// How long the gateway waits for the answer.
fn time_left(headers: &HeaderMap) -> Duration {
    let told = headers.get(DEADLINE_HEADER).and_then(|value| value.to_str().ok());
    let left_ms = told.and_then(|told| told.parse().ok());
    left_ms.map_or(WORK_MAX, Duration::from_millis).min(WORK_MAX)
}

/// What the gateway calls the request; nothing that could not stand in a log.
fn request_id(headers: &HeaderMap) -> &str {
    let told = headers.get(REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        id.len() <= REQUEST_ID_CHARS_MAX
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    told.filter(plain).unwrap_or("-")
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/event-stream"))
}
