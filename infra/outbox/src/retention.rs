//! Forgets what was delivered long ago, so that the tables do not grow for ever.

use chrono::{DateTime, Duration, Utc};
use database::{Database, Error, args};

/// A delivered message is kept this long, for people who look into what happened.
const DELIVERED_DAYS: i64 = 7;
/// A message may come again for as long as its sender tries, about a day; then it need not be known.
const RECEIVED_DAYS: i64 = 30;

/// Forgets delivered and received messages that are old enough. Dead ones stay until somebody acts.
pub(crate) async fn forget_old(database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    let delivered_before = now - Duration::days(DELIVERED_DAYS);
    database.execute("delete from outbox_message where delivered_at < $1", args![delivered_before]).await?;
    let received_before = now - Duration::days(RECEIVED_DAYS);
    database.execute("delete from inbox_message where received_at < $1", args![received_before]).await?;
    Ok(())
}
