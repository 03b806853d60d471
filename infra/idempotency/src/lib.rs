//! Each write happens once per caller, operation and key.
//!
//! The key row stands in the same transaction as the effect: when a client repeats a call whose
//! answer it never saw, it gets the same ids back; another input under the same key is a conflict.
//! Keys are forgotten after [`KEPT_DAYS`].

mod retention;

use chrono::{DateTime, Utc};
use database::{Migrations, Tx, args};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use retention::{KEPT_DAYS, forget_old};

/// The table a service needs.
pub static MIGRATIONS: Migrations =
    database::migrations!("idempotency", "0001_idempotency", "0002_created_at");

/// Characters a client's key may have (as the IETF's Idempotency-Key drafts' implementers allow).
pub const KEY_CHARS_MAX: usize = 255;

/// Whose write it is, which, and under which client-made key.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    pub subject: &'a str,
    pub operation: &'static str,
    pub key: &'a str,
}

/// What a write finds under its key.
#[derive(Debug, PartialEq)]
pub enum Begin {
    /// Nothing: do it, then call [`complete`] in the same transaction.
    First,
    /// It was done: the ids it made.
    Replay(Value),
    /// The key was used for another input, or is empty or too long.
    Conflict,
}

/// Claims the key within the transaction. A twin that runs at the same time waits here.
pub async fn begin(
    tx: &mut Tx,
    key: &Key<'_>,
    input: &impl Serialize,
    now: DateTime<Utc>,
) -> Result<Begin, database::Error> {
    if key.key.is_empty() || key.key.chars().count() > KEY_CHARS_MAX {
        return Ok(Begin::Conflict);
    }
    let fingerprint = fingerprint(input);
    let inserted = tx
        .execute(
            "insert into idempotency_key (subject, operation, key, fingerprint, created_at)
             values ($1, $2, $3, $4, $5) on conflict (subject, operation, key) do nothing",
            args![key.subject, key.operation, key.key, &fingerprint, now],
        )
        .await?;
    if inserted == 1 {
        return Ok(Begin::First);
    }
    let sql = "select fingerprint, result from idempotency_key
               where subject = $1 and operation = $2 and key = $3";
    let Some(row) = tx.row(sql, args![key.subject, key.operation, key.key]).await? else {
        return Ok(Begin::Conflict);
    };
    if row.get::<Vec<u8>>("fingerprint")? != fingerprint {
        return Ok(Begin::Conflict);
    }
    Ok(row.get::<Option<Value>>("result")?.map_or(Begin::Conflict, Begin::Replay))
}

/// Keeps the ids the write made, for the one who asks again.
pub async fn complete(tx: &mut Tx, key: &Key<'_>, result: Value) -> Result<(), database::Error> {
    let sql = "update idempotency_key set result = $4 where subject = $1 and operation = $2 and key = $3";
    tx.execute(sql, args![key.subject, key.operation, key.key, result]).await.map(|_| ())
}

fn fingerprint(input: &impl Serialize) -> Vec<u8> {
    // An input that cannot be written as JSON cannot have come in as JSON.
    let text = serde_json::to_vec(input).unwrap_or_default();
    Sha256::digest(text).to_vec()
}
