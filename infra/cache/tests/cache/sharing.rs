//! Two processes, one Redis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cache::{Loaded, Policy, Source};
use tokio::sync::Semaphore;

use crate::world::{Loads, World, facts, key, policy, tag, until};

facts!(
    shared:
    what_one_process_made_the_other_serves,
    an_invalidation_reaches_the_other_process_within_a_second,
    what_was_read_before_another_process_changed_it_is_not_kept,
    a_process_that_starts_later_knows_what_was_invalidated,
    one_refreshed_and_the_other_serves_it,
    several_addresses_are_one_cluster_or_the_first_is_asked,
);

async fn in_redis(world: &World, name: &str) {
    let other = world.process();
    until("Redis has it", async || other.cache.lookup(&[key(name)]).await.found[0].is_some()).await;
}

async fn what_one_process_made_the_other_serves(world: World) {
    let (one, other, loads) = (world.process(), world.process(), Loads::default());
    one.get(&key("a"), "1", &policy(), &loads).await;
    in_redis(&world, "a").await;
    world.pass(3);
    let found = other.get(&key("a"), "2", &policy(), &loads).await;
    assert_eq!(
        (&found.value[..], found.source, found.age),
        (&b"1"[..], Source::Redis, Duration::from_secs(3))
    );
    assert_eq!(other.get(&key("a"), "2", &policy(), &loads).await.source, Source::Memory);
    assert_eq!(loads.count(), 1);
}

async fn an_invalidation_reaches_the_other_process_within_a_second(world: World) {
    let (one, other, loads) = (world.process(), world.process(), Loads::default());
    other.get(&key("warm"), "0", &policy(), &loads).await;
    one.is_heard_by(&other).await;
    let mut slowest = Duration::ZERO;
    for round in 0..10 {
        let (old, new) = (format!("old {round}"), format!("new {round}"));
        one.get(&key(&old), &old, &policy(), &loads).await;
        in_redis(&world, &old).await;
        assert_eq!(other.get(&key(&old), &new, &policy(), &loads).await.value, old);
        let changed = Instant::now();
        one.tags.invalidate(&[tag("one")]).await;
        until("the other process serves the new value", async || {
            other.get(&key(&old), &new, &policy(), &loads).await.value == new
        })
        .await;
        slowest = slowest.max(changed.elapsed());
    }
    println!("the slowest of ten invalidations took {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

async fn what_was_read_before_another_process_changed_it_is_not_kept(world: World) {
    let (one, other, loads) = (world.process(), Arc::new(world.process()), Loads::default());
    let gate = Arc::new(Semaphore::new(0));
    let early = {
        let (other, loads, gate) = (Arc::clone(&other), loads.clone(), Arc::clone(&gate));
        tokio::spawn(async move {
            let load = move || async move {
                loads.add();
                gate.acquire().await.expect("it stays open").forget();
                Ok(Loaded::Keep(Bytes::from_static(b"old"), policy()))
            };
            other.try_get(&key("a"), load).await
        })
    };
    until("the load begins", async || loads.count() == 1).await;
    assert!(one.tags.invalidate(&[tag("one")]).await);
    gate.add_permits(1);
    early.await.expect("no panic").expect("it is served to who asked before");
    until("the other process serves the new value", async || {
        other.get(&key("a"), "new", &policy(), &loads).await.value == "new"
    })
    .await;
    in_redis(&world, "a").await;
    let late = world.process();
    assert_eq!(late.get(&key("a"), "newer", &policy(), &loads).await.value, "new");
}

async fn a_process_that_starts_later_knows_what_was_invalidated(world: World) {
    let (one, other, loads) = (world.process(), world.process(), Loads::default());
    one.get(&key("a"), "old", &policy(), &loads).await;
    in_redis(&world, "a").await;
    other.tags.invalidate(&[tag("one")]).await;
    let late = world.process();
    assert_eq!(late.get(&key("a"), "new", &policy(), &loads).await.value, "new");
}

async fn one_refreshed_and_the_other_serves_it(world: World) {
    let (one, other, loads) = (world.process(), world.process(), Loads::default());
    let policy = Policy { stale_while_revalidate: Duration::from_secs(1000), ..policy() };
    one.get(&key("a"), "old", &policy, &loads).await;
    in_redis(&world, "a").await;
    other.get(&key("a"), "old", &policy, &loads).await;
    world.pass(15);
    one.tags.invalidate(&[tag("another")]).await;
    until("one has refreshed", async || one.get(&key("a"), "new", &policy, &loads).await.value == "new")
        .await;
    in_redis(&world, "a").await;
    until("the other follows", async || other.get(&key("a"), "never", &policy, &loads).await.value == "new")
        .await;
    assert_eq!(loads.count(), 2, "the first, and one refresh for both");
}

async fn several_addresses_are_one_cluster_or_the_first_is_asked(world: World) {
    let Some(first) = world.config.urls.first().map(ToString::to_string) else { return };
    let Some(seed) = first.strip_prefix("redis-cluster:") else { return };
    let mut config = world.config.clone();
    config.urls = vec![format!("redis:{seed}").as_str().into(), format!("redis:{seed}").as_str().into()];
    let (one, loads) = (World { config, clock: world.clock.clone() }.process(), Loads::default());
    one.get(&key("a"), "1", &policy(), &loads).await;
    in_redis(&world, "a").await;
}
