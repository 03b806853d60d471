//! The graph for services that run without a gateway: asked of a gateway's process, as the caller.

use std::time::Duration;

use auth::Principal;
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chassis::{Graph, GraphFailure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Peers, SignedDoor};
use crate::config::Role;
use crate::graph::OwnGraph;

const PATH: &str = "/internal/graph";
/// A little longer than the gateway gives its engine.
const TIMEOUT: Duration = Duration::from_secs(6);

/// The graph as another process answers it.
pub struct RemoteGraph {
    peers: Peers,
}

#[derive(Serialize)]
struct Question<'a> {
    query: &'a str,
    variables: Value,
}

#[derive(Deserialize)]
struct Asked {
    query: String,
    variables: Value,
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Data(Value),
    /// The codes of the errors there were.
    Errors(Vec<String>),
}

impl RemoteGraph {
    pub fn new(peers: Peers) -> Self {
        Self { peers }
    }
}

#[async_trait::async_trait]
impl Graph for RemoteGraph {
    async fn query(
        &self,
        principal: &Principal,
        document: &'static str,
        variables: Value,
    ) -> Result<Value, GraphFailure> {
        let unavailable = || GraphFailure { codes: vec!["UNAVAILABLE".to_owned()] };
        let question = Question { query: document, variables };
        let body = serde_json::to_vec(&question).map_err(|_| unavailable())?;
        let answer = self.peers.ask(Role::Gateway, PATH, principal, body, TIMEOUT).await;
        let answer = answer.map_err(|error| {
            tracing::warn!(%error, "the graph was not asked");
            unavailable()
        })?;
        match serde_json::from_slice(&answer).map_err(|_| unavailable())? {
            Answer::Data(data) => Ok(data),
            Answer::Errors(codes) => Err(GraphFailure { codes }),
        }
    }
}

/// Where a gateway's process answers it. A token opens nothing here; only our own processes sign.
pub fn graph_door(door: &SignedDoor, graph: OwnGraph) -> Router {
    door.route(PATH, move |principal, body| {
        let graph = graph.clone();
        async move {
            let Ok(Asked { query, variables }) = serde_json::from_slice(&body) else {
                return StatusCode::BAD_REQUEST.into_response();
            };
            let answer = match graph.ask(&principal, query, variables).await {
                Ok(data) => Answer::Data(data),
                Err(failure) => Answer::Errors(failure.codes),
            };
            Json(answer).into_response()
        }
    })
}
