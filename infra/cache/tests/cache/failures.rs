//! Loaders that fail, die, or make what is good for this moment only.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{Failed, Loaded, Source};
use futures::poll;
use tokio::sync::Semaphore;

use crate::world::{Loads, World, facts, key, policy, strict, until};

facts!(
    a_failing_loader_serves_stale_within_its_window_and_not_after,
    while_it_fails_it_is_not_asked_by_every_reader,
    a_failure_is_not_kept,
    a_loader_that_panics_leaves_the_key_free,
    what_is_only_for_now_is_shared_and_not_kept,
);

async fn a_failing_loader_serves_stale_within_its_window_and_not_after(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    process.get(&key("a"), "old", &policy(), &loads).await;
    world.pass(60);
    let found = process.try_get(&key("a"), loads.failing()).await.expect("old is better than nothing");
    assert_eq!((&found.value[..], found.source), (&b"old"[..], Source::Stale));
    assert_eq!((found.age, found.ttl_left), (Duration::from_secs(60), Duration::ZERO));
    world.pass(60);
    let failed = process.try_get(&key("a"), loads.failing()).await.expect_err("it is too old");
    assert_eq!(failed.to_string(), "the value could not be made: the backend is gone");
}

async fn while_it_fails_it_is_not_asked_by_every_reader(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    process.get(&key("a"), "old", &policy(), &loads).await;
    world.pass(60);
    for _ in 0..50 {
        process.try_get(&key("a"), loads.failing()).await.expect("old is better than nothing");
    }
    assert_eq!(loads.count(), 2, "once at first, once in fifty");
    world.pass(2);
    process.try_get(&key("a"), loads.failing()).await.expect("old is better than nothing");
    assert_eq!(loads.count(), 3, "it is asked again after a moment");
}

async fn a_failure_is_not_kept(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    for _ in 0..2 {
        assert!(matches!(process.try_get(&key("a"), loads.failing()).await, Err(Failed::Load(_))));
    }
    assert_eq!(process.get(&key("a"), "well", &policy(), &loads).await.value, "well");
    assert_eq!(loads.count(), 3);
}

async fn a_loader_that_panics_leaves_the_key_free(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    let died = process.try_get(&key("a"), || async { panic!("as a loader never should") }).await;
    assert!(matches!(died, Err(Failed::Died)), "{died:?}");
    until("the key is free", async || {
        process.try_get(&key("a"), loads.making("well", &policy())).await.is_ok()
    })
    .await;
}

async fn what_is_only_for_now_is_shared_and_not_kept(world: World) {
    let (process, loads) = (Arc::new(world.process()), Loads::default());
    let gate = Arc::new(Semaphore::new(0));
    let first = {
        let (process, loads, gate) = (Arc::clone(&process), loads.clone(), Arc::clone(&gate));
        tokio::spawn(async move {
            let load = move || async move {
                loads.add();
                gate.acquire().await.expect("it stays open").forget();
                Ok(Loaded::Share(Bytes::from_static(b"half an answer")))
            };
            process.try_get(&key("a"), load).await.expect("it is made").value
        })
    };
    until("the load begins", async || loads.count() == 1).await;
    let (name, policy) = (key("a"), strict());
    let mut second = pin!(process.get(&name, "whole", &policy, &loads));
    assert!(poll!(&mut second).is_pending());
    gate.add_permits(1);
    assert_eq!(first.await.unwrap(), "half an answer");
    assert_eq!(second.await.value, "half an answer");
    let third = process.get(&key("a"), "whole", &strict(), &loads).await;
    assert_eq!(third.value, "whole");
}
