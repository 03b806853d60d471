//! Messages and timers that are committed with the change they belong to, delivered at least once.
//!
//! A change and its message are written in one transaction of the sender's database. The [`Relay`]
//! delivers what is due to every [`Consumer`] of the topic, with back-off; the receiver dedupes by
//! message id in its own transaction ([`first_time`]). A message with `not_before` is a timer. A consumer
//! may stand for those of another process, to which it sends what it receives.

mod away;
mod backlog;
mod dead;
mod message;
mod relay;
mod retention;

use chrono::{DateTime, Utc};
use database::{Migrations, Tx, args};
use uuid::Uuid;

pub use away::{Away, hurry};
pub use backlog::Backlog;
pub use dead::{Dead, Replay};
pub use message::{Message, Outbox, Received};
pub use relay::Relay;

/// The tables a service needs to send and receive.
pub static MIGRATIONS: Migrations = database::migrations!("outbox", "0001_outbox", "0002_replay");

/// Why a message could not be taken in; it comes again later.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Who takes in messages.
#[async_trait::async_trait]
pub trait Consumer: Send + Sync {
    /// Its name, for dedupe and logs.
    fn name(&self) -> &'static str;
    /// What it listens to.
    fn topics(&self) -> &[&'static str];
    /// Takes in one message. May be called again with the same one, and in any order.
    async fn receive(&self, message: &Received) -> Result<(), Error>;
}

/// Whether this message is new to `consumer`; asked first in the receiver's own transaction.
pub async fn first_time(
    tx: &mut Tx,
    consumer: &str,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, database::Error> {
    let sql = "insert into inbox_message (consumer, message_id, received_at) values ($1, $2, $3)
               on conflict (consumer, message_id) do nothing";
    Ok(tx.execute(sql, args![consumer, message_id, now]).await? == 1)
}
