//! A receiver in another process that is away holds up its own messages alone, and not longer than it is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use database::{Database, args};
use outbox::{Away, Consumer, Error, Message, Outbox, Received, Relay};
use serde_json::json;
use testkit::Engines;

#[derive(Default)]
struct Remote {
    is_there: AtomicBool,
    taken: AtomicUsize,
}

#[async_trait::async_trait]
impl Consumer for Remote {
    fn name(&self) -> &'static str {
        "ledgers"
    }

    fn topics(&self) -> &[&'static str] {
        &["things.happened"]
    }

    async fn receive(&self, _: &Received) -> Result<(), Error> {
        if !self.is_there.load(Ordering::Relaxed) {
            return Err(Away("ledgers").into());
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn what_waited_for_a_receiver_that_was_away_is_sent_when_it_is_back() {
    for place in Engines::all().await {
        let database = Database::open(&place.target, "things", &[&outbox::MIGRATIONS]).await.unwrap();
        let (clock, remote) = (testkit::clock(), Arc::new(Remote::default()));
        let outbox = Outbox::new(clock.clone());
        let consumers: Vec<Arc<dyn Consumer>> = vec![remote.clone()];
        let relay = Relay::new(database.clone(), clock.clone(), outbox.clone(), consumers);
        let mut tx = database.begin().await.unwrap();
        for topic in ["things.happened", "nobody.listens"] {
            outbox.publish(&mut tx, Message::new(topic, json!({}))).await.unwrap();
        }
        let later = clock.now() + chrono::Duration::hours(1);
        outbox.publish(&mut tx, Message::new("things.happened", json!({})).not_before(later)).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..6 {
            relay.deliver_due().await.unwrap();
            clock.advance(chrono::Duration::seconds(5));
        }
        assert_eq!(relay.deliver_due().await.unwrap(), 0, "it waits");
        remote.is_there.store(true, Ordering::Relaxed);
        assert_eq!(outbox::hurry(&database, "others", clock.now()).await.unwrap(), 0);
        assert_eq!(outbox::hurry(&database, "ledgers", clock.now()).await.unwrap(), 1, "and no timer");
        assert_eq!(relay.deliver_due().await.unwrap(), 1, "{}", place.engine);
        assert_eq!(remote.taken.load(Ordering::Relaxed), 1);
    }
}

/// One fewer than a message that is refused is tried.
const ATTEMPTS: i64 = 1_499;

#[tokio::test]
async fn a_message_does_not_die_because_its_receiver_is_away() {
    for place in Engines::all().await {
        let database = Database::open(&place.target, "things", &[&outbox::MIGRATIONS]).await.unwrap();
        let (clock, remote) = (testkit::clock(), Arc::new(Remote::default()));
        let outbox = Outbox::new(clock.clone());
        let relay = Relay::new(database.clone(), clock.clone(), outbox.clone(), vec![remote.clone()]);
        let mut tx = database.begin().await.unwrap();
        outbox.publish(&mut tx, Message::new("things.happened", json!({}))).await.unwrap();
        tx.execute("update outbox_message set attempts = $1", args![ATTEMPTS]).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..3 {
            assert_eq!(relay.deliver_due().await.unwrap(), 1, "{}", place.engine);
            clock.advance(chrono::Duration::minutes(1));
        }
        assert!(outbox.dead(&database).await.unwrap().is_empty());
        remote.is_there.store(true, Ordering::Relaxed);
        assert_eq!(relay.deliver_due().await.unwrap(), 1);
        assert_eq!(remote.taken.load(Ordering::Relaxed), 1);
    }
}
