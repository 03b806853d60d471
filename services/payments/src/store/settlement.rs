//! Money that came.

use chrono::{DateTime, Utc};
use database::{Database, Error, Row, Tx, args};
use serde_json::json;
use uuid::Uuid;

use super::code;
use crate::model::{Arrival, Classification, Evidence};

/// Money that came, as stored.
#[derive(Clone, Debug)]
pub struct Settlement {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub bill_id: Uuid,
    pub provider: String,
    pub provider_txn_id: String,
    pub classification: Classification,
    pub amount_satang: i64,
    pub kept_satang: i64,
    pub returned_satang: i64,
    pub occurred_at: DateTime<Utc>,
}

/// Where money came in.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub bill_id: Uuid,
    pub provider: &'a str,
}

/// Writes money that came; false when this transfer is known already, from whichever source.
pub async fn insert_settlement(
    tx: &mut Tx,
    place: Place<'_>,
    evidence: &Evidence,
    arrival: &Arrival,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let written = tx
        .execute(
            "insert into settlement (id, payment_id, bill_id, provider, provider_txn_id, trust, classification, \
             amount_satang, kept_satang, returned_satang, occurred_at, recorded_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing",
            args![
                place.id,
                place.payment_id,
                place.bill_id,
                place.provider,
                &evidence.provider_txn_id,
                evidence.trust.code(),
                arrival.classification.code(),
                evidence.amount_satang,
                arrival.kept_satang,
                arrival.returned_satang,
                evidence.occurred_at,
                now,
            ],
        )
        .await?;
    Ok(written > 0)
}

/// Records the one success of a bill.
pub async fn insert_success(tx: &mut Tx, place: Place<'_>) -> Result<u64, Error> {
    let sql = "insert into bill_success (bill_id, settlement_id, payment_id) values ($1, $2, $3)";
    tx.execute(sql, args![place.bill_id, place.id, place.payment_id]).await
}

/// A settlement by id, as a transaction sees it.
pub async fn settlement_in(tx: &mut Tx, id: Uuid) -> Result<Option<Settlement>, Error> {
    tx.row("select * from settlement where id = $1", args![id]).await?.map(settlement_of).transpose()
}

/// A settlement by id.
pub async fn settlement(database: &Database, id: Uuid) -> Result<Option<Settlement>, Error> {
    database.row("select * from settlement where id = $1", args![id]).await?.map(settlement_of).transpose()
}

/// The settlement of a provider's transfer.
pub async fn settlement_of_transfer(
    tx: &mut Tx,
    provider: &str,
    provider_txn_id: &str,
) -> Result<Option<Settlement>, Error> {
    let sql = "select * from settlement where provider = $1 and provider_txn_id = $2";
    tx.row(sql, args![provider, provider_txn_id]).await?.map(settlement_of).transpose()
}

/// The money that settled a bill.
pub async fn success_of(tx: &mut Tx, bill_id: Uuid) -> Result<Option<Settlement>, Error> {
    let sql = "select settlement.* from settlement \
               join bill_success on bill_success.settlement_id = settlement.id where bill_success.bill_id = $1";
    tx.row(sql, args![bill_id]).await?.map(settlement_of).transpose()
}

/// What came by these payments, oldest first.
pub async fn settlements_of(database: &Database, payment_ids: &[Uuid]) -> Result<Vec<Settlement>, Error> {
    let sql = format!(
        "select * from settlement where payment_id in {} order by id",
        database.engine().in_uuids("$1")
    );
    database.rows(&sql, args![json!(payment_ids)]).await?.into_iter().map(settlement_of).collect()
}

pub(super) fn settlement_of(row: Row) -> Result<Settlement, Error> {
    Ok(Settlement {
        id: row.get("id")?,
        payment_id: row.get("payment_id")?,
        bill_id: row.get("bill_id")?,
        provider: row.get("provider")?,
        provider_txn_id: row.get("provider_txn_id")?,
        classification: code(&row, "classification", Classification::parse)?,
        amount_satang: row.get("amount_satang")?,
        kept_satang: row.get("kept_satang")?,
        returned_satang: row.get("returned_satang")?,
        occurred_at: row.get("occurred_at")?,
    })
}
