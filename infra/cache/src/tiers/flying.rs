//! One making of a value, from Redis or anew.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use super::{Cache, Failed, Loaded, Source};
use crate::connection::Redis;
use crate::entry::{Entry, Policy, TAGS_MAX, Worth};
use crate::flight::{Landed, Landing};
use crate::key::Key;
use crate::tags::{Born, ENTRY_LIFE_MAX};
use crate::value::Value;

/// No making counts as dearer, or it would be repeated all the time.
const COST_US_MAX: i64 = 60_000_000;

impl<V: Value> Cache<V> {
    /// Makes the value, keeps it in memory, and tells those who wait; gives what is for Redis, too. With
    /// `newer`, only one made after that moment will do.
    pub(super) async fn fly<F, L, E>(
        &self,
        key: &Key,
        newer: Option<i64>,
        load: F,
        landing: &Landing<V>,
    ) -> Option<(Arc<Entry<V>>, Born)>
    where
        F: FnOnce() -> L + Send,
        L: Future<Output = Result<Loaded<V>, E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let inner = &self.0;
        let connection = inner.tags.connection();
        let (kept, born) = self.look(key).await;
        let mut spare = None;
        if let Some(entry) = kept.map(Arc::new) {
            let is_newer = newer.is_none_or(|moment| entry.made_at_us > moment);
            match entry.worth(inner.tags.now_us()) {
                Worth::Fresh if is_newer => {
                    inner.memory.keep(key, Arc::clone(&entry), &inner.tags, connection);
                    landing.send_replace(Some(Landed::Kept(entry, Source::Redis)));
                    return None;
                }
                Worth::Stale if is_newer => {
                    // Served to all who wait and come while it is made anew here.
                    inner.memory.keep(key, Arc::clone(&entry), &inner.tags, connection);
                    landing.send_replace(Some(Landed::Kept(entry, Source::Stale)));
                }
                Worth::Nothing => {}
                Worth::Fresh | Worth::Stale | Worth::Spare => spare = Some(entry),
            }
        }
        let begun_us = inner.tags.now_us();
        inner.meters.load();
        let made = load().await.map_err(Failed::of);
        match made {
            Ok(Loaded::Keep(value, policy)) if self.fits(&value, &policy) => {
                let cost_us = (inner.tags.now_us() - begun_us).clamp(0, COST_US_MAX);
                let entry = Arc::new(Entry::new(value, &policy, begun_us, cost_us, born.epoch));
                inner.memory.keep(key, Arc::clone(&entry), &inner.tags, connection);
                landing.send_replace(Some(Landed::Kept(Arc::clone(&entry), Source::Loaded)));
                return Some((entry, born));
            }
            Ok(Loaded::Keep(value, _) | Loaded::Share(value)) => {
                landing.send_replace(Some(Landed::Shared(value)));
            }
            Err(failed) => {
                let spare = spare.or_else(|| inner.memory.spare(key, &inner.tags, inner.tags.now_us()));
                let Some(entry) = spare else {
                    landing.send_replace(Some(Landed::Failed(failed)));
                    return None;
                };
                inner.meters.made_do();
                inner.memory.make_do(key, Arc::clone(&entry), &inner.tags);
                landing.send_replace(Some(Landed::Kept(entry, Source::Stale)));
            }
        }
        None
    }

    /// What Redis keeps and still holds, and the epoch in which a making that begins now is born.
    async fn look(&self, key: &Key) -> (Option<Entry<V>>, Born) {
        let tags = &self.0.tags;
        let Some(redis) = tags.redis() else { return (None, tags.born().await) };
        let (kept, born) = tokio::join!(self.read(redis, key), tags.born());
        (self.holding(redis, kept, born).await, born)
    }

    /// An entry from Redis, if Redis says that it holds.
    pub(super) async fn holding(
        &self,
        redis: &Redis,
        kept: Option<Entry<V>>,
        born: Born,
    ) -> Option<Entry<V>> {
        let entry = kept.filter(|_| born.known)?;
        self.0.tags.hold_in_redis(redis, &entry, born.epoch).await.then_some(entry)
    }

    pub(super) async fn read(&self, redis: &Redis, key: &Key) -> Option<Entry<V>> {
        let mut get = redis::cmd("GET");
        get.arg(key.text(redis.prefix()));
        Entry::decode(redis.query::<Option<Bytes>>(&get).await.ok()??)
    }

    /// Keeps an entry in Redis, when Redis knows in which epoch it was born.
    pub(super) async fn write(&self, key: &Key, entry: &Entry<V>, born: Born) {
        let tags = &self.0.tags;
        let Some(redis) = tags.redis().filter(|_| born.known && tags.hold(entry)) else { return };
        let left_ms = entry.left(tags.now_us()).min(ENTRY_LIFE_MAX).as_millis();
        if left_ms == 0 {
            return;
        }
        let mut set = redis::cmd("SET");
        set.arg(key.text(redis.prefix())).arg(entry.encode().as_ref()).arg("PX").arg(left_ms as u64);
        // Without it, other processes make their own.
        _ = redis.query::<redis::Value>(&set).await;
    }

    pub(super) fn fits(&self, value: &V, policy: &Policy) -> bool {
        value.weight_bytes() <= self.0.settings.value_bytes_max && policy.tags.len() <= TAGS_MAX
    }
}
