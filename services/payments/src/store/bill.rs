//! Bills, their items, and what is known of applications: whether they are closed.

use chrono::{DateTime, Utc};
use database::{Database, Engine, Error, Queryable, Row, Tx, Value, args};
use serde_json::json;
use uuid::Uuid;

use super::code;
use crate::model::BillStatus;

/// A bill as stored.
#[derive(Clone, Debug)]
pub struct Bill {
    pub id: Uuid,
    pub application_id: Uuid,
    pub party_id: Uuid,
    pub agency_code: String,
    pub service_code: String,
    pub title_th: String,
    pub title_en: Option<String>,
    pub amount_satang: i64,
    pub status: BillStatus,
    pub issued_at: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
}

/// One line of a bill.
#[derive(Clone, Debug)]
pub struct BillItem {
    pub bill_id: Uuid,
    pub position: i32,
    pub description_th: String,
    pub description_en: Option<String>,
    pub amount_satang: i64,
}

/// Whose bills may be seen: it becomes part of every query that answers a caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reader {
    /// Those of parties the caller acts for.
    Parties(Vec<Uuid>),
    /// Those of an officer's agency.
    Agency(String),
}

impl Reader {
    /// The rows of a list: an agency's may be a moment old, a payer sees what was just paid.
    pub(super) async fn rows_of_list(
        &self,
        database: &Database,
        sql: &str,
        bound: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        match self {
            Self::Parties(_) => database.rows(sql, bound).await,
            Self::Agency(_) => database.rows_maybe_stale(sql, bound).await,
        }
    }

    /// The condition on `bill`, with its value bound at `placeholder`.
    pub(super) fn condition(&self, engine: Engine, placeholder: &str) -> (String, Value) {
        match self {
            Self::Parties(ids) => {
                (format!("bill.party_id in {}", engine.in_uuids(placeholder)), Value::from(json!(ids)))
            }
            Self::Agency(agency_code) => {
                (format!("bill.agency_code = {placeholder}"), Value::from(agency_code))
            }
        }
    }
}

/// The bill, if the reader may see it, locked: it does not change until the transaction ends.
pub async fn bill_for_locked(tx: &mut Tx, id: Uuid, reader: &Reader) -> Result<Option<Bill>, Error> {
    let engine = tx.engine();
    let (may_read, who) = reader.condition(engine, "$2");
    let sql = format!("select * from bill where id = $1 and {may_read}{}", engine.for_update());
    tx.row(&sql, args![id, who]).await?.map(bill_of).transpose()
}

/// A bill by id.
pub async fn bill(database: &mut impl Queryable, id: Uuid) -> Result<Option<Bill>, Error> {
    database.row("select * from bill where id = $1", args![id]).await?.map(bill_of).transpose()
}

/// A bill, locked: what settles, cancels or refunds it stands in line here.
pub async fn bill_locked(tx: &mut Tx, id: Uuid) -> Result<Option<Bill>, Error> {
    let sql = format!("select * from bill where id = $1{}", tx.engine().for_update());
    tx.row(&sql, args![id]).await?.map(bill_of).transpose()
}

/// The bills of an application, locked.
pub async fn bills_of_application_locked(tx: &mut Tx, application_id: Uuid) -> Result<Vec<Bill>, Error> {
    let sql = format!("select * from bill where application_id = $1 order by id{}", tx.engine().for_update());
    tx.rows(&sql, args![application_id]).await?.into_iter().map(bill_of).collect()
}

/// The bills of these applications that the reader may see.
pub async fn bills_of_applications(
    database: &Database,
    application_ids: &[Uuid],
    reader: &Reader,
) -> Result<Vec<Bill>, Error> {
    let engine = database.engine();
    let (may_read, who) = reader.condition(engine, "$2");
    let sql = format!(
        "select * from bill where application_id in {} and {may_read} order by id",
        engine.in_uuids("$1")
    );
    database.rows(&sql, args![json!(application_ids), who]).await?.into_iter().map(bill_of).collect()
}

/// The bills with these ids that the reader may see.
pub async fn bills_with_ids(database: &Database, ids: &[Uuid], reader: &Reader) -> Result<Vec<Bill>, Error> {
    let engine = database.engine();
    let (may_read, who) = reader.condition(engine, "$2");
    let sql = format!("select * from bill where id in {} and {may_read}", engine.in_uuids("$1"));
    database.rows(&sql, args![json!(ids), who]).await?.into_iter().map(bill_of).collect()
}

/// The reader's bills, newest first, one page.
pub async fn bills(
    database: &Database,
    reader: &Reader,
    status: Option<BillStatus>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Bill>, Error> {
    let (may_read, who) = reader.condition(database.engine(), "$1");
    let sql = format!(
        "select * from bill where {may_read} and ($2 is null or status = $2) and ($3 is null or id < $3) \
         order by id desc limit $4"
    );
    let args = args![who, status.map(|status| status.code().to_owned()), before, limit];
    reader.rows_of_list(database, &sql, args).await?.into_iter().map(bill_of).collect()
}

/// The items of these bills, in order.
pub async fn items_of(database: &Database, bill_ids: &[Uuid]) -> Result<Vec<BillItem>, Error> {
    let sql = format!(
        "select * from bill_item where bill_id in {} order by bill_id, position",
        database.engine().in_uuids("$1")
    );
    database.rows(&sql, args![json!(bill_ids)]).await?.into_iter().map(item_of).collect()
}

/// Writes an open bill with its one item. False when the application has its bill already.
pub async fn insert_bill(tx: &mut Tx, bill: &Bill, item_id: Uuid) -> Result<bool, Error> {
    let written = tx
        .execute(
            "insert into bill (id, application_id, purpose, party_id, agency_code, service_code, title_th, \
             title_en, amount_satang, status, issued_at) \
             values ($1, $2, 'FEE', $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
            args![
                bill.id,
                bill.application_id,
                bill.party_id,
                &bill.agency_code,
                &bill.service_code,
                &bill.title_th,
                bill.title_en.clone(),
                bill.amount_satang,
                bill.status.code(),
                bill.issued_at,
            ],
        )
        .await?;
    if written == 0 {
        return Ok(false);
    }
    tx.execute(
        "insert into bill_item (id, bill_id, position, description_th, description_en, amount_satang) \
         values ($1, $2, 1, $3, $4, $5)",
        args![item_id, bill.id, &bill.title_th, bill.title_en.clone(), bill.amount_satang],
    )
    .await?;
    Ok(true)
}

/// Marks an open bill settled.
pub async fn settle_bill(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<u64, Error> {
    let sql = "update bill set status = 'SETTLED', settled_at = $2 where id = $1 and status = 'OPEN'";
    tx.execute(sql, args![id, now]).await
}

/// Marks an open bill cancelled.
pub async fn cancel_bill(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<u64, Error> {
    let sql = "update bill set status = 'CANCELLED', cancelled_at = $2 where id = $1 and status = 'OPEN'";
    tx.execute(sql, args![id, now]).await
}

/// Locks what is known of an application, and tells whether it was closed: messages come in no order,
/// so issuing its bill and closing it stand in line here.
pub async fn application_locked(tx: &mut Tx, application_id: Uuid) -> Result<bool, Error> {
    let sql = "insert into application (id) values ($1) on conflict do nothing";
    tx.execute(sql, args![application_id]).await?;
    let sql = format!("select closed_at from application where id = $1{}", tx.engine().for_update());
    let Some(row) = tx.row(&sql, args![application_id]).await? else { return Ok(false) };
    Ok(row.get::<Option<DateTime<Utc>>>("closed_at")?.is_some())
}

/// Remembers that an application was closed.
pub async fn close_application(tx: &mut Tx, application_id: Uuid, now: DateTime<Utc>) -> Result<u64, Error> {
    let sql = "update application set closed_at = $2 where id = $1 and closed_at is null";
    tx.execute(sql, args![application_id, now]).await
}

fn bill_of(row: Row) -> Result<Bill, Error> {
    Ok(Bill {
        id: row.get("id")?,
        application_id: row.get("application_id")?,
        party_id: row.get("party_id")?,
        agency_code: row.get("agency_code")?,
        service_code: row.get("service_code")?,
        title_th: row.get("title_th")?,
        title_en: row.get("title_en")?,
        amount_satang: row.get("amount_satang")?,
        status: code(&row, "status", BillStatus::parse)?,
        issued_at: row.get("issued_at")?,
        settled_at: row.get("settled_at")?,
    })
}

fn item_of(row: Row) -> Result<BillItem, Error> {
    Ok(BillItem {
        bill_id: row.get("bill_id")?,
        position: row.get("position")?,
        description_th: row.get("description_th")?,
        description_en: row.get("description_en")?,
        amount_satang: row.get("amount_satang")?,
    })
}
