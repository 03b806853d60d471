//! Receivers in another process: what waits because it was away is sent as soon as it is back.

use chrono::{DateTime, Duration, Utc};
use database::{Database, Error, args};

use crate::relay::BACK_OFF_MAX_MS;

/// Messages made due in one statement,
const PART_MESSAGES_MAX: i64 = 1_000;
/// and statements in one call.
const PARTS_MAX: usize = 100;

/// The process of a consumer does not answer. It is no fault of the message, which does not die of it.
#[derive(Debug, thiserror::Error)]
#[error("{0} is away")]
pub struct Away(pub &'static str);

/// Makes due now what waits longer and longer because the consumer called `back` was away; tells how many
/// messages. To be called when it answers again.
pub async fn hurry(database: &Database, back: &'static str, now: DateTime<Utc>) -> Result<u64, Error> {
    let sql = "update outbox_message set not_before = $1 where id in
                   (select id from outbox_message
                    where delivered_at is null and dead_at is null and not_before > $1 and not_before <= $4
                      and last_error = $2
                    order by not_before limit $3)";
    let (mut hurried, waited_for) = (0, Away(back).to_string());
    // Nothing backs off for longer: beyond are the timers, of which there may be millions.
    let last = now + Duration::milliseconds(BACK_OFF_MAX_MS);
    for _ in 0..PARTS_MAX {
        let part = database.execute(sql, args![now, &waited_for, PART_MESSAGES_MAX, last]).await?;
        hurried += part;
        if i64::try_from(part).is_ok_and(|part| part < PART_MESSAGES_MAX) {
            break;
        }
    }
    Ok(hurried)
}
