//! Delivers what is due, with back-off, until each message is taken in or declared dead.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::Clock;
use database::{Database, args};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Consumer, Error, Outbox, Received};

/// Messages delivered at the same time: a receiver that waits for the outside holds up only these.
const BATCH_MAX: i64 = 16;
/// The slow sweep: finds timers that fell due, and messages whose wake-up was lost.
const SWEEP_MS: u64 = 500;
const BACK_OFF_FIRST_MS: i64 = 200;
const BACK_OFF_MAX_MS: i64 = 60_000;
/// With the back-off above, a receiver may be away for about a day.
const ATTEMPTS_MAX: i64 = 1_500;
/// A claimed message whose process dies is tried again after this long.
const CLAIM_MS: i64 = 30_000;
const ERROR_CHARS_MAX: usize = 500;

/// The delivering end of one service's outbox.
pub struct Relay {
    database: Database,
    clock: Clock,
    outbox: Outbox,
    consumers: Vec<Arc<dyn Consumer>>,
}

struct Claimed {
    message: Received,
    attempts: i64,
}

impl Relay {
    /// Delivers from `database` to `consumers`, each message to all who listen to its topic.
    pub fn new(database: Database, clock: Clock, outbox: Outbox, consumers: Vec<Arc<dyn Consumer>>) -> Self {
        Self { database, clock, outbox, consumers }
    }

    /// Runs until `stop`; a message in delivery is finished first.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            let more = match self.deliver_due().await {
                Ok(delivered) => delivered > 0,
                Err(error) => {
                    tracing::error!(error = &*error, "reading the outbox failed");
                    false
                }
            };
            if stop.is_cancelled() {
                return;
            }
            if more {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.outbox.due.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(SWEEP_MS)) => {}
            }
        }
    }

    /// Delivers one batch of what is due now; tells how many were tried.
    pub async fn deliver_due(&self) -> Result<usize, Error> {
        let claimed = self.claim().await?;
        let count = claimed.len();
        let deliveries = claimed.into_iter().map(|claimed| self.deliver(claimed));
        for delivered in futures::future::join_all(deliveries).await {
            delivered?;
        }
        Ok(count)
    }

    /// Takes due messages for a while, so that two relays on one database do not do the same work.
    async fn claim(&self) -> Result<Vec<Claimed>, Error> {
        let now = self.clock.now();
        // A look before the lock: an idle outbox must not queue for SQLite's single writer.
        let due = "select 1 as one from outbox_message
                   where delivered_at is null and dead_at is null and not_before <= $1 limit 1";
        if self.database.row(due, args![now]).await?.is_none() {
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
        let until = now + chrono::Duration::milliseconds(CLAIM_MS);
        for row in tx.rows(&sql, args![now, BATCH_MAX]).await? {
            let id: Uuid = row.get("id")?;
            let attempts = row.get::<i64>("attempts")? + 1;
            tx.execute(
                "update outbox_message set attempts = $2, not_before = $3 where id = $1",
                args![id, attempts, until],
            )
            .await?;
            let message =
                Received { id, topic: row.get("topic")?, payload: row.get::<Value>("payload")? };
            claimed.push(Claimed { message, attempts });
        }
        tx.commit().await?;
        Ok(claimed)
    }

    async fn deliver(&self, claimed: Claimed) -> Result<(), Error> {
        let Claimed { message, attempts } = claimed;
        let mut failure = None;
        for consumer in &self.consumers {
            if !consumer.topics().contains(&message.topic.as_str()) {
                continue;
            }
            // The ones that already took it in dedupe by its id when it comes again.
            if let Err(error) = consumer.receive(&message).await {
                tracing::warn!(
                    consumer = consumer.name(), topic = message.topic, message = %message.id, attempts,
                    error = &*error, "message was not taken in"
                );
                failure = Some(error.to_string());
            }
        }
        let now = self.clock.now();
        match failure {
            None => {
                let sql = "update outbox_message set delivered_at = $2, last_error = null where id = $1";
                self.database.execute(sql, args![message.id, now]).await?;
                metrics::counter!("outbox_delivered_total", "topic" => message.topic).increment(1);
            }
            Some(error) => self.postpone(&message, attempts, &error, now).await?,
        }
        Ok(())
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
        let sql = "update outbox_message set not_before = $2, last_error = $3, dead_at = $4 where id = $1";
        self.database.execute(sql, args![message.id, now + back_off(attempts), error, dead_at]).await?;
        Ok(())
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
    }
}
