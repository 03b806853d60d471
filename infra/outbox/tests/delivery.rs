//! A message goes with its change, arrives at least once, and counts once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Duration;
use clock::Clock;
use database::{Database, args};
use outbox::{Backlog, Consumer, Error, Message, Outbox, Received, Relay, Replay};
use serde_json::json;
use testkit::{Engines, TestDatabase};
use tokio_util::sync::CancellationToken;

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

/// Takes in nothing: it breaks down, or never comes to an end.
struct Broken {
    panics: bool,
}

#[async_trait::async_trait]
impl Consumer for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["things.broke"]
    }

    async fn receive(&self, _: &Received) -> Result<(), Error> {
        assert!(!self.panics, "a defect of the receiver");
        std::future::pending().await
    }
}

fn relay_with(world: &World, broken: Broken) -> Relay {
    let consumers: Vec<Arc<dyn Consumer>> = vec![Arc::new(broken), world.counter.clone()];
    Relay::new(world.database.clone(), world.clock.clone(), world.outbox.clone(), consumers)
}

#[tokio::test]
async fn a_receiver_that_breaks_down_stops_no_other_message_and_gets_its_own_again() {
    for place in Engines::all().await {
        let world = world(&place, 0).await;
        let relay = relay_with(&world, Broken { panics: true });
        publish(&world, Message::new("things.broke", json!({})), true).await;
        publish(&world, message(), true).await;
        assert_eq!(relay.deliver_due().await.unwrap(), 2, "{}", place.engine);
        assert_eq!(world.counter.counted.load(Ordering::Relaxed), 1);
        world.clock.advance(Duration::seconds(1));
        assert_eq!(relay.deliver_due().await.unwrap(), 1, "it is tried again");
    }
}

#[tokio::test]
async fn receivers_that_wait_for_the_outside_hold_up_nobody_else() {
    for place in Engines::all().await {
        let world = world(&place, 0).await;
        let relay = relay_with(&world, Broken { panics: false });
        for _ in 0..20 {
            publish(&world, Message::new("things.broke", json!({})), true).await;
        }
        publish(&world, message(), true).await;
        let stop = CancellationToken::new();
        let counted = async {
            while world.counter.counted.load(Ordering::Relaxed) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = relay.run(stop) => unreachable!("nobody stops it"),
            found = tokio::time::timeout(std::time::Duration::from_secs(5), counted) => {
                assert!(found.is_ok(), "{}: twenty that wait hold up the next", place.engine);
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_was_given_up_is_seen_and_goes_again_when_somebody_says_why() {
    for place in Engines::all().await {
        let world = world(&place, 1).await;
        publish(&world, message(), true).await;
        // As if it had been tried for a day.
        world.database.execute("update outbox_message set attempts = 1499", args![]).await.unwrap();
        world.relay.deliver_due().await.unwrap();
        let dead = world.outbox.dead(&world.database).await.unwrap();
        let [given_up] = &dead[..] else { panic!("{}: {dead:?}", place.engine) };
        assert_eq!((given_up.attempts, given_up.last_error.as_str()), (1500, "not now"));
        world.clock.advance(Duration::days(1));
        assert_eq!(world.relay.deliver_due().await.unwrap(), 0, "nobody tries it any more");
        let replay = Replay { message: given_up.id, by: "nanta", reason: "the receiver is mended" };
        assert!(world.outbox.replay(&world.database, replay).await.unwrap());
        assert!(!world.outbox.replay(&world.database, replay).await.unwrap(), "it is dead no more");
        assert_eq!(world.relay.deliver_due().await.unwrap(), 1);
        assert_eq!(world.counter.counted.load(Ordering::Relaxed), 1, "it counted when it failed");
        assert!(world.outbox.dead(&world.database).await.unwrap().is_empty());
        let noted = world.database.rows("select replayed_by, last_error from outbox_replay", args![]).await;
        let noted = noted.unwrap();
        assert_eq!(noted[0].get::<String>("replayed_by").unwrap(), "nanta");
        assert_eq!(noted[0].get::<String>("last_error").unwrap(), "not now");
    }
}

#[tokio::test]
async fn what_waits_is_counted_and_its_age_told() {
    for place in Engines::all().await {
        let world = world(&place, 0).await;
        publish(&world, message(), true).await;
        publish(&world, message(), true).await;
        publish(&world, message().not_before(world.clock.now() + Duration::days(9)), true).await;
        world.clock.advance(Duration::seconds(90));
        let backlog = world.outbox.backlog(&world.database).await.unwrap();
        assert_eq!((backlog.pending, backlog.oldest_s.round()), (2, 90.0), "{}", place.engine);
        world.relay.deliver_due().await.unwrap();
        assert_eq!(world.outbox.backlog(&world.database).await.unwrap(), Backlog::default());
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

#[tokio::test]
async fn what_was_delivered_long_ago_is_forgotten_and_what_waits_is_not() {
    for place in Engines::all().await {
        let world = world(&place, 0).await;
        publish(&world, message(), true).await;
        world.relay.deliver_due().await.unwrap();
        publish(&world, message().not_before(world.clock.now() + Duration::days(400)), true).await;
        world.clock.advance(Duration::days(31));
        let stop = tokio_util::sync::CancellationToken::new();
        stop.cancel();
        world.relay.run(stop).await;
        let left = world.database.rows("select delivered_at from outbox_message", args![]).await.unwrap();
        assert_eq!(left.len(), 1, "{}", place.engine);
        assert_eq!(left[0].get::<Option<chrono::DateTime<chrono::Utc>>>("delivered_at").unwrap(), None);
        assert!(world.database.rows("select 1 as one from inbox_message", args![]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn however_much_is_long_over_all_of_it_is_forgotten() {
    const RECEIVED: usize = 1_100;
    for place in Engines::all().await {
        let world = world(&place, 0).await;
        let mut tx = world.database.begin().await.unwrap();
        for _ in 0..RECEIVED {
            let now = world.clock.now();
            assert!(outbox::first_time(&mut tx, "counter", world.clock.uuid(), now).await.unwrap());
        }
        tx.commit().await.unwrap();
        world.clock.advance(Duration::days(31));
        let stop = CancellationToken::new();
        stop.cancel();
        world.relay.run(stop).await;
        let left = world.database.row("select 1 as one from inbox_message limit 1", args![]).await.unwrap();
        assert!(left.is_none(), "{}", place.engine);
    }
}
