//! The engine in use. A new supergraph replaces it while requests go on: none fails, and none waits.
//!
//! What was made ready by one engine is answered by that one, which is gone when the last of its requests is.
//! Its subscriptions end with the code `SUBSCRIPTION_SCHEMA_RELOAD`, on which clients subscribe again.

mod own;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::{Arc, PoisonError, RwLock};

use federation::{Engine, Grants, GraphQLError, Prepared};
use serde_json::{Map, Value};

pub use own::{Own, OwnError};
pub use watch::{Build, SupergraphFile, read, reason};

/// The engine of this process, whichever it is just now.
pub struct CurrentEngine {
    engine: RwLock<Arc<Engine>>,
}

impl CurrentEngine {
    pub fn new(engine: Engine) -> Arc<Self> {
        Arc::new(Self { engine: RwLock::new(Arc::new(engine)) })
    }

    /// The engine that new requests go to.
    pub fn now(&self) -> Arc<Engine> {
        Arc::clone(&self.engine.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// `Engine::ready` of the engine in use; what comes of it knows its engine.
    pub async fn ready(
        &self,
        query: String,
        operation_name: Option<&str>,
        variables: Map<String, Value>,
        grants: &Grants,
    ) -> Result<Prepared, Vec<GraphQLError>> {
        self.now().ready(query, operation_name, variables, grants).await
    }

    /// Puts another engine in its place, once that has planned these documents and what this one was asked.
    pub async fn replace(&self, next: Engine, documents: Vec<String>) {
        let (next, old) = (Arc::new(next), self.now());
        let documents = documents.into_iter().map(|text| (text, None)).collect();
        let planned = next.warm(documents).await + next.warm_like(&old).await;
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = next;
        old.retire();
        tracing::info!(planned, "a new supergraph is in use");
    }
}
