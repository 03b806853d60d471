//! What the engine asks of a subgraph, wherever it runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Map;

use crate::plan::SubgraphOperation;
use crate::value::{Object, Value};

/// Belongs to one client request and goes with it to every subgraph. The engine looks only at the deadline.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    pub extensions: http::Extensions,
    pub deadline: Option<tokio::time::Instant>,
}

pub struct SubgraphRequest {
    pub operation: Arc<SubgraphOperation>,
    /// The client's variables the operation uses, and the representations of entities.
    pub variables: Object,
    /// When nobody waits for the answer any longer; of a subscription, for its opening.
    pub limit: tokio::time::Instant,
}

/// What a subgraph answered, in whole or for one event.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub data: Value,
    pub errors: Vec<AnswerError>,
}

/// An error as the subgraph gave it: its path is the subgraph's own.
#[derive(Clone, Debug)]
pub struct AnswerError {
    pub message: String,
    pub path: Vec<crate::PathSegment>,
    pub extensions: Map<String, serde_json::Value>,
}

/// Why there is no answer at all. It is logged; the client learns only that something is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum SubgraphError {
    #[error("unreachable: {0}")]
    Unreachable(String),
    #[error("no answer in time")]
    Timeout,
    #[error("not a GraphQL answer: {0}")]
    Malformed(String),
}

#[async_trait]
pub trait Subgraph: Send + Sync {
    async fn execute(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<Answer, SubgraphError>;

    async fn subscribe(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError>;

    /// How long it is not asked at all, because it failed too often; `None` when it is.
    fn closed_for(&self) -> Option<Duration> {
        None
    }
}
