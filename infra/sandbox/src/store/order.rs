//! Orders, payments and refunds.

use chrono::{DateTime, NaiveDate, Utc};
use database::{Database, Error, Queryable, Row, Tx, args};
use uuid::Uuid;

use crate::order::{Order, Paid, Rail, Refund, Status};

/// Lines of a statement that are read at once.
const STATEMENT_ROWS_MAX: i64 = 2_000;
/// Payments of one reference on one day that an inquiry tells of.
const INQUIRY_ROWS_MAX: i64 = 100;

/// What all orders come to.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Totals {
    pub paid_satang: i64,
    pub paid_count: i64,
    pub refunded_satang: i64,
    pub refund_count: i64,
}

/// Stores the order, unless its rail already has one of that reference.
pub async fn insert_order(tx: &mut Tx, order: &Order) -> Result<(), Error> {
    tx.execute(
        "insert into payment_order (id, rail, reference1, reference2, reference3, description, amount_satang,
             return_url, callback_url, status, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (rail, reference1) do nothing",
        args![
            order.id,
            order.rail.as_str(),
            &order.reference1,
            order.reference2.as_deref(),
            order.reference3.as_deref(),
            order.description.as_deref(),
            order.amount_satang,
            order.return_url.as_deref(),
            &order.callback_url,
            order.status.as_str(),
            order.created_at,
            order.expires_at,
        ],
    )
    .await
    .map(|_| ())
}

pub async fn order(queryable: &mut impl Queryable, id: Uuid) -> Result<Option<Order>, Error> {
    one(queryable.row("select * from payment_order where id = $1", args![id]).await?)
}

/// The order, locked until the transaction ends.
pub async fn order_for_update(tx: &mut Tx, id: Uuid) -> Result<Option<Order>, Error> {
    let sql = format!("select * from payment_order where id = $1{}", tx.engine().for_update());
    one(tx.row(&sql, args![id]).await?)
}

pub async fn order_of_reference(
    queryable: &mut impl Queryable,
    rail: Rail,
    reference1: &str,
) -> Result<Option<Order>, Error> {
    let sql = "select * from payment_order where rail = $1 and reference1 = $2";
    one(queryable.row(sql, args![rail.as_str(), reference1]).await?)
}

/// The order of that payment, locked until the transaction ends.
pub async fn order_paid_by(tx: &mut Tx, bank_transaction_id: &str) -> Result<Option<Order>, Error> {
    let lock = tx.engine().for_update();
    let sql = format!("select * from payment_order where bank_transaction_id = $1{lock}");
    one(tx.row(&sql, args![bank_transaction_id]).await?)
}

/// What was paid at the bank (not the wallet) for a reference on one day in Thailand.
pub async fn orders_paid_on(
    database: &Database,
    reference1: &str,
    day: NaiveDate,
) -> Result<Vec<Order>, Error> {
    let sql = "select * from payment_order
               where paid_on = $1 and reference1 = $2 and rail in ('qr', 'deeplink')
               order by paid_at limit $3";
    let rows = database.rows(sql, args![day, reference1, INQUIRY_ROWS_MAX]).await?;
    rows.iter().map(read_order).collect()
}

/// What was paid at the bank by anyone on one day in Thailand, after a bank's number, in their order.
pub async fn bank_orders_paid_on(
    database: &Database,
    day: NaiveDate,
    after: &str,
) -> Result<Vec<Order>, Error> {
    let sql = "select * from payment_order
               where paid_on = $1 and rail in ('qr', 'deeplink') and bank_transaction_id > $2
               order by bank_transaction_id limit $3";
    database.rows(sql, args![day, after, STATEMENT_ROWS_MAX]).await?.iter().map(read_order).collect()
}

/// What the bank gave back between two instants, after a refund's id, in their order; each with the
/// bank's number of the payment.
pub async fn bank_refunds_between(
    database: &Database,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    after: &str,
) -> Result<Vec<(Refund, String)>, Error> {
    let sql = "select refund.*, payment_order.bank_transaction_id from refund
               join payment_order on payment_order.id = refund.order_id
               where refund.provider = 'bank' and refund.created_at >= $1 and refund.created_at < $2
               and refund.refund_id > $3
               order by refund.refund_id limit $4";
    let rows = database.rows(sql, args![from, until, after, STATEMENT_ROWS_MAX]).await?;
    rows.iter().map(|row| Ok((read_refund(row)?, row.get("bank_transaction_id")?))).collect()
}

/// The newest orders of all rails.
pub async fn orders(database: &Database, limit: i64) -> Result<Vec<Order>, Error> {
    let sql = "select * from payment_order order by created_at desc, id desc limit $1";
    database.rows(sql, args![limit]).await?.iter().map(read_order).collect()
}

/// Stores what became of the order.
pub async fn update_order(tx: &mut Tx, order: &Order) -> Result<(), Error> {
    let paid = order.paid.as_ref();
    tx.execute(
        "update payment_order
         set status = $2, paid_satang = $3, paid_at = $4, paid_on = $5, bank_transaction_id = $6
         where id = $1",
        args![
            order.id,
            order.status.as_str(),
            paid.map(|paid| paid.satang),
            paid.map(|paid| paid.at),
            paid.map(|paid| paid.on),
            paid.map(|paid| paid.bank_transaction_id.clone()),
        ],
    )
    .await
    .map(|_| ())
}

pub async fn insert_refund(tx: &mut Tx, provider: &str, refund: &Refund) -> Result<(), Error> {
    tx.execute(
        "insert into refund (provider, refund_id, order_id, amount_satang, created_at)
         values ($1, $2, $3, $4, $5)",
        args![provider, &refund.refund_id, refund.order_id, refund.amount_satang, refund.created_at],
    )
    .await
    .map(|_| ())
}

pub async fn refund(tx: &mut Tx, provider: &str, refund_id: &str) -> Result<Option<Refund>, Error> {
    let sql = "select * from refund where provider = $1 and refund_id = $2";
    tx.row(sql, args![provider, refund_id]).await?.as_ref().map(read_refund).transpose()
}

/// The refunds of some orders, oldest first.
pub async fn refunds_of(queryable: &mut impl Queryable, orders: &[Uuid]) -> Result<Vec<Refund>, Error> {
    let among = queryable.engine().in_uuids("$1");
    let sql = format!("select * from refund where order_id in {among} order by created_at, refund_id");
    queryable.rows(&sql, args![serde_json::json!(orders)]).await?.iter().map(read_refund).collect()
}

pub async fn totals(database: &Database) -> Result<Totals, Error> {
    let sql = "select
        (select count(*) from payment_order where status = 'paid') as paid_count,
        (select cast(coalesce(sum(paid_satang), 0) as bigint) from payment_order) as paid_satang,
        (select count(*) from refund) as refund_count,
        (select cast(coalesce(sum(amount_satang), 0) as bigint) from refund) as refunded_satang";
    let row = database.row(sql, args![]).await?;
    let count = |column| row.as_ref().map_or(Ok(0), |row| row.get(column));
    Ok(Totals {
        paid_satang: count("paid_satang")?,
        paid_count: count("paid_count")?,
        refunded_satang: count("refunded_satang")?,
        refund_count: count("refund_count")?,
    })
}

fn one(row: Option<Row>) -> Result<Option<Order>, Error> {
    row.as_ref().map(read_order).transpose()
}

fn read_order(row: &Row) -> Result<Order, Error> {
    let unknown = |column: &str| Error::Column { column: column.into(), reason: "unknown word".into() };
    let paid = match row.get::<Option<String>>("bank_transaction_id")? {
        Some(bank_transaction_id) => Some(Paid {
            satang: row.get("paid_satang")?,
            at: row.get("paid_at")?,
            on: row.get("paid_on")?,
            bank_transaction_id,
        }),
        None => None,
    };
    Ok(Order {
        id: row.get("id")?,
        rail: Rail::parse(&row.get::<String>("rail")?).ok_or_else(|| unknown("rail"))?,
        reference1: row.get("reference1")?,
        reference2: row.get("reference2")?,
        reference3: row.get("reference3")?,
        description: row.get("description")?,
        amount_satang: row.get("amount_satang")?,
        return_url: row.get("return_url")?,
        callback_url: row.get("callback_url")?,
        status: Status::parse(&row.get::<String>("status")?).ok_or_else(|| unknown("status"))?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        paid,
    })
}

fn read_refund(row: &Row) -> Result<Refund, Error> {
    Ok(Refund {
        refund_id: row.get("refund_id")?,
        order_id: row.get("order_id")?,
        amount_satang: row.get("amount_satang")?,
        created_at: row.get("created_at")?,
    })
}
