//! Forgets old keys, so that the table does not grow for ever.

use chrono::{DateTime, Duration, Utc};
use database::{Database, Error, args};

/// How long a key stands for its write. Clients repeat a call for hours; after this long, one is a new call.
pub const KEPT_DAYS: i64 = 30;
/// Keys forgotten in one statement,
const PART_KEYS_MAX: i64 = 1_000;
/// and statements in one call: what is left waits for the next.
const PARTS_MAX: usize = 100;

/// Forgets keys that are old enough, oldest first; tells how many. Each service calls it in its sweep.
pub async fn forget_old(database: &Database, now: DateTime<Utc>) -> Result<u64, Error> {
    let sql = "delete from idempotency_key where (subject, operation, key) in
                   (select subject, operation, key from idempotency_key
                    where created_at < $1 order by created_at limit $2)";
    let before = now - Duration::days(KEPT_DAYS);
    let mut forgotten = 0;
    for _ in 0..PARTS_MAX {
        let part = database.execute(sql, args![before, PART_KEYS_MAX]).await?;
        forgotten += part;
        if i64::try_from(part).is_ok_and(|part| part < PART_KEYS_MAX) {
            break;
        }
    }
    Ok(forgotten)
}
