//! Tries at paying.

use chrono::{DateTime, Utc};
use database::{Database, Error, Queryable, Row, Tx, args};
use serde_json::json;
use uuid::Uuid;

use super::bill::Reader;
use super::code;
use crate::model::{PaymentMethod, PaymentStatus};
use crate::provider::Presented;

/// A payment as stored.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: Uuid,
    pub bill_id: Uuid,
    pub method: PaymentMethod,
    pub provider: String,
    pub reference: String,
    pub amount_satang: i64,
    pub status: PaymentStatus,
    pub provider_ref: Option<String>,
    pub qr_payload: Option<String>,
    pub deep_link: Option<String>,
    pub wallet_reference: Option<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub presented_at: Option<DateTime<Utc>>,
    pub inquiry_due_at: Option<DateTime<Utc>>,
}

/// A payment by id.
pub async fn payment(database: &mut impl Queryable, id: Uuid) -> Result<Option<Payment>, Error> {
    database.row("select * from payment where id = $1", args![id]).await?.map(payment_of).transpose()
}

/// The payment, if the reader may see its bill.
pub async fn payment_for(
    database: &mut impl Queryable,
    id: Uuid,
    reader: &Reader,
) -> Result<Option<Payment>, Error> {
    let (may_read, who) = reader.condition(database.engine(), "$2");
    let sql = format!(
        "select payment.* from payment join bill on bill.id = payment.bill_id where payment.id = $1 and {may_read}"
    );
    database.row(&sql, args![id, who]).await?.map(payment_of).transpose()
}

/// A payment by the reference that travels through its provider.
pub async fn payment_by_reference(
    database: &Database,
    provider: &str,
    reference: &str,
) -> Result<Option<Payment>, Error> {
    let sql = "select * from payment where provider = $1 and reference = $2";
    database.row(sql, args![provider, reference]).await?.map(payment_of).transpose()
}

/// Payments of a provider that may have brought money in a span of time, after one of them: begun in it
/// or shortly before, or with money we counted in it.
pub async fn payments_to_reconcile(
    database: &Database,
    provider: &str,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    after: Uuid,
    limit: i64,
) -> Result<Vec<Payment>, Error> {
    let sql = "select * from payment where provider = $1 and id > $4 and presented_at is not null \
               and ((created_at >= $5 and created_at < $3) \
               or id in (select payment_id from settlement where provider = $1 and occurred_at >= $2 \
               and occurred_at < $3)) order by id limit $6";
    let begun_from = from - chrono::Duration::days(1);
    let bound = args![provider, from, until, after, begun_from, limit];
    database.rows(sql, bound).await?.into_iter().map(payment_of).collect()
}

/// The payment of a bill by this method that may still bring money.
pub async fn live_payment(
    tx: &mut Tx,
    bill_id: Uuid,
    method: PaymentMethod,
) -> Result<Option<Payment>, Error> {
    let sql = "select * from payment where bill_id = $1 and method = $2 \
               and status in ('CREATED', 'PENDING', 'UNKNOWN')";
    tx.row(sql, args![bill_id, method.code()]).await?.map(payment_of).transpose()
}

/// Since when the oldest payment whose time was over by `now` has been without an outcome.
pub async fn unsettled_since(
    database: &Database,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Error> {
    let sql = "select expires_at from payment where status in ('CREATED', 'PENDING', 'UNKNOWN') \
               and expires_at <= $1 order by expires_at limit 1";
    database.row(sql, args![now]).await?.map(|row| row.get("expires_at")).transpose()
}

/// How many payments a bill has had.
pub async fn payment_count(tx: &mut Tx, bill_id: Uuid) -> Result<i64, Error> {
    let sql = "select count(*) as payments from payment where bill_id = $1";
    tx.row(sql, args![bill_id]).await?.map_or(Ok(0), |row| row.get("payments"))
}

/// The payments of a bill that may still bring money.
pub async fn live_payments(tx: &mut Tx, bill_id: Uuid) -> Result<Vec<Payment>, Error> {
    let sql = "select * from payment where bill_id = $1 and status in ('CREATED', 'PENDING', 'UNKNOWN')";
    tx.rows(sql, args![bill_id]).await?.into_iter().map(payment_of).collect()
}

/// The payments of these bills, oldest first.
pub async fn payments_of(database: &Database, bill_ids: &[Uuid]) -> Result<Vec<Payment>, Error> {
    let sql =
        format!("select * from payment where bill_id in {} order by id", database.engine().in_uuids("$1"));
    database.rows(&sql, args![json!(bill_ids)]).await?.into_iter().map(payment_of).collect()
}

/// Writes a new payment.
pub async fn insert_payment(tx: &mut Tx, payment: &Payment) -> Result<(), Error> {
    tx.execute(
        "insert into payment (id, bill_id, method, provider, reference, amount_satang, status, created_at, \
         expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            payment.id,
            payment.bill_id,
            payment.method.code(),
            &payment.provider,
            &payment.reference,
            payment.amount_satang,
            payment.status.code(),
            payment.created_at,
            payment.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Records what the citizen is shown; the first presentation stays.
pub async fn present_payment(
    tx: &mut Tx,
    id: Uuid,
    presented: &Presented,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    tx.execute(
        "update payment set provider_ref = $2, qr_payload = $3, deep_link = $4, wallet_reference = $5, \
         expires_at = $6, presented_at = $7 where id = $1 and presented_at is null",
        args![
            id,
            &presented.provider_ref,
            presented.qr_payload.clone(),
            presented.deep_link.clone(),
            presented.wallet_reference.clone(),
            presented.expires_at,
            now,
        ],
    )
    .await
}

/// Moves a payment; the caller holds its bill's lock.
pub async fn move_payment(
    tx: &mut Tx,
    id: Uuid,
    status: PaymentStatus,
    failure_code: Option<&str>,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    tx.execute(
        "update payment set status = $2, failure_code = coalesce($3, failure_code), ended_at = $4 where id = $1",
        args![
            id,
            status.code(),
            failure_code.map(str::to_owned),
            (!status.is_live()).then_some(now),
        ],
    )
    .await
}

/// Takes the next place for an inquiry that someone else asked for; none when it was taken meanwhile.
pub async fn reserve_inquiry(tx: &mut Tx, id: Uuid, due_at: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "update payment set inquiry_due_at = $2 where id = $1 \
               and (inquiry_due_at is null or inquiry_due_at < $2)";
    Ok(tx.execute(sql, args![id, due_at]).await? > 0)
}

fn payment_of(row: Row) -> Result<Payment, Error> {
    Ok(Payment {
        id: row.get("id")?,
        bill_id: row.get("bill_id")?,
        method: code(&row, "method", PaymentMethod::parse)?,
        provider: row.get("provider")?,
        reference: row.get("reference")?,
        amount_satang: row.get("amount_satang")?,
        status: code(&row, "status", PaymentStatus::parse)?,
        provider_ref: row.get("provider_ref")?,
        qr_payload: row.get("qr_payload")?,
        deep_link: row.get("deep_link")?,
        wallet_reference: row.get("wallet_reference")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        presented_at: row.get("presented_at")?,
        inquiry_due_at: row.get("inquiry_due_at")?,
    })
}
