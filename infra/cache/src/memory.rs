//! The tier in the process: bounded in bytes, trusted for a few seconds at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache as Moka;

use crate::entry::{Entry, Worth, micros};
use crate::key::Key;
use crate::tags::Tags;
use crate::value::Value;

/// How long this tier is trusted before Redis is asked again: whatever message is lost, nothing that was
/// invalidated is served for longer.
const TRUST: Duration = Duration::from_secs(5);
/// From this part of that time on, one reader asks while the others are served.
const RECHECK: std::ops::Range<f64> = 0.6..0.9;
/// How long a failed attempt to make a value anew is not repeated while an old one can be served.
const RETRY: Duration = Duration::from_secs(1);

pub struct Memory<V> {
    slots: Moka<Key, Slot<V>, foldhash::fast::RandomState>,
}

#[derive(Clone)]
struct Slot<V> {
    entry: Arc<Entry<V>>,
    trusted_until_us: i64,
    recheck_at_us: i64,
    retry_at_us: i64,
    connection: u64,
    left: Duration,
}

/// What a reader does.
pub enum Read<V> {
    Serve(Arc<Entry<V>>),
    /// Serves it, and sees to a newer one: newer than the given moment, or as Redis has it.
    ServeAndAsk(Arc<Entry<V>>, Option<i64>),
    /// Asks first; what is here is better than nothing.
    Ask(Arc<Entry<V>>, Option<i64>),
    Nothing,
}

struct Lives;

impl<V> Expiry<Key, Slot<V>> for Lives {
    fn expire_after_create(&self, _: &Key, slot: &Slot<V>, _: Instant) -> Option<Duration> {
        Some(slot.left)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        slot: &Slot<V>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(slot.left)
    }
}

impl<V: Value> Memory<V> {
    pub fn new(bytes_max: u64) -> Self {
        let weigh = |_: &Key, slot: &Slot<V>| {
            let bytes = slot.entry.weight_bytes() + size_of::<Key>() + size_of::<Slot<V>>();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let slots = Moka::builder().max_capacity(bytes_max).weigher(weigh).expire_after(Lives);
        Self { slots: slots.build_with_hasher(foldhash::fast::RandomState::default()) }
    }

    pub fn read(&self, key: &Key, tags: &Tags, now_us: i64) -> Read<V> {
        let Some(Slot { entry, trusted_until_us, recheck_at_us, retry_at_us, connection, .. }) =
            self.slots.get(key)
        else {
            return Read::Nothing;
        };
        let worth = entry.worth(now_us);
        if worth == Worth::Nothing || !tags.hold(&entry) {
            return Read::Nothing;
        }
        let made_at_us = entry.made_at_us;
        if now_us >= trusted_until_us || connection != tags.connection() {
            return Read::Ask(entry, None);
        }
        match worth {
            Worth::Fresh if entry.is_due_early(now_us) => Read::ServeAndAsk(entry, Some(made_at_us)),
            Worth::Fresh if now_us >= recheck_at_us => Read::ServeAndAsk(entry, None),
            Worth::Fresh => Read::Serve(entry),
            _ if now_us < retry_at_us => Read::Serve(entry),
            Worth::Stale => Read::ServeAndAsk(entry, Some(made_at_us)),
            Worth::Spare | Worth::Nothing => Read::Ask(entry, Some(made_at_us)),
        }
    }

    /// What could be served for want of better.
    pub fn spare(&self, key: &Key, tags: &Tags, now_us: i64) -> Option<Arc<Entry<V>>> {
        let entry = self.slots.get(key)?.entry;
        (entry.worth(now_us) != Worth::Nothing && tags.hold(&entry)).then_some(entry)
    }

    /// Keeps an entry and trusts it from now on. `connection` was read before the entry was checked.
    pub fn keep(&self, key: &Key, entry: Arc<Entry<V>>, tags: &Tags, connection: u64) {
        let now_us = tags.now_us();
        let here = self.slots.get(key).map(|slot| slot.entry);
        if here.is_some_and(|here| here.born > entry.born && tags.hold(&here)) {
            // Two made it at once, and this one began before a change.
            return;
        }
        let (trusted_until_us, recheck_at_us) = match tags.redis() {
            // Nobody else can change what is kept here.
            None => (i64::MAX, i64::MAX),
            Some(_) => {
                let part = RECHECK.start + (RECHECK.end - RECHECK.start) * rand::random::<f64>();
                let trust_us = micros(TRUST);
                (now_us + trust_us, now_us + (trust_us as f64 * part) as i64)
            }
        };
        let left = entry.left(now_us);
        let slot = Slot { entry, trusted_until_us, recheck_at_us, retry_at_us: i64::MIN, connection, left };
        self.slots.insert(*key, slot);
    }

    /// Keeps what could not be made anew, and leaves it alone for a moment.
    pub fn make_do(&self, key: &Key, entry: Arc<Entry<V>>, tags: &Tags) {
        let now_us = tags.now_us();
        let retry_at_us = now_us + micros(RETRY);
        let (left, connection) = (entry.left(now_us), tags.connection());
        let slot = Slot {
            entry,
            trusted_until_us: retry_at_us,
            recheck_at_us: retry_at_us,
            retry_at_us,
            connection,
            left,
        };
        self.slots.insert(*key, slot);
    }

    /// Bytes kept, once pending work is done.
    pub fn bytes(&self) -> u64 {
        self.slots.run_pending_tasks();
        self.slots.weighted_size()
    }
}
