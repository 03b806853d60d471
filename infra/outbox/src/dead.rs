//! Messages that were given up: people see them, and have them sent again.

use chrono::{DateTime, Utc};
use database::{Database, Error, args};
use uuid::Uuid;

use crate::Outbox;

/// Messages shown at once.
const SHOWN_MAX: i64 = 100;

/// A message that was given up.
#[derive(Clone, Debug)]
pub struct Dead {
    pub id: Uuid,
    pub topic: String,
    pub created_at: DateTime<Utc>,
    pub dead_at: DateTime<Utc>,
    pub attempts: i64,
    /// What the receiver said last.
    pub last_error: String,
}

/// Who has a message sent again, and why; kept with the message.
#[derive(Clone, Copy, Debug)]
pub struct Replay<'a> {
    pub message: Uuid,
    pub by: &'a str,
    pub reason: &'a str,
}

impl Outbox {
    /// The messages that were given up, the oldest first, at most a hundred.
    pub async fn dead(&self, database: &Database) -> Result<Vec<Dead>, Error> {
        let sql = "select id, topic, created_at, dead_at, attempts, coalesce(last_error, '') as last_error
                   from outbox_message where dead_at is not null order by dead_at, id limit $1";
        let rows = database.rows(sql, args![SHOWN_MAX]).await?;
        rows.iter()
            .map(|row| {
                Ok(Dead {
                    id: row.get("id")?,
                    topic: row.get("topic")?,
                    created_at: row.get("created_at")?,
                    dead_at: row.get("dead_at")?,
                    attempts: row.get("attempts")?,
                    last_error: row.get("last_error")?,
                })
            })
            .collect()
    }

    /// Has a dead message tried again, from now and as often as a new one; its relay finds it. False when
    /// there is no dead message of that id.
    pub async fn replay(&self, database: &Database, replay: Replay<'_>) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = database.begin().await?;
        let noted = "insert into outbox_replay (id, message_id, replayed_at, replayed_by, reason, last_error)
                     select $1, id, $3, $4, $5, last_error from outbox_message
                     where id = $2 and dead_at is not null";
        let arguments = args![self.clock.uuid(), replay.message, now, replay.by, replay.reason];
        if tx.execute(noted, arguments).await? == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        let sql = "update outbox_message set dead_at = null, attempts = 0, not_before = $2 where id = $1";
        tx.execute(sql, args![replay.message, now]).await?;
        tx.commit().await?;
        self.wake();
        Ok(true)
    }
}
