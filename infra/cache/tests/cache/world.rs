//! Processes that share a clock and, where there is one, a Redis.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cache::{Cache, Failed, Found, Key, Loaded, Policy, Redis, RedisConfig, Seen, Settings, Tag, Tags, Wake};
use clock::Clock;

/// Patience with another process; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// One installation, apart from all others on the same server.
pub struct World {
    pub config: RedisConfig,
    pub clock: Clock,
}

/// One process of it.
pub struct Process {
    pub cache: Cache<Bytes>,
    pub tags: Tags,
    pub redis: Option<Redis>,
    pub seen: Seen,
    pub wake: Wake,
}

/// A loader that counts how often it runs.
#[derive(Clone, Default)]
pub struct Loads(Arc<AtomicUsize>);

/// Makes each fact a test in memory alone, on Redis and on a Cluster; with `shared:` only on the latter two.
macro_rules! facts {
    (shared: $($fact:ident),+ $(,)?) => {
        mod on_redis {$(
            #[tokio::test]
            async fn $fact() {
                if let Some(world) = $crate::world::World::on("PRATU_TEST_REDIS") { super::$fact(world).await; }
            }
        )+}
        mod on_cluster {$(
            #[tokio::test]
            async fn $fact() {
                if let Some(world) = $crate::world::World::on("PRATU_TEST_REDIS_CLUSTER") { super::$fact(world).await; }
            }
        )+}
    };
    ($($fact:ident),+ $(,)?) => {
        mod in_memory {$(
            #[tokio::test]
            async fn $fact() { super::$fact($crate::world::World::in_memory()).await; }
        )+}
        facts!(shared: $($fact),+);
    };
}
pub(crate) use facts;

impl World {
    pub fn in_memory() -> Self {
        let instant = "2026-11-23T03:00:00Z".parse().expect("an instant");
        let prefix = uuid::Uuid::from_u128(rand_number()).simple().to_string();
        // The machine that runs the tests may be slow; those about slowness say otherwise.
        let config =
            RedisConfig { prefix, timeout_ms: 5_000, connect_timeout_ms: 5_000, ..RedisConfig::default() };
        Self { config, clock: Clock::at(instant) }
    }

    /// `None`, said aloud, where there is no such server.
    #[allow(clippy::disallowed_methods, reason = "tests are told by the environment where servers are")]
    pub fn on(variable: &str) -> Option<Self> {
        let Some(url) = std::env::var(variable).ok().filter(|url| !url.is_empty()) else {
            eprintln!("skipped: {variable} names no server");
            return None;
        };
        Some(Self::in_memory().at(&url))
    }

    pub fn at(mut self, url: &str) -> Self {
        self.config.urls = vec![url.into()];
        self
    }

    pub fn process(&self) -> Process {
        self.process_with(Settings {
            name: "test",
            bytes_max: 1 << 20,
            value_bytes_max: 100_000,
            wait_ms: 60_000,
        })
    }

    pub fn process_with(&self, settings: Settings) -> Process {
        let redis = Redis::open(&self.config).expect("an address");
        let tags = Tags::new(redis.clone(), self.clock.clone());
        let cache = Cache::new(settings, tags.clone());
        let (seen, wake) = (Seen::new(redis.clone()), Wake::new(redis.clone()));
        Process { cache, tags, redis, seen, wake }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(chrono::Duration::seconds(seconds));
    }
}

impl Process {
    /// What is served under `key`; made as `text` when it has to be made.
    pub async fn get(&self, key: &Key, text: &str, policy: &Policy, loads: &Loads) -> Found<Bytes> {
        self.try_get(key, loads.making(text, policy)).await.expect("it is made")
    }

    /// The connection on which `other` hears us is open.
    pub async fn is_heard_by(&self, other: &Self) {
        let mut listener = other.wake.listen("are you there");
        until("the processes hear each other", async || {
            self.wake.wake("are you there");
            tokio::time::timeout(Duration::from_millis(50), listener.woken()).await.is_ok()
        })
        .await;
    }

    pub async fn try_get<F, L>(&self, key: &Key, load: F) -> Result<Found<Bytes>, Failed>
    where
        F: FnOnce() -> L + Send + 'static,
        L: Future<Output = Result<Loaded<Bytes>, String>> + Send + 'static,
    {
        self.cache.get(key, load).await
    }
}

impl Loads {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn making(
        &self,
        text: &str,
        policy: &Policy,
    ) -> impl FnOnce() -> std::future::Ready<Result<Loaded<Bytes>, String>> + Send + use<> {
        let (loads, value, policy) = (self.clone(), Bytes::copy_from_slice(text.as_bytes()), policy.clone());
        move || {
            loads.add();
            std::future::ready(Ok(Loaded::Keep(value, policy)))
        }
    }

    pub fn failing(
        &self,
    ) -> impl FnOnce() -> std::future::Ready<Result<Loaded<Bytes>, String>> + Send + use<> {
        let loads = self.clone();
        move || {
            loads.add();
            std::future::ready(Err("the backend is gone".to_owned()))
        }
    }
}

pub fn key(name: &str) -> Key {
    Key::new("test", &[name.as_bytes()])
}

pub fn tag(name: &str) -> Tag {
    Tag::new("thing", name)
}

/// Ten seconds fresh (more or less one), then ten stale, then until a hundred in need.
pub fn policy() -> Policy {
    Policy {
        ttl: Duration::from_secs(10),
        stale_while_revalidate: Duration::from_secs(10),
        stale_if_error: Duration::from_secs(90),
        tags: vec![tag("one")],
    }
}

/// The same without any use of the stale.
pub fn strict() -> Policy {
    Policy { stale_while_revalidate: Duration::ZERO, stale_if_error: Duration::ZERO, ..policy() }
}

/// Looks until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "not in time: {what}");
}

#[allow(clippy::disallowed_methods, reason = "a name of its own on a shared server, not an id")]
fn rand_number() -> u128 {
    uuid::Uuid::now_v7().as_u128()
}
