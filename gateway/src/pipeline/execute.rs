//! Runs a query or mutation within its time.

use std::time::Duration;

use axum::http::HeaderMap;
use federation::{Prepared, RequestContext, Response};

use super::{Asker, Door, Holder, Refusal, quota};
use crate::guards::load::{Class, Turn};

/// Runs it, where there is room to, or gives no data and says why not; a subgraph that is late costs its own
/// fields and nothing else.
pub async fn execute(door: &Door, asker: &Asker, prepared: Prepared) -> Response {
    let _turn = match turn(door, asker, &prepared) {
        Ok(turn) => turn,
        Err(refusal) => return Response::from_errors(refusal.errors),
    };
    quota::charge_made(door, asker, &prepared).await;
    let timeout = Duration::from_millis(door.limits.request_timeout_ms);
    let mut context = context(asker);
    context.deadline = Some(tokio::time::Instant::now() + timeout);
    prepared.engine().execute(&prepared, &context).await
}

/// Leave to run it.
pub fn turn(door: &Door, asker: &Asker, prepared: &Prepared) -> Result<Turn, Refusal> {
    let (load, caller) = (&door.guards.load, &asker.caller);
    let known_caller = caller.subject.is_some() || caller.grants.authenticated;
    load.admit(Class::of(prepared, known_caller, load), Holder::of(caller, asker.address))
}

/// Headers of the client's request that every subgraph gets.
#[derive(Clone, Debug)]
pub struct Forwarded(pub HeaderMap);

/// What goes to every subgraph with the request.
pub fn context(asker: &Asker) -> RequestContext {
    let mut context = RequestContext::default();
    context.extensions.insert(asker.caller.principal.clone());
    context.extensions.insert(asker.id.clone());
    if !asker.caller.forwarded.is_empty() {
        context.extensions.insert(Forwarded(asker.caller.forwarded.clone()));
    }
    context
}
