//! Many entries at once.

use bytes::Bytes;
use cache::Source;

use crate::world::{World, facts, key, policy, tag};

facts!(several_are_looked_up_in_order_and_the_missing_are_kept, what_was_born_before_a_change_is_not_found);

async fn several_are_looked_up_in_order_and_the_missing_are_kept(world: World) {
    let process = world.process();
    let keys = [key("a"), key("b"), key("c")];
    let lookup = process.cache.lookup(&keys).await;
    assert!(lookup.found.iter().all(Option::is_none) && lookup.spare.iter().all(Option::is_none));
    for (at, text) in [(0, "a"), (2, "c")] {
        process.cache.keep(&keys[at], Bytes::from(text), &policy(), lookup.born).await;
    }
    let lookup = process.cache.lookup(&keys).await;
    let found: Vec<_> =
        lookup.found.iter().map(|found| found.as_ref().map(|found| found.value.clone())).collect();
    assert_eq!(found, [Some(Bytes::from("a")), None, Some(Bytes::from("c"))]);
    world.pass(15);
    let lookup = process.cache.lookup(&keys).await;
    assert!(lookup.found.iter().all(Option::is_none), "what is stale counts as missing");
    assert_eq!(lookup.spare[0].as_ref().map(|spare| spare.source), Some(Source::Stale));
    if process.redis.is_some() {
        let elsewhere = world.process().cache.lookup(&keys).await;
        assert!(elsewhere.found[0].is_none() && elsewhere.spare[0].is_some());
    }
}

async fn what_was_born_before_a_change_is_not_found(world: World) {
    let process = world.process();
    let born = process.cache.lookup(&[key("a")]).await.born;
    process.tags.invalidate(&[tag("one")]).await;
    process.cache.keep(&key("a"), Bytes::from("old"), &policy(), born).await;
    let lookup = process.cache.lookup(&[key("a")]).await;
    assert!(lookup.found[0].is_none() && lookup.spare[0].is_none());
}
