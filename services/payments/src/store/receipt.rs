//! Receipts, numbered per agency and year without gaps.

use chrono::{DateTime, Utc};
use database::{Database, Error, Row, Tx, args};
use serde_json::json;
use uuid::Uuid;

/// A receipt as stored.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub id: Uuid,
    pub bill_id: Uuid,
    pub agency_code: String,
    /// The Buddhist calendar year in Thailand.
    pub year: i64,
    pub number: i64,
    pub amount_satang: i64,
    pub issued_at: DateTime<Utc>,
}

impl Receipt {
    /// The number as printed: `DLT-2569-000042`.
    pub fn number_text(&self) -> String {
        format!("{}-{}-{:06}", self.agency_code, self.year, self.number)
    }
}

/// The next number of an agency's series. Its row stays locked until the transaction ends, so that a
/// number is used if, and only if, the bill is settled: no gaps.
pub async fn next_number(tx: &mut Tx, agency_code: &str, year: i64) -> Result<i64, Error> {
    let sql = "insert into receipt_series (agency_code, year, last_number) values ($1, $2, 1) \
               on conflict (agency_code, year) do update set last_number = receipt_series.last_number + 1 \
               returning last_number";
    let row = tx.row(sql, args![agency_code, year]).await?;
    row.map_or_else(
        || Err(Error::Column { column: "last_number".into(), reason: "nothing returned".into() }),
        |row| row.get("last_number"),
    )
}

/// Writes a receipt.
pub async fn insert_receipt(tx: &mut Tx, receipt: &Receipt) -> Result<u64, Error> {
    tx.execute(
        "insert into receipt (id, bill_id, agency_code, year, number, amount_satang, issued_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        args![
            receipt.id,
            receipt.bill_id,
            &receipt.agency_code,
            receipt.year,
            receipt.number,
            receipt.amount_satang,
            receipt.issued_at,
        ],
    )
    .await
}

/// The receipts of these bills.
pub async fn receipts_of(database: &Database, bill_ids: &[Uuid]) -> Result<Vec<Receipt>, Error> {
    let sql = format!("select * from receipt where bill_id in {}", database.engine().in_uuids("$1"));
    database.rows(&sql, args![json!(bill_ids)]).await?.into_iter().map(receipt_of).collect()
}

fn receipt_of(row: Row) -> Result<Receipt, Error> {
    Ok(Receipt {
        id: row.get("id")?,
        bill_id: row.get("bill_id")?,
        agency_code: row.get("agency_code")?,
        year: row.get("year")?,
        number: row.get("number")?,
        amount_satang: row.get("amount_satang")?,
        issued_at: row.get("issued_at")?,
    })
}
