//! The door of one subgraph over HTTP: answers gateways that sign for their callers, and nobody else.
//!
//! A request names its caller in the header [`auth::PRINCIPAL_HEADER`], signed for this subgraph, for
//! this body and for now, and is taken once. Everything else is refused with 401 before it is parsed.
//! Answers come as JSON; with `Accept: text/event-stream` as GraphQL over SSE.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Executor, Request as Asked};
use auth::{PRINCIPAL_HEADER, Principal, PrincipalSigner};
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use clock::Clock;
use futures::{StreamExt, stream};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Bytes of a request. Gateways take less from clients; keys of entities come on top.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a request's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Subscriptions open at once.
const SUBSCRIPTIONS_MAX: usize = 20_000;
/// Silence on a subscription after which a comment keeps it alive.
pub const KEEP_ALIVE: Duration = Duration::from_secs(12);
/// Signatures remembered so that none is taken twice: more than arrive while one lives. Beyond, the
/// oldest are forgotten first.
const SIGNATURES_MAX: u64 = 1_000_000;

struct Door<E> {
    executor: E,
    name: &'static str,
    signer: PrincipalSigner,
    clock: Clock,
    /// The nonces of signatures that were taken. Per process: another process of this subgraph has
    /// its own, and what is sent twice there is still safe, as every write is.
    taken: Cache<Uuid, ()>,
    subscriptions: Arc<Semaphore>,
    stop: CancellationToken,
}

/// Serves the subgraph `name` under `/`. Subscriptions complete when `stop` is cancelled; gateways
/// then tell their clients to come back.
pub fn routes<E: Executor>(
    executor: E,
    name: &'static str,
    signer: PrincipalSigner,
    clock: Clock,
    stop: CancellationToken,
) -> Router {
    let taken = Cache::builder()
        .max_capacity(SIGNATURES_MAX)
        .eviction_policy(EvictionPolicy::lru())
        .time_to_live(PrincipalSigner::LIFE_MAX)
        .build();
    let subscriptions = Arc::new(Semaphore::new(SUBSCRIPTIONS_MAX));
    let door = Door { executor, name, signer, clock, taken, subscriptions, stop };
    Router::new().route("/", post(answer::<E>)).with_state(Arc::new(door))
}

async fn answer<E: Executor>(State(door): State<Arc<Door<E>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !parts.headers.contains_key(PRINCIPAL_HEADER) {
        return door.refused();
    }
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let Some(principal) = door.caller(&parts.headers, &body) else {
        return door.refused();
    };
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let asked = asked.data(principal);
    if wants_events(&parts.headers) { door.events(asked) } else { door.whole(asked).await }
}

impl<E: Executor> Door<E> {
    /// Who asks, when the signature holds and comes for the first time.
    fn caller(&self, headers: &HeaderMap, body: &[u8]) -> Option<Principal> {
        let header = headers.get(PRINCIPAL_HEADER)?.to_str().ok()?;
        let (principal, nonce) = self.signer.verify(header, self.name, body, self.clock.now()).ok()?;
        self.taken.entry(nonce).or_insert(()).is_fresh().then_some(principal)
    }

    /// Says nothing that a stranger could use; gateways show it as unavailable.
    fn refused(&self) -> Response {
        tracing::warn!(subgraph = self.name, "a request that is not signed, or not anew, was refused");
        StatusCode::UNAUTHORIZED.into_response()
    }

    async fn whole(&self, asked: Asked) -> Response {
        let answer = self.executor.execute(asked).await;
        ([(header::CONTENT_TYPE, "application/graphql-response+json")], Json(answer)).into_response()
    }

    fn events(&self, asked: Asked) -> Response {
        let Ok(seat) = Arc::clone(&self.subscriptions).try_acquire_owned() else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        let answers = self.executor.execute_stream(asked, None);
        let events = answers.take_until(self.stop.clone().cancelled_owned()).map(move |answer| {
            // Held for as long as the stream lives.
            let _seat = &seat;
            Event::default().event("next").json_data(answer)
        });
        let end = stream::once(async { Ok(Event::default().event("complete")) });
        Sse::new(events.chain(end)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
    }
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/event-stream"))
}
