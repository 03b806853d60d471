//! What waits to be delivered, for those who watch.

use chrono::{DateTime, Utc};
use database::{Database, Error, args};

use crate::Outbox;

/// Counting goes no further: beyond, it only matters that there are so many.
const COUNTED_MAX: i64 = 100_000;

/// What is due and not delivered; timers that wait for their time are not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Messages, counted up to a hundred thousand.
    pub pending: i64,
    /// How long the oldest has been due. One that is tried again counts from its next try.
    pub oldest_s: f64,
}

impl Outbox {
    /// What is due now.
    pub async fn backlog(&self, database: &Database) -> Result<Backlog, Error> {
        let now = self.clock.now();
        let due = "from outbox_message where delivered_at is null and dead_at is null and not_before <= $1";
        let oldest = format!("select not_before {due} order by not_before limit 1");
        let Some(row) = database.row(&oldest, args![now]).await? else {
            return Ok(Backlog::default());
        };
        let since: DateTime<Utc> = row.get("not_before")?;
        let pending = format!("select count(*) as pending from (select 1 {due} limit $2) as due");
        let row = database.row(&pending, args![now, COUNTED_MAX]).await?;
        let pending = row.map_or(Ok(0), |row| row.get("pending"))?;
        Ok(Backlog { pending, oldest_s: (now - since).as_seconds_f64() })
    }
}
