//! Money that goes back.

use chrono::{DateTime, Utc};
use database::{Database, Error, Queryable, Row, Tx, args};
use serde_json::json;
use uuid::Uuid;

use super::bill::Reader;
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

/// The refund, if the reader may see its bill.
pub async fn refund_for(tx: &mut Tx, id: Uuid, reader: &Reader) -> Result<Option<Refund>, Error> {
    let (may_read, who) = reader.condition(tx.engine(), "$2");
    let sql = format!(
        "select refund.* from refund join bill on bill.id = refund.bill_id where refund.id = $1 and {may_read}"
    );
    tx.row(&sql, args![id, who]).await?.map(refund_of).transpose()
}

/// The reader's refunds, newest first, one page.
pub async fn refunds(
    database: &Database,
    reader: &Reader,
    status: Option<RefundStatus>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Refund>, Error> {
    let (may_read, who) = reader.condition(database.engine(), "$1");
    let sql = format!(
        "select refund.* from refund join bill on bill.id = refund.bill_id where {may_read} \
         and ($2 is null or refund.status = $2) and ($3 is null or refund.id < $3) \
         order by refund.id desc limit $4"
    );
    let bound = args![who, status.map(|status| status.code().to_owned()), before, limit];
    reader.rows_of_list(database, &sql, bound).await?.into_iter().map(refund_of).collect()
}

/// What is owed back of a settlement already, in satang.
pub async fn owed_of(tx: &mut Tx, settlement_id: Uuid) -> Result<i64, Error> {
    let sql = "select cast(coalesce(sum(amount_satang), 0) as bigint) as owed from refund \
               where settlement_id = $1 and status <> 'FAILED'";
    tx.row(sql, args![settlement_id]).await?.map_or(Ok(0), |row| row.get("owed"))
}

/// Whether this settlement's refund for this reason is owed already.
pub async fn is_owed(tx: &mut Tx, settlement_id: Uuid, reason: RefundReason) -> Result<bool, Error> {
    let sql = "select 1 as one from refund where settlement_id = $1 and reason = $2";
    Ok(tx.row(sql, args![settlement_id, reason.code()]).await?.is_some())
}

/// Whether a refund was completed by the agency's own transfer.
pub async fn paid_by_transfer(tx: &mut Tx, id: Uuid) -> Result<bool, Error> {
    let sql = "select 1 as one from proposal where subject_kind = 'REFUND' and subject_id = $1 \
               and status = 'CONFIRMED' and action = 'PAID_BY_TRANSFER'";
    Ok(tx.row(sql, args![id]).await?.is_some())
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
