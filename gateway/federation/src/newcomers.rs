//! Judging and planning what is new, away from the threads that answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;
use tokio::sync::Semaphore;

use crate::authorize::Grants;
use crate::engine::{Engine, Prepared};
use crate::error::{GraphQLError, INTERNAL, Judged};

/// How long a new document waits for its turn before it is refused.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// As many at a time as there are cores: more would not be faster, and each may hold a thread for seconds.
pub(crate) fn newcomers() -> Arc<Semaphore> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(cores))
}

impl Engine {
    /// `document` and `prepare` in one, for servers: what is remembered is found at once, and what is new
    /// is judged and planned elsewhere, so that nobody but its own client waits for it.
    pub async fn ready(
        self: &Arc<Self>,
        query: String,
        operation_name: Option<&str>,
        variables: Map<String, serde_json::Value>,
        grants: &Grants,
    ) -> Result<Prepared, Vec<GraphQLError>> {
        let document = match self.known_document(&query) {
            Some(document) => document,
            None => self.elsewhere(move |engine| engine.document(&query)).await?,
        };
        let asked = self.asked(&document, operation_name, variables, grants)?;
        match self.known_plan(&asked) {
            Some(operation) => self.prepared(asked, operation),
            None => {
                self.elsewhere(move |engine| {
                    // While it waited, a twin may have been planned.
                    let known = engine.known_plan(&asked);
                    let operation = known.map_or_else(|| engine.plan_asked(&asked), Ok)?;
                    engine.prepared(asked, operation)
                })
                .await
            }
        }
    }

    async fn elsewhere<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Engine) -> Judged<T> + Send + 'static,
    ) -> Judged<T> {
        let overloaded = || {
            let message = "Too many new documents are waiting to be planned; try again later.";
            vec![GraphQLError::new("OVERLOADED", message).with("retryable", true)]
        };
        let turn = tokio::time::timeout(WAIT_MAX, self.newcomers.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(overloaded()) };
        let engine = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&engine);
            drop(turn);
            done
        });
        done.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a document could not be judged");
            Err(vec![GraphQLError::new(INTERNAL, "This document could not be judged.")])
        })
    }
}
