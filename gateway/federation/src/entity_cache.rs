//! Entities of subgraphs that are the same for everyone, kept between requests by whoever runs the engine.

use std::sync::Arc;

use async_trait::async_trait;

use crate::engine::Engine;
use crate::identity::Digest;
use crate::value::Value;

/// What keeps entities. The engine says which may be kept, for how long, and under which keys.
#[async_trait]
pub trait EntityCache: Send + Sync {
    /// Looks for entities, before those that are missing are asked for.
    async fn look(&self, keys: Vec<Digest>) -> Box<dyn Looked>;
}

/// What was found; made anew is what comes after.
pub trait Looked: Send {
    /// What can be served, key by key.
    fn found(&mut self) -> Vec<Option<Value>>;

    /// What else can be served when no newer one can be had.
    fn spare(&mut self) -> Vec<Option<Value>>;

    /// Keeps entities that one subgraph just gave, by the places of their keys.
    fn keep(self: Box<Self>, subgraph: &str, entities: Vec<(usize, Value)>, max_age_s: u32);
}

impl Engine {
    /// The same engine, with something that keeps entities, or nothing.
    #[must_use]
    pub fn with_entity_cache(mut self, cache: Option<Arc<dyn EntityCache>>) -> Self {
        self.subgraphs.entity_cache = cache.map(|cache| (self.identity, cache));
        self
    }
}
