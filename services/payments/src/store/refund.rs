//! Money that goes back.

use chrono::{DateTime, Utc};
use database::{Database, Error, Queryable, Row, Tx, args};
use serde_json::json;
use uuid::Uuid;

use super::code;
use crate::model::{RefundReason, RefundStatus};

/// A refund as stored.
#[derive(Clone, Debug)]
pub struct Refund {
    pub id: Uuid,
    pub bill_id: Uuid,
    pub settlement_id: Uuid,
    pub reason: RefundReason,
    pub amount_satang: i64,
    pub status: RefundStatus,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// Writes a refund that is owed; false when this settlement's refund for this reason exists.
pub async fn insert_refund(tx: &mut Tx, refund: &Refund) -> Result<bool, Error> {
    let written = tx
        .execute(
            "insert into refund (id, bill_id, settlement_id, reason, amount_satang, status, created_at) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            args![
                refund.id,
                refund.bill_id,
                refund.settlement_id,
                refund.reason.code(),
                refund.amount_satang,
                refund.status.code(),
                refund.created_at,
            ],
        )
        .await?;
    Ok(written > 0)
}

/// A refund by id.
pub async fn refund(database: &mut impl Queryable, id: Uuid) -> Result<Option<Refund>, Error> {
    database.row("select * from refund where id = $1", args![id]).await?.map(refund_of).transpose()
}

/// A refund by id, locked.
pub async fn refund_locked(tx: &mut Tx, id: Uuid) -> Result<Option<Refund>, Error> {
    let sql = format!("select * from refund where id = $1{}", tx.engine().for_update());
    tx.row(&sql, args![id]).await?.map(refund_of).transpose()
}

/// The refunds of these bills, oldest first.
pub async fn refunds_of(database: &Database, bill_ids: &[Uuid]) -> Result<Vec<Refund>, Error> {
    let sql =
        format!("select * from refund where bill_id in {} order by id", database.engine().in_uuids("$1"));
    database.rows(&sql, args![json!(bill_ids)]).await?.into_iter().map(refund_of).collect()
}

/// Moves a refund; the caller holds its lock.
pub async fn move_refund(
    tx: &mut Tx,
    id: Uuid,
    status: RefundStatus,
    failure_code: Option<&str>,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    tx.execute(
        "update refund set status = $2, failure_code = coalesce($3, failure_code), ended_at = $4 where id = $1",
        args![id, status.code(), failure_code.map(str::to_owned), (!status.is_open()).then_some(now)],
    )
    .await
}

fn refund_of(row: Row) -> Result<Refund, Error> {
    Ok(Refund {
        id: row.get("id")?,
        bill_id: row.get("bill_id")?,
        settlement_id: row.get("settlement_id")?,
        reason: code(&row, "reason", RefundReason::parse)?,
        amount_satang: row.get("amount_satang")?,
        status: code(&row, "status", RefundStatus::parse)?,
        created_at: row.get("created_at")?,
        ended_at: row.get("ended_at")?,
    })
}
