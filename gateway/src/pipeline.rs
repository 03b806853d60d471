//! The stages of a GraphQL request, in order.
//!
//! classify → authenticate → document → authorize and plan → execute → respond; each is a file of
//! the same name below, but for authorizing and planning, which is the engine's `prepare`, and
//! `events`, which executes subscriptions. A stage either hands on what the next one needs or refuses.

mod authenticate;
mod classify;
mod document;
mod events;
mod execute;
mod refusal;
mod respond;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, Response};
use clock::Clock;
use federation::{Engine, OperationKind};
use tracing::Instrument;

use crate::config::Limits;

pub use authenticate::{Caller, Tokens, grants, identify};
use classify::Wish;
pub use execute::Forwarded;
use refusal::Refusal;
pub use respond::{REQUEST_ID, RequestId};

/// What every request needs; one per process.
pub struct Door {
    pub engine: Arc<Engine>,
    pub tokens: Tokens,
    /// Headers of a client's request that go to the subgraphs as they came; none in front of our own.
    pub forward: Vec<HeaderName>,
    pub clock: Clock,
    pub limits: Limits,
    /// Subscriptions open now.
    pub subscriptions: Arc<AtomicUsize>,
    /// Told when the process drains.
    pub stop: tokio_util::sync::CancellationToken,
}

/// The door's own path.
pub fn routes(door: Arc<Door>) -> Router {
    Router::new().route("/graphql", axum::routing::any(answer)).with_state(door)
}

/// `/graphql`: one request, from its first byte to its last.
async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    let begun = std::time::Instant::now();
    let id = RequestId::of(request.headers(), &door.clock);
    let wish = Wish::of(&request);
    let span = tracing::info_span!("graphql", request_id = %id, operation = tracing::field::Empty);
    let outcome = stages(&door, &wish, request, &id).instrument(span.clone()).await;
    let response = respond::respond(outcome, &wish, &id);
    span.in_scope(|| respond::log(&response, begun.elapsed()));
    response
}

async fn stages(
    door: &Arc<Door>,
    wish: &Wish,
    request: Request,
    id: &RequestId,
) -> Result<respond::Reply, Refusal> {
    wish.check()?;
    let caller = authenticate::authenticate(door, request.headers())?;
    let asked = document::read(request, &door.limits).await?;
    let document = door.engine.document(&asked.query)?;
    let name = asked.operation_name.as_deref();
    let prepared = door.engine.prepare(&document, name, asked.variables, &caller.grants)?;
    tracing::Span::current().record("operation", prepared.operation_name().unwrap_or("-"));
    wish.check_kind(prepared.kind())?;
    match prepared.kind() {
        OperationKind::Subscription => events::open(door, prepared, caller, id).await,
        OperationKind::Query | OperationKind::Mutation => execute::execute(door, prepared, caller, id).await,
    }
}
