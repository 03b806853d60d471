//! Delivers what is due, with back-off, until each message is taken in or declared dead.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::Clock;
use database::{Database, args};
use failpoint::Point;
use futures::FutureExt;
use serde_json::Value;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::retention::forget_old;
use crate::{Away, Consumer, Error, Outbox, Received};

/// Messages claimed at once.
const BATCH_MAX: usize = 16;
/// Messages in delivery at the same time: receivers that wait for the outside hold up nobody else
/// until there are so many.
const IN_FLIGHT_MAX: usize = 64;
/// The slow sweep: finds timers that fell due, and messages whose wake-up was lost.
const SWEEP_MS: u64 = 500;
const BACK_OFF_FIRST_MS: i64 = 200;
pub(crate) const BACK_OFF_MAX_MS: i64 = 60_000;
/// With the back-off above, a receiver may refuse a message for about a day.
const ATTEMPTS_MAX: i64 = 1_500;
/// Back-off is at its longest by then. From there on it does not count that a receiver was away: its messages
/// wait for as long as it takes.
const ATTEMPTS_AWAY_MAX: i64 = 10;
/// How long a receiver may take. A claimed message whose process dies is tried again after as long.
const CLAIM_MS: u64 = 30_000;
const ERROR_CHARS_MAX: usize = 500;
const FORGETTING_HOURS: i64 = 6;
/// How soon it goes on where there is more to forget than one time allows.
const FORGETTING_MORE_S: i64 = 30;

/// The delivering end of one service's outbox.
pub struct Relay {
    outbox: Outbox,
    courier: Arc<Courier>,
}

/// What each delivery needs.
struct Courier {
    database: Database,
    clock: Clock,
    consumers: Vec<Arc<dyn Consumer>>,
}

struct Claimed {
    message: Received,
    attempts: i64,
}

impl Relay {
    /// Delivers from `database` to `consumers`, each message to all who listen to its topic.
    pub fn new(database: Database, clock: Clock, outbox: Outbox, consumers: Vec<Arc<dyn Consumer>>) -> Self {
        Self { outbox, courier: Arc::new(Courier { database, clock, consumers }) }
    }

    /// Runs until `stop`; messages in delivery are finished first.
    pub async fn run(&self, stop: CancellationToken) {
        let mut in_flight = JoinSet::new();
        let mut forget_at = self.courier.forget().await;
        while !stop.is_cancelled() {
            if self.courier.clock.now() >= forget_at {
                forget_at = self.courier.forget().await;
            }
            let batch = BATCH_MAX.min(IN_FLIGHT_MAX - in_flight.len());
            let claimed = self.courier.claim(batch).await.unwrap_or_else(|error| {
                tracing::error!(error = &*error, "reading the outbox failed");
                Vec::new()
            });
            let more = batch > 0 && claimed.len() == batch;
            for claimed in claimed {
                in_flight.spawn(Arc::clone(&self.courier).deliver(claimed));
            }
            if more {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = in_flight.join_next() => note(ended),
                () = self.outbox.due.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(SWEEP_MS)) => {}
            }
        }
        while let Some(ended) = in_flight.join_next().await {
            note(ended);
        }
    }

    /// Delivers one batch of what is due now; tells how many were tried.
    pub async fn deliver_due(&self) -> Result<usize, Error> {
        let claimed = self.courier.claim(BATCH_MAX).await?;
        let count = claimed.len();
        let deliveries = claimed.into_iter().map(|claimed| Arc::clone(&self.courier).deliver(claimed));
        for delivered in futures::future::join_all(deliveries).await {
            delivered?;
        }
        Ok(count)
    }
}

/// A delivery that could not even be recorded: its claim lapses, and it comes again.
fn note(ended: Result<Result<(), Error>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(error = &*error, "a delivery was not recorded"),
        Err(error) => tracing::error!(%error, "a delivery broke down"),
    }
}

impl Courier {
    /// Takes due messages for a while, so that two relays on one database do not do the same work.
    async fn claim(&self, batch: usize) -> Result<Vec<Claimed>, Error> {
        let now = self.clock.now();
        // A look before the lock: an idle outbox must not queue for SQLite's single writer.
        let due = "select 1 as one from outbox_message
                   where delivered_at is null and dead_at is null and not_before <= $1 limit 1";
        if batch == 0 || self.database.row(due, args![now]).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.database.begin().await?;
        let sql = format!(
            "select id, topic, payload, attempts from outbox_message
             where delivered_at is null and dead_at is null and not_before <= $1
             order by not_before, id limit $2{}",
            tx.engine().skip_locked()
        );
        let mut claimed = Vec::new();
        let until = now + Duration::from_millis(CLAIM_MS);
        for row in tx.rows(&sql, args![now, i64::try_from(batch)?]).await? {
            let id: Uuid = row.get("id")?;
            let attempts = row.get::<i64>("attempts")? + 1;
            tx.execute(
                "update outbox_message set attempts = $2, not_before = $3 where id = $1",
                args![id, attempts, until],
            )
            .await?;
            let message = Received { id, topic: row.get("topic")?, payload: row.get::<Value>("payload")? };
            claimed.push(Claimed { message, attempts });
        }
        tx.commit().await?;
        Ok(claimed)
    }

    async fn deliver(self: Arc<Self>, claimed: Claimed) -> Result<(), Error> {
        let Claimed { message, attempts } = claimed;
        let (mut failure, mut is_refused) = (None, false);
        for consumer in &self.consumers {
            if !consumer.topics().contains(&message.topic.as_str()) {
                continue;
            }
            failpoint::reach(Point::BeforeDelivery);
            // The ones that already took it in dedupe by its id when it comes again.
            if let Err(error) = received(consumer.as_ref(), &message).await {
                tracing::warn!(
                    consumer = consumer.name(), topic = message.topic, message = %message.id, attempts,
                    error = &*error, "message was not taken in"
                );
                metrics::counter!("outbox_attempts_failed_total", "consumer" => consumer.name()).increment(1);
                is_refused |= !error.is::<Away>();
                failure = Some(error.to_string());
            }
        }
        failpoint::reach(Point::AfterDelivery);
        let now = self.clock.now();
        match failure {
            None => {
                let sql = "update outbox_message set delivered_at = $2, last_error = null where id = $1";
                self.database.execute(sql, args![message.id, now]).await?;
                metrics::counter!("outbox_delivered_total", "topic" => message.topic).increment(1);
            }
            Some(error) => {
                let counts = is_refused || attempts <= ATTEMPTS_AWAY_MAX;
                let attempts = if counts { attempts } else { attempts - 1 };
                self.postpone(&message, attempts, &error, now).await?;
            }
        }
        Ok(())
    }

    /// Forgets old messages; tells when to do so again.
    async fn forget(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        match forget_old(&self.database, now).await {
            Ok(true) => return now + chrono::Duration::seconds(FORGETTING_MORE_S),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "old messages were not forgotten"),
        }
        now + chrono::Duration::hours(FORGETTING_HOURS)
    }

    async fn postpone(
        &self,
        message: &Received,
        attempts: i64,
        error: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
        let dead_at = (attempts >= ATTEMPTS_MAX).then_some(now);
        if dead_at.is_some() {
            tracing::error!(topic = message.topic, message = %message.id, "message is dead");
            metrics::counter!("outbox_dead_total", "topic" => message.topic.clone()).increment(1);
        }
        let sql = "update outbox_message set attempts = $2, not_before = $3, last_error = $4, dead_at = $5
                   where id = $1";
        let arguments = args![message.id, attempts, now + back_off(attempts), error, dead_at];
        self.database.execute(sql, arguments).await?;
        Ok(())
    }
}

/// Hands a message over. A receiver that breaks down or never ends has not taken it in, and is nobody
/// else's trouble.
async fn received(consumer: &dyn Consumer, message: &Received) -> Result<(), Error> {
    let receiving = AssertUnwindSafe(consumer.receive(message)).catch_unwind();
    match tokio::time::timeout(Duration::from_millis(CLAIM_MS), receiving).await {
        Ok(Ok(taken_in)) => taken_in,
        Ok(Err(_)) => Err("the receiver broke down".into()),
        Err(_) => Err("the receiver took too long".into()),
    }
}

/// Doubles from the first wait to the longest.
fn back_off(attempts: i64) -> chrono::Duration {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    chrono::Duration::milliseconds((BACK_OFF_FIRST_MS << doublings).min(BACK_OFF_MAX_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_and_is_bounded() {
        assert_eq!(back_off(1), chrono::Duration::milliseconds(200));
        assert_eq!(back_off(2), chrono::Duration::milliseconds(400));
        assert_eq!(back_off(1_000_000), chrono::Duration::minutes(1));
        assert_eq!(back_off(ATTEMPTS_AWAY_MAX), back_off(ATTEMPTS_MAX), "no wait is longer");
    }
}
