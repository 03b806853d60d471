//! Reading another service's data as the caller, through the graph and nothing else.

use auth::Principal;
use serde_json::Value;

/// The graph as a service sees it; implemented by the gateway and handed in at start.
#[async_trait::async_trait]
pub trait Graph: Send + Sync {
    /// Runs a query as `principal`; the caller sees what that principal may see.
    async fn query(
        &self,
        principal: &Principal,
        document: &'static str,
        variables: Value,
    ) -> Result<Value, GraphFailure>;
}

/// The graph did not answer, or not in full.
#[derive(Debug, thiserror::Error)]
#[error("the graph did not answer: {codes:?}")]
pub struct GraphFailure {
    /// The codes of the errors it gave.
    pub codes: Vec<String>,
}
