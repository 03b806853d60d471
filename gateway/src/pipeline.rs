//! The stages of a GraphQL request, in order.
//!
//! classify → authenticate → document → authorize and plan → execute → respond; each is a file of
//! the same name below, but for authorizing and planning, which is the engine's `ready`, and
//! `events`, which holds what stays open: subscriptions and WebSockets. A stage either hands on what
//! the next one needs or refuses.

mod authenticate;
mod classify;
mod document;
mod events;
mod execute;
mod refusal;
mod respond;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, Response};
use clock::Clock;
use federation::{Engine, OperationKind, Prepared};
use tracing::Instrument;

use crate::config::Limits;

pub use authenticate::{Caller, Tokens, grants, identify};
use classify::Wish;
use document::Asked;
pub use events::Seats;
pub use execute::Forwarded;
use refusal::Refusal;
use respond::Reply;
pub use respond::{REQUEST_ID, RequestId};

/// What every request needs; one per process.
pub struct Door {
    pub engine: Arc<Engine>,
    pub tokens: Tokens,
    /// Headers of a client's request that go to the subgraphs as they came; none in front of our own.
    pub forward: Vec<HeaderName>,
    pub clock: Clock,
    pub limits: Limits,
    /// What is open now.
    pub subscriptions: Arc<Seats>,
    /// Told when the process drains.
    pub stop: tokio_util::sync::CancellationToken,
}

/// Who asks, from where, and what we call the request.
#[derive(Clone)]
struct Asker {
    caller: Caller,
    address: IpAddr,
    id: RequestId,
}

/// The door's own path.
pub fn routes(door: Arc<Door>) -> Router {
    let graphql = axum::routing::any(answer).layer(respond::compression());
    Router::new().route(authenticate::PATH, graphql).with_state(door)
}

/// `/graphql`: one request, from its first byte to its last.
async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    let begun = std::time::Instant::now();
    let id = RequestId::of(request.headers(), &door.clock);
    let wish = Wish::of(&request);
    let span = id.span();
    let outcome = stages(&door, &wish, request, &id).instrument(span.clone()).await;
    let response = respond::respond(outcome, &door, &wish, &id);
    span.in_scope(|| respond::log(&response, begun.elapsed()));
    response
}

async fn stages(door: &Arc<Door>, wish: &Wish, request: Request, id: &RequestId) -> Result<Reply, Refusal> {
    wish.check()?;
    let caller = authenticate::authenticate(door, request.method(), request.headers())?;
    let asker = Asker { caller, address: address(&request), id: id.clone() };
    if wish.web_socket {
        return events::web_socket(door, asker, request).await;
    }
    let asked = document::read(request, &door.limits).await?;
    let prepared = prepare(door, &asker, asked).await?;
    wish.check_kind(prepared.kind())?;
    wish.check_given(&door.engine, &prepared)?;
    run(door, asker, prepared).await
}

/// Parses, validates, authorizes and plans, or finds that this was done.
async fn prepare(door: &Door, asker: &Asker, asked: Asked) -> Result<Prepared, Refusal> {
    let Asked { query, operation_name, variables } = asked;
    let name = operation_name.as_deref();
    let prepared = door.engine.ready(query, name, variables, &asker.caller.grants).await?;
    tracing::Span::current().record("operation", prepared.operation_name().unwrap_or("-"));
    Ok(prepared)
}

async fn run(door: &Arc<Door>, asker: Asker, prepared: Prepared) -> Result<Reply, Refusal> {
    match prepared.kind() {
        OperationKind::Subscription => events::open(door, asker, prepared)
            .await
            .map(|subscription| Reply::Events(Box::new(subscription))),
        OperationKind::Query | OperationKind::Mutation => {
            Ok(Reply::Answer(execute::execute(door, &asker, prepared).await))
        }
    }
}

fn address(request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
}
