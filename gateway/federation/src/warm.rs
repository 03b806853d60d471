//! One engine after another: what the old one was asked is planned before the new one answers, and whoever
//! still listens to the old one is told to come back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;
use tokio::time::Instant;

use crate::authorize::{Denied, Grants};
use crate::document::Document;
use crate::engine::{Asked, Engine, PlanKey};
use crate::error::GraphQLError;
use crate::response::Response;
use crate::rewrite::Conditions;

/// Plans that are made in advance, and how long that may take as a whole. Planning takes about a millisecond.
const PLANS_MAX: usize = 2_000;
const WARM_MAX: Duration = Duration::from_secs(20);

/// The code that clients know to open a subscription again on.
pub const SCHEMA_RELOAD: &str = "SUBSCRIPTION_SCHEMA_RELOAD";

impl Engine {
    /// Plans documents in advance, given as text and operation's name: for somebody who may do all that the
    /// schema guards, and for nobody. What cannot be planned here is passed over. Says how many plans were made.
    pub async fn warm(self: &Arc<Self>, documents: Vec<(String, Option<String>)>) -> usize {
        let mut plans = Plans::of(self);
        for (text, name) in documents {
            let Some(document) = plans.document(text.into()).await else { continue };
            let Ok(operation) = document.operation(name.as_deref()) else { continue };
            let conditions = Conditions::likely(&document, &operation);
            let nobody = (Map::new(), Grants::default());
            let nobody = self.rules.denied(&self.schema, &document.rules, &[], &nobody.0, &nobody.1);
            let name = operation.name.map(str::to_owned);
            for denied in [Denied::default(), nobody] {
                plans.make(&document, name.clone(), conditions.clone(), denied).await;
            }
        }
        plans.made
    }

    /// Plans what another engine, over an earlier supergraph, has plans for: the most used, as it keeps those.
    pub async fn warm_like(self: &Arc<Self>, other: &Engine) -> usize {
        let texts: HashMap<u64, Arc<str>> =
            other.documents.iter().map(|(text, document)| (document.id, (*text).clone())).collect();
        let keys: Vec<_> = other.plans.iter().map(|(key, _)| key).collect();
        let mut plans = Plans::of(self);
        for key in keys {
            let Some(text) = texts.get(&key.document) else { continue };
            let Some(document) = plans.document(text.clone()).await else { continue };
            let denied = self.rules.as_here(&other.rules, &key.denied);
            plans.make(&document, key.operation.clone(), key.conditions.clone(), denied).await;
        }
        plans.made
    }

    /// Ends the subscriptions that this engine feeds: another has taken its place. Requests go on.
    pub fn retire(&self) {
        self.retired.send_replace(true);
    }

    /// Waits until another engine has taken its place.
    pub(crate) async fn is_retired(&self) {
        // The sender is our own, so waiting never fails.
        let _ = self.retired.subscribe().wait_for(|retired| *retired).await;
    }
}

/// Plans that are made in advance, on the threads where new documents are planned.
struct Plans<'a> {
    engine: &'a Arc<Engine>,
    until: Instant,
    made: usize,
}

impl<'a> Plans<'a> {
    fn of(engine: &'a Arc<Engine>) -> Self {
        Plans { engine, until: Instant::now() + WARM_MAX, made: 0 }
    }

    fn is_over(&self) -> bool {
        self.made >= PLANS_MAX || Instant::now() >= self.until
    }

    /// The document, when it is one here and there is time.
    async fn document(&self, text: Arc<str>) -> Option<Arc<Document>> {
        if self.is_over() {
            return None;
        }
        let known = self.engine.known_document(&text);
        if known.is_some() {
            return known;
        }
        let engine = self.engine.clone();
        self.engine.newcomers.elsewhere(None, move || engine.document(&text)).await.ok()
    }

    async fn make(
        &mut self,
        document: &Arc<Document>,
        operation: Option<String>,
        conditions: Conditions,
        denied: Denied,
    ) {
        let lot = self.engine.overrides.draw();
        let key = PlanKey { document: document.id, operation, conditions, denied, lot };
        let asked = Asked { document: document.clone(), variables: Map::new(), key };
        if self.is_over() || self.engine.known_plan(&asked).is_some() {
            return;
        }
        let (engine, key) = (self.engine.clone(), asked.key.clone());
        let planned = self.engine.newcomers.elsewhere(Some(key), move || engine.plan_asked(&asked)).await;
        self.made += usize::from(planned.is_ok());
    }
}

/// The last event of a subscription whose engine was replaced.
pub(crate) fn come_back() -> Response {
    let message = "The schema was replaced; subscribe again.";
    Response::from_errors(vec![GraphQLError::new(SCHEMA_RELOAD, message).with("retryable", true)])
}
