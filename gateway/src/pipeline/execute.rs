//! Runs a query or mutation within its time.

use std::time::Duration;

use axum::http::HeaderMap;
use federation::{Prepared, RequestContext};

use super::respond::{Reply, RequestId};
use super::{Caller, Door, Refusal};

/// Runs it; a subgraph that is late costs its own fields and nothing else.
pub async fn execute(
    door: &Door,
    prepared: Prepared,
    caller: Caller,
    id: &RequestId,
) -> Result<Reply, Refusal> {
    let timeout = Duration::from_millis(door.limits.request_timeout_ms);
    let mut context = context(&caller, id);
    context.deadline = Some(tokio::time::Instant::now() + timeout);
    Ok(Reply::Answer(door.engine.execute(&prepared, &context).await))
}

/// Headers of the client's request that every subgraph gets.
#[derive(Clone, Debug)]
pub struct Forwarded(pub HeaderMap);

/// What goes to every subgraph with the request.
pub fn context(caller: &Caller, id: &RequestId) -> RequestContext {
    let mut context = RequestContext::default();
    context.extensions.insert(caller.principal.clone());
    context.extensions.insert(id.clone());
    if !caller.forwarded.is_empty() {
        context.extensions.insert(Forwarded(caller.forwarded.clone()));
    }
    context
}
