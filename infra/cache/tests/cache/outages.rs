//! Redis dead, slow, and back; messages lost.

use std::time::{Duration, Instant};

use cache::Source;

use crate::proxy::{Proxy, Wire};
use crate::world::{Loads, World, key, policy, tag, until};

/// One process behind a wire, another straight at Redis. A Cluster's members are asked where they say they
/// are, so that a wire before them would be passed by: this is about one server.
async fn worlds() -> Option<(Proxy, World, World)> {
    let straight = World::on("PRATU_TEST_REDIS")?;
    let proxy = Proxy::before(&straight.config.urls[0].to_string()).await;
    let mut config = straight.config.clone();
    config.urls = vec![proxy.url.as_str().into()];
    // A failure has to be noticed within the test.
    (config.timeout_ms, config.pause_ms, config.failures_max) = (500, 50, 2);
    let behind = World { config, clock: straight.clock.clone() };
    Some((proxy, behind, straight))
}

#[tokio::test]
async fn without_redis_reads_go_on_in_memory_and_nobody_sees_an_error() {
    let Some((proxy, behind, _)) = worlds().await else { return };
    proxy.set(Wire::Cut);
    let (process, loads) = (behind.process(), Loads::default());
    assert_eq!(process.get(&key("a"), "1", &policy(), &loads).await.value, "1");
    assert_eq!(process.get(&key("a"), "2", &policy(), &loads).await.source, Source::Memory);
    process.tags.invalidate(&[tag("one")]).await;
    assert_eq!(process.get(&key("a"), "3", &policy(), &loads).await.value, "3");
    assert!(process.seen.first_time("nonce", b"1", Duration::from_secs(60)).await);
    assert!(!process.seen.first_time("nonce", b"1", Duration::from_secs(60)).await);
    assert!(process.redis.as_ref().unwrap().counts().1 > 0, "it did ask");
}

#[tokio::test]
async fn an_address_that_answers_nobody_stops_no_start() {
    let world = World::in_memory().at("redis://127.0.0.1:1");
    let (process, loads) = (world.process(), Loads::default());
    assert_eq!(process.get(&key("a"), "1", &policy(), &loads).await.value, "1");
    let cluster = World::in_memory().at("redis-cluster://127.0.0.1:1");
    assert_eq!(cluster.process().get(&key("a"), "1", &policy(), &loads).await.value, "1");
}

#[tokio::test]
async fn a_redis_that_hangs_costs_a_few_readers_its_timeout_and_then_nobody() {
    let Some((proxy, mut behind, _)) = worlds().await else { return };
    // For the whole test, so that none of its readers is the one who tries again.
    behind.config.pause_ms = 600_000;
    let (process, loads) = (behind.process(), Loads::default());
    process.get(&key("a"), "1", &policy(), &loads).await;
    proxy.set(Wire::Hangs);
    let redis = process.redis.clone().unwrap();
    for number in 0..3 {
        process.get(&key(&format!("slow {number}")), "1", &policy(), &loads).await;
    }
    assert!(redis.is_left_alone());
    let (_, failed) = redis.counts();
    let begun = Instant::now();
    for number in 0..100 {
        process.get(&key(&format!("fast {number}")), "1", &policy(), &loads).await;
    }
    assert_eq!(redis.counts().1, failed, "nobody waits for Redis any more");
    println!("a hundred reads beside a Redis that hangs took {:?}", begun.elapsed());
    assert_eq!(loads.count(), 104);
}

#[tokio::test]
async fn when_redis_is_back_it_is_used_again_and_hears_what_it_missed() {
    let Some((proxy, behind, straight)) = worlds().await else { return };
    let (cut_off, other, loads) = (behind.process(), straight.process(), Loads::default());
    other.get(&key("a"), "old", &policy(), &loads).await;
    until("Redis has it", async || {
        let elsewhere = straight.process();
        elsewhere.cache.lookup(&[key("a")]).await.found[0].is_some()
    })
    .await;
    cut_off.is_heard_by(&other).await;
    assert!(cut_off.tags.invalidate(&[tag("two")]).await);
    proxy.set(Wire::Cut);
    // A change that only the process that is cut off knows of.
    assert!(!cut_off.tags.invalidate(&[tag("one")]).await, "and it knows that nobody else does");
    assert_eq!(other.get(&key("a"), "new", &policy(), &loads).await.value, "old");
    proxy.set(Wire::Whole);
    until("the other process hears of it", async || {
        other.get(&key("a"), "new", &policy(), &loads).await.value == "new"
    })
    .await;
    until("Redis has the new one", async || {
        straight.process().get(&key("a"), "never", &policy(), &loads).await.value == "new"
    })
    .await;
    until("it is used again", async || !cut_off.redis.as_ref().unwrap().is_left_alone()).await;
}

#[tokio::test]
async fn what_is_said_while_the_connection_is_lost_is_found_when_it_is_back() {
    let Some((proxy, behind, straight)) = worlds().await else { return };
    let (deaf, other, loads) = (behind.process(), straight.process(), Loads::default());
    other.is_heard_by(&deaf).await;
    deaf.get(&key("a"), "old", &policy(), &loads).await;
    proxy.set(Wire::Cut);
    other.tags.invalidate(&[tag("one")]).await;
    assert_eq!(deaf.get(&key("a"), "new", &policy(), &loads).await.value, "old", "it cannot know");
    proxy.set(Wire::Whole);
    // Well before five seconds of the clock, which stands still.
    until("it asks again", async || deaf.get(&key("a"), "new", &policy(), &loads).await.value == "new").await;
}

#[tokio::test]
async fn whatever_is_lost_nothing_that_was_invalidated_is_served_after_five_seconds() {
    let Some((proxy, behind, straight)) = worlds().await else { return };
    let (deaf, other, loads) = (behind.process(), straight.process(), Loads::default());
    other.is_heard_by(&deaf).await;
    deaf.get(&key("a"), "old", &policy(), &loads).await;
    proxy.set(Wire::Cut);
    other.tags.invalidate(&[tag("one")]).await;
    behind.pass(2);
    assert_eq!(deaf.get(&key("a"), "new", &policy(), &loads).await.value, "old");
    behind.pass(3);
    assert_eq!(deaf.get(&key("a"), "new", &policy(), &loads).await.value, "new");
}

#[tokio::test]
async fn a_connection_that_was_closed_costs_one_command() {
    let Some((proxy, behind, _)) = worlds().await else { return };
    let redis = behind.process().redis.unwrap();
    let seen = cache::Seen::new(Some(redis.clone()));
    seen.first_time("nonce", b"1", Duration::from_secs(60)).await;
    // As a server does with clients that were idle for long.
    proxy.set(Wire::Cut);
    seen.first_time("nonce", b"2", Duration::from_secs(60)).await;
    proxy.set(Wire::Whole);
    seen.first_time("nonce", b"3", Duration::from_secs(60)).await;
    assert_eq!(redis.counts(), (2, 1));
}

#[tokio::test]
async fn a_connection_that_hangs_is_given_up_and_opened_again() {
    let Some((proxy, behind, straight)) = worlds().await else { return };
    let (deaf, other, loads) = (behind.process(), straight.process(), Loads::default());
    deaf.get(&key("a"), "old", &policy(), &loads).await;
    proxy.set(Wire::Hangs);
    for number in 0..2 {
        deaf.get(&key(&format!("slow {number}")), "1", &policy(), &loads).await;
    }
    proxy.set(Wire::Cut);
    proxy.set(Wire::Whole);
    other.get(&key("b"), "there", &policy(), &loads).await;
    until("it reads from Redis again", async || deaf.cache.lookup(&[key("b")]).await.found[0].is_some())
        .await;
}

/// Redis forgets which epoch it is, as when a member of a Cluster comes back empty.
async fn lose_the_counter(world: &World) {
    let client = redis::Client::open(world.config.urls[0].to_string()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis is there");
    let lost: u32 = redis::cmd("DEL")
        .arg(format!("{}:epoch", world.config.prefix))
        .query_async(&mut connection)
        .await
        .expect("Redis answers");
    assert_eq!(lost, 1);
}

#[tokio::test]
async fn after_the_counter_of_epochs_is_lost_values_are_kept_again() {
    let Some(world) = World::on("PRATU_TEST_REDIS") else { return };
    let (process, loads) = (world.process(), Loads::default());
    process.tags.invalidate(&[tag("one")]).await;
    lose_the_counter(&world).await;
    process.get(&key("a"), "made", &policy(), &loads).await;
    assert_eq!(process.get(&key("a"), "again", &policy(), &loads).await.value, "made");
    until("Redis has it, too", async || world.process().cache.lookup(&[key("a")]).await.found[0].is_some())
        .await;
}

#[tokio::test]
async fn what_was_dropped_stays_dropped_when_the_counter_of_epochs_is_lost() {
    let Some(world) = World::on("PRATU_TEST_REDIS") else { return };
    let (process, loads) = (world.process(), Loads::default());
    process.get(&key("a"), "old", &policy(), &loads).await;
    until("Redis has it", async || world.process().cache.lookup(&[key("a")]).await.found[0].is_some()).await;
    process.tags.invalidate(&[tag("one")]).await;
    lose_the_counter(&world).await;
    let late = world.process();
    assert_eq!(late.get(&key("a"), "new", &policy(), &loads).await.value, "new");
}

#[tokio::test]
async fn what_redis_could_not_be_told_it_is_told_however_much_is_said_meanwhile() {
    let Some((proxy, mut behind, straight)) = worlds().await else { return };
    // Longer than it takes to hear of the others again: that is too early to tell them anything.
    (behind.config.failures_max, behind.config.pause_ms) = (1, 1_000);
    let (cut_off, other, loads) = (behind.process(), straight.process(), Loads::default());
    other.is_heard_by(&cut_off).await;
    other.get(&key("a"), "old", &policy(), &loads).await;
    proxy.set(Wire::Cut);
    cut_off.tags.invalidate(&[tag("one")]).await;
    proxy.set(Wire::Whole);
    until("the other process hears of it", async || {
        other.wake.wake("something else");
        other.get(&key("a"), "new", &policy(), &loads).await.value == "new"
    })
    .await;
}

#[tokio::test]
async fn what_another_version_wrote_is_no_reason_to_leave_redis_alone() {
    let Some(mut world) = World::on("PRATU_TEST_REDIS") else { return };
    world.config.failures_max = 1;
    let (process, loads) = (world.process(), Loads::default());
    process.get(&key("a"), "1", &policy(), &loads).await;
    let client = redis::Client::open(world.config.urls[0].to_string()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis is there");
    let name = format!("{}:epoch", world.config.prefix);
    let set = redis::cmd("SET").arg(name).arg("the seventh").query_async(&mut connection).await;
    let () = set.expect("Redis answers");
    process.get(&key("b"), "1", &policy(), &loads).await;
    assert!(!process.redis.as_ref().unwrap().is_left_alone());
}
