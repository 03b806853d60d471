//! Quotas in memory alone, on Redis, and on a Redis Cluster.
#![allow(clippy::unwrap_used, reason = "a test stops where its world breaks")]

use std::time::Duration;

use cache::{Redis, RedisConfig};
use clock::Clock;
use proptest::prelude::*;
use quota::{Quotas, Rate, Verdict};

/// Ten at once, one more every six seconds.
const RATE: Rate = Rate::new(10, 60);

struct World {
    config: RedisConfig,
    clock: Clock,
}

macro_rules! facts {
    ($($fact:ident),+ $(,)?) => {
        mod in_memory {$(
            #[tokio::test]
            async fn $fact() { super::$fact(super::World::in_memory()).await; }
        )+}
        mod on_redis {$(
            #[tokio::test]
            async fn $fact() {
                if let Some(world) = super::World::on("PRATU_TEST_REDIS") { super::$fact(world).await; }
            }
        )+}
        mod on_cluster {$(
            #[tokio::test]
            async fn $fact() {
                if let Some(world) = super::World::on("PRATU_TEST_REDIS_CLUSTER") { super::$fact(world).await; }
            }
        )+}
    };
}

facts!(
    a_burst_passes_and_then_the_rate,
    several_units_pass_together_or_not_at_all,
    more_than_the_burst_never_passes,
    asking_for_nothing_tells_how_things_stand,
    one_does_not_use_up_anothers,
    a_thousand_at_once_take_no_more_than_there_is,
);

impl World {
    #[allow(clippy::disallowed_methods, reason = "a name of its own on a shared server, not an id")]
    fn in_memory() -> Self {
        let prefix = uuid::Uuid::now_v7().simple().to_string();
        let config =
            RedisConfig { prefix, timeout_ms: 5_000, connect_timeout_ms: 5_000, ..RedisConfig::default() };
        // On Redis it is the server's clock that runs; both are moved, not waited for.
        Self { config, clock: Clock::system() }
    }

    #[allow(clippy::disallowed_methods, reason = "tests are told by the environment where servers are")]
    fn on(variable: &str) -> Option<Self> {
        let Some(url) = std::env::var(variable).ok().filter(|url| !url.is_empty()) else {
            eprintln!("skipped: {variable} names no server");
            return None;
        };
        let mut world = Self::in_memory();
        world.config.urls = vec![url.as_str().into()];
        Some(world)
    }

    fn process(&self) -> Quotas {
        Quotas::new(Redis::open(&self.config).expect("an address"), self.clock.clone())
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(chrono::Duration::seconds(seconds));
    }
}

async fn take(quotas: &Quotas, units: u32) -> Verdict {
    quotas.take("client", "a", units, &RATE).await
}

/// A clock that runs may show a second more.
fn about(span: Duration, seconds: u64) -> bool {
    let most = Duration::from_secs(seconds);
    span <= most && span + Duration::from_secs(5) > most
}

async fn a_burst_passes_and_then_the_rate(world: World) {
    let quotas = world.process();
    for taken in 1..=10 {
        let verdict = take(&quotas, 1).await;
        assert!(verdict.allowed && verdict.retry_after.is_none());
        assert_eq!((verdict.limit, verdict.remaining), (10, 10 - taken));
        assert!(about(verdict.reset, 6 * u64::from(taken)), "{verdict:?}");
    }
    let refused = take(&quotas, 1).await;
    assert!(!refused.allowed && refused.remaining == 0, "{refused:?}");
    assert!(about(refused.retry_after.unwrap(), 6), "{refused:?}");
    assert!((1..=6).contains(&refused.retry_after_s().unwrap()));
    world.pass(6);
    assert!(take(&quotas, 1).await.allowed);
    assert!(!take(&quotas, 1).await.allowed);
    world.pass(60);
    assert_eq!(take(&quotas, 1).await.remaining, 9, "all is there again, and no more than all");
}

async fn several_units_pass_together_or_not_at_all(world: World) {
    let quotas = world.process();
    assert_eq!(take(&quotas, 8).await.remaining, 2);
    let refused = take(&quotas, 5).await;
    assert_eq!((refused.allowed, refused.remaining), (false, 2));
    assert!(about(refused.retry_after.unwrap(), 18), "three units are missing: {refused:?}");
    assert!(take(&quotas, 2).await.allowed, "what was refused took nothing");
}

async fn more_than_the_burst_never_passes(world: World) {
    let quotas = world.process();
    let refused = take(&quotas, 11).await;
    assert_eq!((refused.allowed, refused.retry_after, refused.remaining), (false, None, 10));
}

async fn asking_for_nothing_tells_how_things_stand(world: World) {
    let quotas = world.process();
    assert_eq!(take(&quotas, 0).await.remaining, 10);
    take(&quotas, 4).await;
    for _ in 0..20 {
        let verdict = take(&quotas, 0).await;
        assert_eq!((verdict.allowed, verdict.remaining), (true, 6));
    }
}

async fn one_does_not_use_up_anothers(world: World) {
    let quotas = world.process();
    take(&quotas, 10).await;
    assert_eq!(quotas.take("client", "b", 1, &RATE).await.remaining, 9);
    assert_eq!(quotas.take("person", "a", 1, &RATE).await.remaining, 9);
    assert_eq!(quotas.take("client", "a", 1, &Rate::new(5, 1)).await.remaining, 4, "another rate");
}

async fn a_thousand_at_once_take_no_more_than_there_is(world: World) {
    // Nothing comes back while it lasts.
    const SLOW: Rate = Rate::new(100, 360_000);
    // Where they count together, several processes are as one.
    let processes: Vec<Quotas> = match world.config.urls.is_empty() {
        true => vec![world.process()],
        false => (0..3).map(|_| world.process()).collect(),
    };
    let asked: Vec<_> = (0..1000)
        .map(|number| {
            let quotas = processes[number % processes.len()].clone();
            tokio::spawn(async move { quotas.take("client", "a", 1, &SLOW).await.allowed })
        })
        .collect();
    let mut taken = 0;
    for one in asked {
        taken += u32::from(one.await.unwrap());
    }
    assert_eq!(taken, 100);
}

#[tokio::test]
async fn a_rate_of_any_size_is_reckoned_with() {
    let world = World::in_memory();
    let slowest = Rate::new(1, u32::MAX);
    let refused = world.process().take("client", "a", u32::MAX, &slowest).await;
    assert_eq!((refused.allowed, refused.retry_after, refused.remaining), (false, None, 1));
    let refused = world.process().take("client", "a", u32::MAX, &Rate::new(0, 0)).await;
    assert!(!refused.allowed);
}

#[tokio::test]
async fn with_redis_dead_each_process_counts_for_itself() {
    let mut world = World::in_memory();
    world.config.urls = vec!["redis://127.0.0.1:1".into()];
    let (one, other) = (world.process(), world.process());
    assert!(take(&one, 10).await.allowed && !take(&one, 1).await.allowed);
    assert!(take(&other, 10).await.allowed, "it does not know of the first");
}

proptest! {
    /// However one asks, no stretch of time gives more than a burst and what came back in it.
    #[test]
    fn no_stretch_of_time_gives_more_than_the_rate(
        asks in proptest::collection::vec((0i64..30, 0u32..6), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let instant: chrono::DateTime<chrono::Utc> = "2026-11-23T03:00:00Z".parse().unwrap();
        let clock = Clock::at(instant);
        let quotas = Quotas::new(None, clock.clone());
        let (mut now, mut given) = (0i64, Vec::new());
        for (wait_s, units) in asks {
            clock.advance(chrono::Duration::seconds(wait_s));
            now += wait_s;
            if runtime.block_on(take(&quotas, units)).allowed {
                given.push((now, i64::from(units)));
            }
        }
        for from in 0..given.len() {
            let mut sum = 0;
            for (at, units) in &given[from..] {
                sum += units;
                prop_assert!(sum * 6 <= 60 + (at - given[from].0), "{given:?}");
            }
        }
    }
}
