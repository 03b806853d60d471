//! The cache: memory in front of Redis in front of whoever makes the value.

mod flying;
mod meters;
mod several;

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;

use crate::entry::{Entry, Policy, Worth};
use crate::flight::{Boarded, Flights, Landed, Waiting, landed};
use crate::key::Key;
use crate::memory::{Memory, Read};
use crate::tags::Tags;
use crate::value::Value;
use meters::Meters;
pub use several::Lookup;

/// Values of one kind. Cloning shares it.
pub struct Cache<V: Value>(Arc<Inner<V>>);

struct Inner<V: Value> {
    settings: Settings,
    tags: Tags,
    memory: Memory<V>,
    flights: Arc<Flights<V>>,
    meters: Meters,
}

/// What bounds a cache.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name in metrics.
    pub name: &'static str,
    /// Bytes kept in this process.
    pub bytes_max: u64,
    /// Bytes of one value. A larger one is given to who asked, and not kept.
    pub value_bytes_max: usize,
    /// How long somebody waits while another one makes the value.
    pub wait_ms: u64,
}

/// What a loader made.
#[derive(Clone, Debug)]
pub enum Loaded<V> {
    /// To be kept for everyone who asks with this key.
    Keep(V, Policy),
    /// For those who ask right now, such as an answer with errors.
    Share(V),
}

/// A value, and how good it is.
#[derive(Clone, Debug)]
pub struct Found<V> {
    pub value: V,
    /// How long ago its making began: for the header `Age`.
    pub age: Duration,
    /// How long it stays fresh; nothing when it is stale, or was not kept.
    pub ttl_left: Duration,
    pub source: Source,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Memory,
    Redis,
    Loaded,
    /// Past its time: a newer one is being made, or cannot be made.
    Stale,
}

/// Why there is no value.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failed {
    #[error("the value could not be made: {0}")]
    Load(Arc<dyn Error + Send + Sync>),
    #[error("somebody else makes the value, and takes too long")]
    Waited,
    #[error("whoever made the value ended without one")]
    Died,
}

/// Whether somebody had asked before.
enum Place {
    First,
    Later,
}

impl<V: Value> Clone for Cache<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: Value> Cache<V> {
    /// A cache whose entries `tags` drops. Redis is used when `tags` has it.
    pub fn new(settings: Settings, tags: Tags) -> Self {
        let (memory, meters) = (Memory::new(settings.bytes_max), Meters::new(settings.name));
        Self(Arc::new(Inner { settings, tags, memory, flights: Arc::default(), meters }))
    }

    /// What is kept under `key`, or what `load` makes. However many ask at once, in this process one
    /// loader runs, in a task of its own: it goes on when its client leaves.
    pub async fn get<F, L, E>(&self, key: &Key, load: F) -> Result<Found<V>, Failed>
    where
        F: FnOnce() -> L + Send + 'static,
        L: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let inner = &self.0;
        let (spare, newer) = match inner.memory.read(key, &inner.tags, inner.tags.now_us()) {
            Read::Serve(entry) => return Ok(self.found(&entry, Source::Memory)),
            Read::ServeAndAsk(entry, newer) => {
                _ = self.board(key, newer, load);
                return Ok(self.found(&entry, Source::Memory));
            }
            Read::Ask(entry, newer) => (Some(entry), newer),
            Read::Nothing => (None, None),
        };
        let landed = match self.board(key, newer, load) {
            // The first to ask has no patience but its own.
            (waiting, Place::First) => landed(waiting).await,
            (waiting, Place::Later) => {
                let patience = Duration::from_millis(inner.settings.wait_ms);
                match tokio::time::timeout(patience, landed(waiting)).await {
                    Ok(landed) => landed,
                    Err(_) => match spare {
                        Some(entry) => return Ok(self.found(&entry, Source::Stale)),
                        None => {
                            inner.meters.waited();
                            return Err(Failed::Waited);
                        }
                    },
                }
            }
        };
        match landed {
            Landed::Kept(entry, source) => Ok(self.found(&entry, source)),
            Landed::Shared(value) => Ok(self.passing(value)),
            Landed::Failed(failed) => {
                inner.meters.failed();
                Err(failed)
            }
        }
    }

    /// What drops entries of this cache.
    pub fn tags(&self) -> &Tags {
        &self.0.tags
    }

    /// Bytes kept in this process.
    pub fn bytes(&self) -> u64 {
        self.0.memory.bytes()
    }

    /// Starts making the value, unless somebody does.
    fn board<F, L, E>(&self, key: &Key, newer: Option<i64>, load: F) -> (Waiting<V>, Place)
    where
        F: FnOnce() -> L + Send + 'static,
        L: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        match self.0.flights.board(key, self.0.tags.local_epoch()) {
            Boarded::Follows(waiting) => (waiting, Place::Later),
            Boarded::Leads(seat, landing, waiting) => {
                let (cache, key) = (self.clone(), *key);
                let fly = async move {
                    let made = cache.fly(&key, newer, load, &landing).await;
                    // Who comes now finds it in memory.
                    drop(seat);
                    if let Some((entry, born)) = made {
                        cache.write(&key, &entry, born).await;
                    }
                };
                tokio::spawn(fly.in_current_span());
                (waiting, Place::First)
            }
        }
    }

    fn found(&self, entry: &Entry<V>, source: Source) -> Found<V> {
        let found = self.found_quietly(entry, source);
        self.0.meters.read(found.source);
        found
    }

    fn found_quietly(&self, entry: &Entry<V>, source: Source) -> Found<V> {
        let now_us = self.0.tags.now_us();
        let age_us = entry.age_us(now_us);
        let source = if entry.worth(now_us) == Worth::Fresh { source } else { Source::Stale };
        let span = |us: i64| Duration::from_micros(u64::try_from(us).unwrap_or(0));
        Found { value: entry.value.clone(), age: span(age_us), ttl_left: span(entry.ttl_us - age_us), source }
    }

    /// A value that is not kept.
    fn passing(&self, value: V) -> Found<V> {
        self.0.meters.read(Source::Loaded);
        Found { value, age: Duration::ZERO, ttl_left: Duration::ZERO, source: Source::Loaded }
    }
}

impl Failed {
    fn of(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Load(error.into().into())
    }
}
