//! Values that are taken once: nonces of proofs and signatures.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::policy::EvictionPolicy;
use moka::sync::Cache as Moka;

use crate::connection::Redis;
use crate::key::Key;

/// Values remembered by this process, about 100 bytes each; beyond, the oldest are forgotten first.
const REMEMBERED_MAX: u64 = 1_000_000;

/// Remembers values for as long as they could be taken again. Cloning shares the memory.
///
/// With Redis, all processes remember together. While Redis is dead each remembers what it saw itself: a
/// value could then be taken once by each process. Who cannot bear that needs a database.
#[derive(Clone)]
pub struct Seen {
    memory: Moka<Key, Duration>,
    redis: Option<Redis>,
}

struct Lives;

impl Expiry<Key, Duration> for Lives {
    fn expire_after_create(&self, _: &Key, life: &Duration, _: Instant) -> Option<Duration> {
        Some(*life)
    }
}

impl Seen {
    pub fn new(redis: Option<Redis>) -> Self {
        let memory = Moka::builder()
            .max_capacity(REMEMBERED_MAX)
            // By default a full memory would rather forget the newest.
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(Lives)
            .build();
        Self { memory, redis }
    }

    /// Whether nobody showed this value within its life; from now on somebody has.
    pub async fn first_time(&self, namespace: &'static str, value: &[u8], life: Duration) -> bool {
        let key = Key::new(namespace, &[value]);
        if !self.memory.entry(key).or_insert(life).is_fresh() {
            return false;
        }
        let Some(redis) = &self.redis else { return true };
        let (text, mark) = (key.text(redis.prefix()), rand::random::<u64>());
        let life_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut set = redis::cmd("SET");
        set.arg(&text).arg(mark).arg("NX").arg("PX").arg(life_ms);
        match redis.query::<Option<String>>(&set).await {
            Ok(Some(_)) | Err(_) => true,
            // The client of a Cluster repeats a command whose answer was lost: then the mark is our own.
            Ok(None) => redis.query::<Option<u64>>(redis::cmd("GET").arg(&text)).await == Ok(Some(mark)),
        }
    }
}
