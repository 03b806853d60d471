//! Many entries at once, for who makes all that are missing with one call.

use std::sync::Arc;

use futures::future::join_all;

use super::{Cache, Found, Source};
use crate::entry::{Entry, Policy, Worth};
use crate::key::Key;
use crate::memory::Read;
use crate::tags::Born;
use crate::value::Value;

/// What was found, key by key.
#[derive(Debug)]
pub struct Lookup<V> {
    /// What can be served.
    pub found: Vec<Option<Found<V>>>,
    /// Where nothing was found: what can be served if making it anew fails.
    pub spare: Vec<Option<Found<V>>>,
    /// To be given to [`Cache::keep`] with what is made now.
    pub born: Born,
}

impl<V: Value> Cache<V> {
    /// What is kept under these keys, in their order. What is stale counts as missing: whoever asks for
    /// several makes the missing ones with one call.
    pub async fn lookup(&self, keys: &[Key]) -> Lookup<V> {
        let inner = &self.0;
        let (mut found, mut spare) = (Vec::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
        let mut missing = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let (here, newer, rest) = match inner.memory.read(key, &inner.tags, inner.tags.now_us()) {
                Read::Serve(entry) if entry.worth(inner.tags.now_us()) == Worth::Fresh => {
                    (Some(entry), None, None)
                }
                Read::Ask(entry, newer) | Read::ServeAndAsk(entry, newer) => (None, newer, Some(entry)),
                Read::Serve(entry) => (None, Some(entry.made_at_us), Some(entry)),
                Read::Nothing => (None, None, None),
            };
            if here.is_none() {
                missing.push((at, newer));
            }
            found.push(here.map(|entry| self.found(&entry, Source::Memory)));
            spare.push(rest);
        }
        let mut born = inner.tags.born_here();
        let connection = born.connection;
        if let Some(redis) = inner.tags.redis().filter(|_| !missing.is_empty()) {
            let reads = join_all(missing.iter().map(|(at, _)| self.read(redis, &keys[*at])));
            let (kept, now) = tokio::join!(reads, inner.tags.born());
            born = now;
            let holding = join_all(kept.into_iter().map(|entry| self.holding(redis, entry, born))).await;
            for ((at, newer), entry) in missing.into_iter().zip(holding) {
                let Some(entry) = entry.map(Arc::new) else { continue };
                let is_newer = newer.is_none_or(|moment| entry.made_at_us > moment);
                match entry.worth(inner.tags.now_us()) {
                    Worth::Fresh if is_newer => {
                        inner.memory.keep(&keys[at], Arc::clone(&entry), &inner.tags, connection);
                        found[at] = Some(self.found(&entry, Source::Redis));
                    }
                    Worth::Nothing => {}
                    _ => spare[at] = Some(entry),
                }
            }
        }
        let spare = spare
            .into_iter()
            .map(|entry| entry.map(|entry| self.found_quietly(&entry, Source::Stale)))
            .collect();
        Lookup { found, spare, born }
    }

    /// Keeps what was made after `born` was taken.
    pub async fn keep(&self, key: &Key, value: V, policy: &Policy, born: Born) {
        if !self.fits(&value, policy) {
            return;
        }
        let inner = &self.0;
        let entry = Arc::new(Entry::new(value, policy, inner.tags.now_us(), 0, born.epoch));
        inner.memory.keep(key, Arc::clone(&entry), &inner.tags, born.connection);
        self.write(key, &entry, born).await;
    }
}
