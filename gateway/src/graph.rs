//! The graph as services see it: our own engine, asked as the caller.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use auth::Principal;
use chassis::{Graph, GraphFailure};
use federation::RequestContext;
use serde_json::Value;

use crate::current_engine::CurrentEngine;
use crate::pipeline::grants;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Handed to services before the engine exists, filled in when it does.
#[derive(Clone, Default)]
pub struct OwnGraph {
    /// Weak: the engine owns the services that own this.
    engine: Arc<OnceLock<Weak<CurrentEngine>>>,
}

impl OwnGraph {
    pub fn connect(&self, engine: &Arc<CurrentEngine>) {
        // Connected once, at start; a second call would be the same engine.
        let _ = self.engine.set(Arc::downgrade(engine));
    }
}

#[async_trait::async_trait]
impl Graph for OwnGraph {
    async fn query(
        &self,
        principal: &Principal,
        document: &'static str,
        variables: Value,
    ) -> Result<Value, GraphFailure> {
        self.ask(principal, document.to_owned(), variables).await
    }
}

impl OwnGraph {
    /// The same for a document of another process.
    pub async fn ask(
        &self,
        principal: &Principal,
        document: String,
        variables: Value,
    ) -> Result<Value, GraphFailure> {
        let unavailable = || GraphFailure { codes: vec!["UNAVAILABLE".to_owned()] };
        let engine = self.engine.get().and_then(Weak::upgrade).ok_or_else(unavailable)?;
        let variables = match variables {
            Value::Object(variables) => variables,
            _ => serde_json::Map::new(),
        };
        let prepared = engine.ready(document, None, variables, &grants(principal)).await;
        let prepared = prepared.map_err(|errors| failure(&errors))?;
        let mut context = RequestContext::default();
        context.extensions.insert(principal.clone());
        context.deadline = Some(tokio::time::Instant::now() + TIMEOUT);
        let response = prepared.engine().execute(&prepared, &context).await;
        if !response.errors.is_empty() {
            return Err(failure(&response.errors));
        }
        Ok(response.to_value().get_mut("data").map(Value::take).unwrap_or_default())
    }
}

fn failure(errors: &[federation::GraphQLError]) -> GraphFailure {
    GraphFailure { codes: errors.iter().map(|error| error.code.to_string()).collect() }
}
