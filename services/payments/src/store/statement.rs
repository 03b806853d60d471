//! What providers say of a day, and where it differs from what we recorded.

use chrono::{DateTime, NaiveDate, Utc};
use database::{Database, Error, Row, Tx, args};
use uuid::Uuid;

use super::code;
use super::settlement::{Settlement, settlement_of};
use crate::model::{LineKind, StatementLine};

/// Rows that one comparison reads at once.
pub const ROWS_MAX: i64 = 500;

/// Takes a day into the round; false when it was taken before.
pub async fn insert_day(tx: &mut Tx, provider: &str, day: NaiveDate) -> Result<bool, Error> {
    let sql = "insert into reconciliation (provider, day, status, line_count, matched_count) \
               values ($1, $2, 'OPEN', 0, 0) on conflict do nothing";
    Ok(tx.execute(sql, args![provider, day]).await? > 0)
}

/// Counts what was compared, and closes the day.
pub async fn close_day(
    tx: &mut Tx,
    provider: &str,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let sql = "update reconciliation set status = 'DONE', ended_at = $3, \
               line_count = (select count(*) from statement_line where provider = $1 and day = $2), \
               matched_count = (select count(*) from statement_line join settlement \
               on settlement.provider = statement_line.provider \
               and settlement.provider_txn_id = statement_line.line_id \
               and settlement.amount_satang = statement_line.amount_satang \
               where statement_line.provider = $1 and statement_line.day = $2 \
               and statement_line.kind = 'PAYMENT') \
               where provider = $1 and day = $2";
    tx.execute(sql, args![provider, day, now]).await
}

/// Keeps lines, by one statement: a day has many. A line is kept once.
pub async fn insert_lines(
    tx: &mut Tx,
    provider: &str,
    day: NaiveDate,
    lines: &[StatementLine],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    if lines.is_empty() {
        return Ok(0);
    }
    let mut bound = args![provider, day, now];
    let mut rows = Vec::with_capacity(lines.len());
    for line in lines {
        let [kind, id, txn, reference, amount, at] = std::array::from_fn(|place| bound.len() + 1 + place);
        rows.push(format!("($1, $2, $3, ${kind}, ${id}, ${txn}, ${reference}, ${amount}, ${at})"));
        bound.extend(args![
            line.kind.code(),
            &line.line_id,
            &line.provider_txn_id,
            &line.reference,
            line.amount_satang,
            line.occurred_at,
        ]);
    }
    let sql = format!(
        "insert into statement_line (provider, day, recorded_at, kind, line_id, provider_txn_id, reference, \
         amount_satang, occurred_at) values {} on conflict do nothing",
        rows.join(", ")
    );
    tx.execute(&sql, bound).await
}

/// Payments that the provider tells of on a day and we have no settlement of, after one of them.
pub async fn lines_without_settlement(
    database: &Database,
    provider: &str,
    day: NaiveDate,
    after: &str,
) -> Result<Vec<StatementLine>, Error> {
    let sql = "select * from statement_line where provider = $1 and day = $2 and kind = 'PAYMENT' \
               and line_id > $3 and not exists (select 1 from settlement \
               where settlement.provider = statement_line.provider \
               and settlement.provider_txn_id = statement_line.line_id) order by line_id limit $4";
    database.rows(sql, args![provider, day, after, ROWS_MAX]).await?.into_iter().map(line_of).collect()
}

/// Refunds that the provider tells of on a day, after one of them.
pub async fn refund_lines(
    database: &Database,
    provider: &str,
    day: NaiveDate,
    after: &str,
) -> Result<Vec<StatementLine>, Error> {
    let sql = "select * from statement_line where provider = $1 and day = $2 and kind = 'REFUND' \
               and line_id > $3 order by line_id limit $4";
    database.rows(sql, args![provider, day, after, ROWS_MAX]).await?.into_iter().map(line_of).collect()
}

/// Settlements that the provider tells of with another amount or reference, after one of them; with its
/// amount.
pub async fn settlements_told_otherwise(
    database: &Database,
    provider: &str,
    day: NaiveDate,
    after: Uuid,
) -> Result<Vec<(Settlement, i64)>, Error> {
    let sql = "select settlement.*, statement_line.amount_satang as told_satang from settlement \
               join payment on payment.id = settlement.payment_id \
               join statement_line on statement_line.provider = settlement.provider \
               and statement_line.line_id = settlement.provider_txn_id and statement_line.kind = 'PAYMENT' \
               where settlement.provider = $1 and statement_line.day = $2 and settlement.id > $3 \
               and (statement_line.amount_satang <> settlement.amount_satang \
               or statement_line.reference <> payment.reference) order by settlement.id limit $4";
    let rows = database.rows(sql, args![provider, day, after, ROWS_MAX]).await?;
    rows.into_iter()
        .map(|row| {
            let told_satang = row.get("told_satang")?;
            Ok((settlement_of(row)?, told_satang))
        })
        .collect()
}

/// Settlements of a day that the provider does not tell of, after one of them.
pub async fn settlements_without_line(
    database: &Database,
    provider: &str,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    after: Uuid,
) -> Result<Vec<Settlement>, Error> {
    let sql = "select * from settlement where provider = $1 and occurred_at >= $2 and occurred_at < $3 \
               and id > $4 and not exists (select 1 from statement_line \
               where statement_line.provider = settlement.provider and statement_line.kind = 'PAYMENT' \
               and statement_line.line_id = settlement.provider_txn_id) order by id limit $5";
    let rows = database.rows(sql, args![provider, from, until, after, ROWS_MAX]).await?;
    rows.into_iter().map(settlement_of).collect()
}

/// Refunds that a provider made by our books in a span of time, and does not tell of; by id. Those
/// that an agency paid by its own transfer are not the provider's to tell of.
pub async fn refunds_without_line(
    database: &Database,
    provider: &str,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    after: Uuid,
) -> Result<Vec<Uuid>, Error> {
    let sql = "select refund.id from refund join settlement on settlement.id = refund.settlement_id \
               where settlement.provider = $1 and refund.status = 'REFUNDED' and refund.ended_at >= $2 \
               and refund.ended_at < $3 and refund.id > $4 \
               and not exists (select 1 from statement_line where statement_line.provider = settlement.provider \
               and statement_line.kind = 'REFUND' and statement_line.line_id = cast(refund.id as text)) \
               and not exists (select 1 from proposal where proposal.subject_kind = 'REFUND' \
               and proposal.subject_id = refund.id and proposal.status = 'CONFIRMED' \
               and proposal.action = 'PAID_BY_TRANSFER') order by refund.id limit $5";
    let rows = database.rows(sql, args![provider, from, until, after, ROWS_MAX]).await?;
    rows.into_iter().map(|row| row.get("id")).collect()
}

fn line_of(row: Row) -> Result<StatementLine, Error> {
    Ok(StatementLine {
        kind: code(&row, "kind", LineKind::parse)?,
        line_id: row.get("line_id")?,
        provider_txn_id: row.get("provider_txn_id")?,
        reference: row.get("reference")?,
        amount_satang: row.get("amount_satang")?,
        occurred_at: row.get("occurred_at")?,
    })
}
