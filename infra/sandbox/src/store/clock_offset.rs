//! How far the sandbox's clock was moved, kept over restarts.

use chrono::Duration;
use database::{Database, Error, args};

/// The offset of earlier runs; nothing when the clock was never moved.
pub async fn clock_offset(database: &Database) -> Result<Duration, Error> {
    let row = database.row("select ahead_us from clock_offset where id = 1", args![]).await?;
    let ahead_us = row.map(|row| row.get::<i64>("ahead_us")).transpose()?;
    Ok(Duration::microseconds(ahead_us.unwrap_or(0)))
}

/// Keeps the offset; of two moves at once the farther one stays.
pub async fn keep_clock_offset(database: &Database, ahead: Duration) -> Result<(), Error> {
    let ahead_us = ahead.num_microseconds().unwrap_or(0);
    // The case says the same on both engines; their functions for the larger of two differ.
    let sql =
        "insert into clock_offset (id, ahead_us) values (1, $1) on conflict (id) do update set ahead_us =
               case when clock_offset.ahead_us < $1 then $1 else clock_offset.ahead_us end";
    database.execute(sql, args![ahead_us]).await.map(|_| ())
}
