//! Runs a query or mutation within its time.

use std::time::Duration;

use auth::Principal;
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
    let mut context = context(caller.principal, id);
    context.deadline = Some(tokio::time::Instant::now() + timeout);
    Ok(Reply::Answer(door.engine.execute(&prepared, &context).await))
}

/// What goes to every subgraph with the request.
pub fn context(principal: Principal, id: &RequestId) -> RequestContext {
    let mut context = RequestContext::default();
    context.extensions.insert(principal);
    context.extensions.insert(id.clone());
    context
}
