//! Dropping what bears a tag, in one process.

use std::sync::Arc;

use bytes::Bytes;
use cache::{Loaded, Policy, Tag};
use tokio::sync::Semaphore;

use crate::world::{Loads, World, facts, key, policy, tag, until};

facts!(
    an_invalidated_value_is_never_served_again_not_even_in_need,
    other_tags_are_left_alone,
    the_tag_of_all_drops_everything,
    a_value_whose_making_began_before_the_change_is_not_kept,
);

async fn an_invalidated_value_is_never_served_again_not_even_in_need(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    process.get(&key("a"), "old", &policy(), &loads).await;
    process.tags.invalidate(&[tag("one")]).await;
    assert!(process.try_get(&key("a"), loads.failing()).await.is_err());
    assert_eq!(process.get(&key("a"), "new", &policy(), &loads).await.value, "new");
    assert_eq!(process.get(&key("a"), "newer", &policy(), &loads).await.value, "new", "it is kept again");
}

async fn other_tags_are_left_alone(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    process.get(&key("a"), "a", &policy(), &loads).await;
    process.get(&key("b"), "b", &Policy { tags: vec![tag("two")], ..policy() }, &loads).await;
    process.tags.invalidate(&[tag("two"), tag("three")]).await;
    assert_eq!(process.get(&key("a"), "new", &policy(), &loads).await.value, "a");
    assert_eq!(process.get(&key("b"), "new", &policy(), &loads).await.value, "new");
}

async fn the_tag_of_all_drops_everything(world: World) {
    let (process, loads) = (world.process(), Loads::default());
    process.get(&key("a"), "old", &Policy { tags: Vec::new(), ..policy() }, &loads).await;
    process.tags.invalidate(&[Tag::ALL]).await;
    assert_eq!(process.get(&key("a"), "new", &policy(), &loads).await.value, "new");
}

async fn a_value_whose_making_began_before_the_change_is_not_kept(world: World) {
    let (process, loads) = (Arc::new(world.process()), Loads::default());
    let gate = Arc::new(Semaphore::new(0));
    let early = {
        let (process, loads, gate) = (Arc::clone(&process), loads.clone(), Arc::clone(&gate));
        tokio::spawn(async move {
            let load = move || async move {
                loads.add();
                // It has read what the change is about to replace.
                gate.acquire().await.expect("it stays open").forget();
                Ok(Loaded::Keep(Bytes::from_static(b"old"), policy()))
            };
            process.try_get(&key("a"), load).await
        })
    };
    until("the load begins", async || loads.count() == 1).await;
    process.tags.invalidate(&[tag("one")]).await;
    let new = process.get(&key("a"), "new", &policy(), &loads).await;
    assert_eq!(new.value, "new", "who comes after the change does not wait for what began before");
    gate.add_permits(1);
    early.await.unwrap().expect("it is served to who asked before the change");
    assert_eq!(process.get(&key("a"), "newer", &policy(), &loads).await.value, "new");
}
