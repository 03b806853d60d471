//! Entities of subgraphs that are the same for everyone, kept between requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cache::{Cache, Key, Lookup, Policy, Tags};
use federation::value::{Value, read_json, to_json_bytes};
use federation::{Digest, EntityCache, Looked};

use crate::config::AnswerCache;
use crate::pipeline::{UNTOLD, tag_of};

/// Bytes of one entity that is kept.
const ENTITY_BYTES_MAX: usize = 256 * 1024;
/// How deep an entity from Redis may be; ours are a handful of levels.
const DEPTH_MAX: usize = 64;

/// The entities this process keeps.
pub struct Entities(Arc<Inner>);

struct Inner {
    cache: Cache<Entity>,
    stale_if_error: Duration,
    /// Whether this process hears at once what has changed.
    told: bool,
}

/// What one subgraph says of an entity.
#[derive(Clone)]
struct Entity {
    value: Value,
    text_bytes: usize,
}

struct Look {
    kept: Arc<Inner>,
    keys: Vec<Key>,
    lookup: Lookup<Entity>,
}

impl Entities {
    pub fn new(settings: &AnswerCache, tags: Tags, told: bool) -> Self {
        let bounds = cache::Settings {
            name: "entities",
            bytes_max: settings.entities_bytes_max,
            value_bytes_max: ENTITY_BYTES_MAX,
            // Nobody waits for another's: those that are missing are asked for together.
            wait_ms: 0,
        };
        let stale_if_error = Duration::from_secs(settings.stale_if_error_s);
        Self(Arc::new(Inner { cache: Cache::new(bounds, tags), stale_if_error, told }))
    }
}

#[async_trait]
impl EntityCache for Entities {
    async fn look(&self, keys: Vec<Digest>) -> Box<dyn Looked> {
        let keys: Vec<Key> = keys.iter().map(|key| Key::new("entity", &[key])).collect();
        let lookup = self.0.cache.lookup(&keys).await;
        Box::new(Look { kept: Arc::clone(&self.0), keys, lookup })
    }
}

impl Looked for Look {
    fn found(&mut self) -> Vec<Option<Value>> {
        let found = self.lookup.found.iter();
        found.map(|found| found.as_ref().map(|found| found.value.value.clone())).collect()
    }

    fn spare(&mut self) -> Vec<Option<Value>> {
        let spare = self.lookup.spare.iter();
        spare.map(|spare| spare.as_ref().map(|spare| spare.value.value.clone())).collect()
    }

    fn keep(self: Box<Self>, subgraph: &str, entities: Vec<(usize, Value)>, max_age_s: u32) {
        let ttl = Duration::from_secs(max_age_s.into());
        let policy = Policy {
            ttl: if self.kept.told { ttl } else { ttl.min(UNTOLD) },
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: self.kept.stale_if_error,
            tags: vec![tag_of(subgraph)],
        };
        let Self { kept, keys, lookup } = *self;
        // Redis may be slow; the answer goes on.
        tokio::spawn(async move {
            for (at, value) in entities {
                let text_bytes = to_json_bytes(&value).len();
                if let Some(key) = keys.get(at) {
                    kept.cache.keep(key, Entity { value, text_bytes }, &policy, lookup.born).await;
                }
            }
        });
    }
}

impl cache::Value for Entity {
    fn encode(&self) -> Bytes {
        to_json_bytes(&self.value)
    }

    fn decode(bytes: Bytes) -> Option<Self> {
        let text_bytes = bytes.len();
        let value = read_json(bytes, DEPTH_MAX).ok()?;
        Some(Self { value, text_bytes })
    }

    fn weight_bytes(&self) -> usize {
        // A tree takes more room than its text.
        self.text_bytes * 3
    }
}
