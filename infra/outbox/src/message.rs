//! What is sent, and the handle a service sends with.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clock::Clock;
use database::{Tx, args};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

/// A message to send: ids and public facts, never personal data.
#[derive(Clone, Debug)]
pub struct Message {
    pub(crate) topic: &'static str,
    pub(crate) payload: Value,
    pub(crate) not_before: Option<DateTime<Utc>>,
}

impl Message {
    /// A message for everyone who listens to `topic`.
    pub fn new(topic: &'static str, payload: Value) -> Self {
        Self { topic, payload, not_before: None }
    }

    /// Makes it a timer: delivered at `instant` or soon after.
    pub fn not_before(mut self, instant: DateTime<Utc>) -> Self {
        self.not_before = Some(instant);
        self
    }
}

/// A message as the receiver sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Received {
    pub id: Uuid,
    pub topic: String,
    pub payload: Value,
}

impl Received {
    /// The payload as a typed value.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.payload)
    }
}

/// The sending end of one service's outbox. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub(crate) clock: Clock,
    pub(crate) due: Arc<Notify>,
}

impl Outbox {
    pub fn new(clock: Clock) -> Self {
        Self { clock, due: Arc::default() }
    }

    /// Puts a message into the transaction; its relay is woken when that commits.
    pub async fn publish(&self, tx: &mut Tx, message: Message) -> Result<Uuid, database::Error> {
        let id = self.clock.uuid();
        let now = self.clock.now();
        let not_before = message.not_before.unwrap_or(now);
        tx.execute(
            "insert into outbox_message (id, topic, payload, created_at, not_before)
             values ($1, $2, $3, $4, $5)",
            args![id, message.topic, message.payload, now, not_before],
        )
        .await?;
        let due = Arc::clone(&self.due);
        tx.after_commit(move || due.notify_one());
        Ok(id)
    }

    /// Makes the relay look now: for a clock that was moved.
    pub fn wake(&self) {
        self.due.notify_one();
    }
}
