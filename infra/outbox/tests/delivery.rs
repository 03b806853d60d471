//! A message goes with its change, arrives at least once, and counts once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Duration;
use clock::Clock;
use database::{Database, args};
use outbox::{Consumer, Error, Message, Outbox, Received, Relay};
use serde_json::json;
use testkit::{Engines, TestDatabase};

/// Counts what it takes in, after failing as often as it was told to.
struct Counter {
    database: Database,
    clock: Clock,
    failures_left: AtomicUsize,
    calls: AtomicUsize,
    counted: AtomicUsize,
}

#[async_trait::async_trait]
impl Consumer for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["things.happened"]
    }

    async fn receive(&self, message: &Received) -> Result<(), Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut tx = self.database.begin().await?;
        if outbox::first_time(&mut tx, self.name(), message.id, self.clock.now()).await? {
            self.counted.fetch_add(1, Ordering::Relaxed);
        }
        tx.commit().await?;
        // Fails after it has counted: the worst moment.
        let fails = |left: usize| left.checked_sub(1);
        if self.failures_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fails).is_ok() {
            return Err("not now".into());
        }
        Ok(())
    }
}

struct World {
    database: Database,
    clock: Clock,
    outbox: Outbox,
    counter: Arc<Counter>,
    relay: Relay,
}

async fn world(place: &TestDatabase, failures: usize) -> World {
    let database = Database::open(&place.target, "things", &[&outbox::MIGRATIONS]).await.unwrap();
    let clock = testkit::clock();
    let outbox = Outbox::new(clock.clone());
    let counter = Arc::new(Counter {
        database: database.clone(),
        clock: clock.clone(),
        failures_left: AtomicUsize::new(failures),
        calls: AtomicUsize::new(0),
        counted: AtomicUsize::new(0),
    });
    let consumers: Vec<Arc<dyn Consumer>> = vec![counter.clone()];
    let relay = Relay::new(database.clone(), clock.clone(), outbox.clone(), consumers);
    World { database, clock, outbox, counter, relay }
}

async fn publish(world: &World, message: Message, commit: bool) {
    let mut tx = world.database.begin().await.unwrap();
    world.outbox.publish(&mut tx, message).await.unwrap();
    if commit { tx.commit().await.unwrap() } else { tx.rollback().await.unwrap() }
}

fn message() -> Message {
    Message::new("things.happened", json!({"id": 1}))
}

#[tokio::test]
async fn a_message_of_a_change_that_was_undone_is_never_sent() {
    for place in Engines::all().await {
        let world = world(&place, 0).await;
        publish(&world, message(), false).await;
        assert_eq!(world.relay.deliver_due().await.unwrap(), 0, "{}", place.engine);
    }
}

#[tokio::test]
async fn a_receiver_that_fails_gets_it_again_and_counts_it_once() {
    for place in Engines::all().await {
        let world = world(&place, 2).await;
        publish(&world, message(), true).await;
        for _ in 0..10 {
            world.relay.deliver_due().await.unwrap();
            world.clock.advance(Duration::seconds(2));
        }
        assert_eq!(world.counter.calls.load(Ordering::Relaxed), 3, "{}", place.engine);
        assert_eq!(world.counter.counted.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_timer_waits_for_its_time() {
    for place in Engines::all().await {
        let world = world(&place, 0).await;
        let due = world.clock.now() + Duration::days(30);
        publish(&world, message().not_before(due), true).await;
        assert_eq!(world.relay.deliver_due().await.unwrap(), 0);
        world.clock.advance(Duration::days(30));
        assert_eq!(world.relay.deliver_due().await.unwrap(), 1, "{}", place.engine);
    }
}

#[tokio::test]
async fn a_message_that_a_dead_process_had_claimed_is_delivered_later() {
    for place in Engines::all().await {
        let world = world(&place, 0).await;
        publish(&world, message(), true).await;
        // What a claim leaves behind when its process dies: an attempt, and a time to come back.
        let until = world.clock.now() + Duration::seconds(30);
        let sql = "update outbox_message set attempts = 1, not_before = $1";
        world.database.execute(sql, args![until]).await.unwrap();
        assert_eq!(world.relay.deliver_due().await.unwrap(), 0);
        world.clock.advance(Duration::seconds(31));
        assert_eq!(world.relay.deliver_due().await.unwrap(), 1, "{}", place.engine);
        assert_eq!(world.counter.counted.load(Ordering::Relaxed), 1);
    }
}
