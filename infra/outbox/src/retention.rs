//! Forgets what was delivered long ago, a bounded part at a time, so that the tables do not grow for ever.

use chrono::{DateTime, Duration, Utc};
use database::{Database, Error, args};

/// A delivered message is kept this long, for people who look into what happened.
const DELIVERED_DAYS: i64 = 7;
/// A message comes again for as long as its sender tries: about a day when it is refused, and while another
/// receiver of it is away. Then it need not be known.
const RECEIVED_DAYS: i64 = 30;
/// Messages forgotten in one statement,
const PART_MESSAGES_MAX: i64 = 1_000;
/// and statements of one kind in one call: nothing is delivered meanwhile.
const PARTS_MAX: usize = 20;

const DELIVERED: &str = "delete from outbox_message where id in
    (select id from outbox_message where delivered_at < $1 order by delivered_at limit $2)";
const RECEIVED: &str = "delete from inbox_message where (consumer, message_id) in
    (select consumer, message_id from inbox_message where received_at < $1 order by received_at limit $2)";

/// Forgets delivered and received messages that are old enough; tells whether there may be more to
/// forget. Dead ones stay until somebody acts.
pub(crate) async fn forget_old(database: &Database, now: DateTime<Utc>) -> Result<bool, Error> {
    let mut more = false;
    for (sql, days) in [(DELIVERED, DELIVERED_DAYS), (RECEIVED, RECEIVED_DAYS)] {
        more |= forget(database, sql, now - Duration::days(days)).await?;
    }
    Ok(more)
}

async fn forget(database: &Database, sql: &str, before: DateTime<Utc>) -> Result<bool, Error> {
    for _ in 0..PARTS_MAX {
        let part = database.execute(sql, args![before, PART_MESSAGES_MAX]).await?;
        if i64::try_from(part).is_ok_and(|part| part < PART_MESSAGES_MAX) {
            return Ok(false);
        }
    }
    Ok(true)
}
