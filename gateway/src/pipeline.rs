//! The stages of a GraphQL request, in order.
//!
//! classify → authenticate → document → given → authorize and plan → cost → quota → execute → respond; each is a
//! file of the same name below, but for authorizing and planning, which is the engine's `ready`, and
//! `events`, which holds what stays open: subscriptions and WebSockets. A stage either hands on what
//! the next one needs or refuses.

mod answers;
mod authenticate;
mod classify;
mod cost;
mod document;
mod events;
mod execute;
mod given;
mod meters;
mod quota;
mod refusal;
mod respond;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, Method, Response};
use clock::Clock;
use federation::{Document, Engine, OperationKind, Prepared};
use tracing::Instrument;

use crate::config::Limits;
use crate::current_engine::CurrentEngine;
use crate::guards::Guards;
use crate::guards::clients::Counts;

use answers::Wanted;
pub use answers::{Answers, UNTOLD, tag_of};
pub use authenticate::{Caller, Tokens, grants, identify};
use classify::Wish;
use document::Asked;
pub use events::{Holder, Seats};
pub use execute::Forwarded;
use meters::Tally;
use quota::Standing;
pub use refusal::Refusal;
use respond::Reply;
pub use respond::{REQUEST_ID, RequestId};

/// What every request needs; one per process.
pub struct Door {
    pub engine: Arc<CurrentEngine>,
    pub tokens: Tokens,
    /// Headers of a client's request that go to the subgraphs as they came; none in front of our own.
    pub forward: Vec<HeaderName>,
    pub clock: Clock,
    pub limits: Limits,
    pub guards: Guards,
    /// Answers that are the same for everyone; none where they are not kept.
    pub answers: Option<Answers>,
    /// What is open now.
    pub subscriptions: Arc<Seats>,
    /// Whether a client's header names the trace that its request belongs to.
    pub continue_traces: bool,
    /// Told when the process drains.
    pub stop: tokio_util::sync::CancellationToken,
}

/// Of an operation's name, which is the client's own, in our log.
const NAME_BYTES_MAX: usize = 128;

/// Who asks, from where, and what we call the request.
#[derive(Clone)]
struct Asker {
    caller: Caller,
    address: IpAddr,
    id: RequestId,
    /// Where its client's documents are counted.
    client: Arc<Counts>,
    /// What its answer tells of quotas.
    standing: Standing,
}

/// The door's own path.
pub fn routes(door: Arc<Door>) -> Router {
    let cors = door.guards.origins.layer(&[Method::GET, Method::POST]);
    let graphql = axum::routing::any(answer).layer(respond::compression());
    Router::new().route(authenticate::PATH, graphql).route_layer(cors).with_state(door)
}

/// `/graphql`: one request, from its first byte to its last.
async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    let begun = std::time::Instant::now();
    let id = RequestId::of(request.headers(), &door.clock);
    let wish = Wish::of(&request);
    let span = id.span();
    if door.continue_traces {
        chassis::telemetry::continue_from(request.headers(), &span);
    }
    let (standing, tally) = (Standing::new(door.guards.quotas.is_some()), Tally::new());
    let outcome = stages(&door, &wish, request, &id, &standing, &tally).instrument(span.clone()).await;
    tally.count(&outcome, begun.elapsed());
    let mut response = respond::respond(outcome, &door, &wish, &id);
    standing.show(&wish, &mut response);
    span.in_scope(|| respond::log(&response, begun.elapsed()));
    response
}

async fn stages(
    door: &Arc<Door>,
    wish: &Wish,
    request: Request,
    id: &RequestId,
    standing: &Standing,
    tally: &Tally,
) -> Result<Reply, Refusal> {
    wish.check()?;
    let caller = authenticate::authenticate(door, request.method(), request.headers()).await?;
    let client = door.guards.clients.of(request.headers());
    let (id, standing) = (id.clone(), standing.clone());
    let asker = Asker { caller, address: address(&request), id, client, standing };
    if wish.web_socket {
        door.guards.origins.check(request.headers())?;
        return events::web_socket(door, asker, request).await;
    }
    let wanted = Some(Wanted::of(wish, &request));
    let asked = document::read(request, &door.limits).await?;
    let prepared = prepare(door, &asker, asked, tally).await?;
    wish.check_kind(prepared.kind())?;
    wish.check_given(prepared.engine(), &prepared)?;
    run(door, asker, prepared, wanted).await
}

/// Parses, validates, authorizes and plans, or finds that this was done.
async fn prepare(door: &Door, asker: &Asker, asked: Asked, tally: &Tally) -> Result<Prepared, Refusal> {
    let Asked { given, operation_name, variables } = asked;
    let name = operation_name.as_deref();
    let query = given::text(door, asker, given)?;
    let engine = door.engine.now();
    let document = match engine.known_document(&query) {
        Some(document) => document,
        None => newcomer(door, asker, &engine, query).await?,
    };
    let prepared = engine.ready_to_run(&document, name, variables, &asker.caller.grants).await?;
    let name = prepared.operation_name().unwrap_or("-");
    tracing::Span::current().record("operation", name.get(..NAME_BYTES_MAX).unwrap_or(name));
    tally.is(prepared.kind());
    cost::check(&door.guards.cost, &asker.caller, &prepared)?;
    Ok(prepared)
}

/// A document that nobody has asked for here. To judge it is work that its cost does not show, and that one
/// which is refused has no cost for; those that are trusted are few.
async fn newcomer(
    door: &Door,
    asker: &Asker,
    engine: &Arc<Engine>,
    query: String,
) -> Result<Arc<Document>, Refusal> {
    if !door.guards.documents.trusts(&query) {
        door.guards.load.check_new()?;
        quota::take_new(door, asker).await?;
    }
    Ok(engine.judged(query).await?)
}

async fn run(
    door: &Arc<Door>,
    asker: Asker,
    prepared: Prepared,
    wanted: Option<Wanted>,
) -> Result<Reply, Refusal> {
    quota::take(door, &asker, &prepared).await?;
    if prepared.kind() == OperationKind::Subscription {
        let _turn = execute::turn(door, &asker, &prepared)?;
        let subscription = events::open(door, asker, prepared).await?;
        return Ok(Reply::Events(Box::new(subscription)));
    }
    match answers::answer(door, asker, prepared, wanted).await {
        // Nothing of it was done.
        Reply::Answer(response) if response.data.is_none() => Err(response.errors.into()),
        reply => Ok(reply),
    }
}

fn address(request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
}
