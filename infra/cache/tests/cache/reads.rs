//! Reading: what is served, how old it is, and how often it is made.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{Failed, Loaded, Settings, Source};
use futures::future::join_all;
use futures::poll;
use tokio::sync::Semaphore;

use crate::world::{Loads, World, facts, key, policy, strict, until};

facts!(
    a_value_is_made_once_and_tells_its_age,
    a_thousand_readers_of_an_expired_key_cause_one_load,
    a_stale_value_is_served_while_one_refresh_runs,
    a_client_that_leaves_does_not_stop_the_making,
    who_waits_too_long_is_told,
    what_is_too_large_is_served_and_not_kept,
    memory_is_bounded,
);

async fn a_value_is_made_once_and_tells_its_age(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    let first = process.get(&key("a"), "1", &policy(), &loads).await;
    assert_eq!((first.source, first.age), (Source::Loaded, Duration::ZERO));
    assert!((9..=11).contains(&first.ttl_left.as_secs()), "{first:?}");
    world.pass(2);
    let second = process.get(&key("a"), "2", &policy(), &loads).await;
    assert_eq!((&second.value[..], second.age), (&b"1"[..], Duration::from_secs(2)));
    assert_ne!(second.source, Source::Loaded);
    assert_eq!(first.ttl_left - second.ttl_left, Duration::from_secs(2));
    process.get(&key("b"), "2", &policy(), &loads).await;
    assert_eq!(loads.count(), 2);
}

async fn a_thousand_readers_of_an_expired_key_cause_one_load(world: World) {
    let (process, loads) = (Arc::new(world.process()), Loads::default());
    process.get(&key("a"), "old", &strict(), &loads).await;
    world.pass(20);
    let gate = Arc::new(Semaphore::new(0));
    let readers: Vec<_> = (0..1000)
        .map(|_| {
            let (process, loads, gate) = (Arc::clone(&process), loads.clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                let load = move || async move {
                    loads.add();
                    gate.acquire().await.expect("it stays open").forget();
                    Ok(Loaded::Keep(Bytes::from_static(b"new"), strict()))
                };
                process.try_get(&key("a"), load).await.expect("it is made").value
            })
        })
        .collect();
    until("the load begins", async || loads.count() > 1).await;
    gate.add_permits(1000);
    let values = join_all(readers).await;
    assert!(values.into_iter().all(|value| value.unwrap() == "new"));
    assert_eq!(loads.count(), 2, "one at first, one for all thousand");
}

async fn a_stale_value_is_served_while_one_refresh_runs(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    process.get(&key("a"), "old", &policy(), &loads).await;
    // Memory is not trusted that long where Redis is: the value is asked for there, stale as it is.
    if process.redis.is_some() {
        let other = world.process();
        until("Redis has it", async || other.cache.lookup(&[key("a")]).await.found[0].is_some()).await;
    }
    world.pass(12);
    let gate = Arc::new(Semaphore::new(0));
    for _ in 0..100 {
        let (loads, gate) = (loads.clone(), Arc::clone(&gate));
        let load = move || async move {
            loads.add();
            gate.acquire().await.expect("it stays open").forget();
            Ok(Loaded::Keep(Bytes::from_static(b"new"), policy()))
        };
        let found = process.try_get(&key("a"), load).await.expect("stale is better than waiting");
        assert_eq!((&found.value[..], found.source), (&b"old"[..], Source::Stale));
        assert_eq!((found.age, found.ttl_left), (Duration::from_secs(12), Duration::ZERO));
    }
    gate.add_permits(100);
    until("the refresh is done", async || {
        process.get(&key("a"), "never", &policy(), &loads).await.value == "new"
    })
    .await;
    assert_eq!(loads.count(), 2);
}

async fn a_client_that_leaves_does_not_stop_the_making(world: World) {
    let (process, loads) = (Arc::new(world.process()), Loads::default());
    let gate = Arc::new(Semaphore::new(0));
    let leader = {
        let (process, loads, gate) = (Arc::clone(&process), loads.clone(), Arc::clone(&gate));
        tokio::spawn(async move {
            let load = move || async move {
                loads.add();
                gate.acquire().await.expect("it stays open").forget();
                Ok(Loaded::Keep(Bytes::from_static(b"made"), policy()))
            };
            process.try_get(&key("a"), load).await
        })
    };
    until("the load begins", async || loads.count() == 1).await;
    let (name, policy) = (key("a"), policy());
    let mut follower = pin!(process.get(&name, "its own", &policy, &loads));
    assert!(poll!(&mut follower).is_pending());
    leader.abort();
    assert!(leader.await.is_err_and(|error| error.is_cancelled()));
    gate.add_permits(1);
    assert_eq!(follower.await.value, "made");
    assert_eq!(loads.count(), 1);
}

async fn who_waits_too_long_is_told(world: World) {
    let settings = Settings { name: "test", bytes_max: 1 << 20, value_bytes_max: 1000, wait_ms: 1 };
    let (process, loads) = (Arc::new(world.process_with(settings)), Loads::default());
    let gate = Arc::new(Semaphore::new(0));
    let leader = {
        let (process, loads, gate) = (Arc::clone(&process), loads.clone(), Arc::clone(&gate));
        tokio::spawn(async move {
            let load = move || async move {
                loads.add();
                gate.acquire().await.expect("it stays open").forget();
                Ok(Loaded::Keep(Bytes::from_static(b"made"), policy()))
            };
            process.try_get(&key("a"), load).await
        })
    };
    until("the load begins", async || loads.count() == 1).await;
    let follower = process.try_get(&key("a"), loads.making("its own", &policy())).await;
    assert!(matches!(follower, Err(Failed::Waited)), "{follower:?}");
    gate.add_permits(1);
    assert_eq!(leader.await.unwrap().expect("the first waits for its own").value, "made");
}

async fn what_is_too_large_is_served_and_not_kept(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    let large = "x".repeat(100_001);
    for _ in 0..2 {
        let found = process.get(&key("a"), &large, &policy(), &loads).await;
        assert_eq!((found.value.len(), found.ttl_left), (100_001, Duration::ZERO));
    }
    assert_eq!(loads.count(), 2);
}

async fn memory_is_bounded(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    let value = "x".repeat(10_000);
    for number in 0..500 {
        process.get(&key(&number.to_string()), &value, &policy(), &loads).await;
    }
    let bytes = process.cache.bytes();
    assert!((500_000..=1 << 20).contains(&bytes), "{bytes} of five million are kept in one");
}
