//! Where our books and a provider's differ.

use chrono::{DateTime, NaiveDate, Utc};
use database::{Database, Error, Row, Tx, Value, args};
use uuid::Uuid;

use super::code;
use crate::model::{FindingKind, FindingResolution, FindingStatus};

/// A finding as stored.
#[derive(Clone, Debug)]
pub struct Finding {
    pub id: Uuid,
    pub kind: FindingKind,
    pub provider: String,
    /// What it is about, in the provider's words or ours: a transfer, a refund, a payment, a day.
    pub subject: String,
    pub day: NaiveDate,
    /// Whose it is; none: nobody knows whose money it is, and the platform's operators look.
    pub agency_code: Option<String>,
    pub bill_id: Option<Uuid>,
    pub payment_id: Option<Uuid>,
    pub ours_satang: Option<i64>,
    pub theirs_satang: Option<i64>,
    pub status: FindingStatus,
    pub resolution: Option<FindingResolution>,
    pub found_at: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
}

/// Who looks at findings.
#[derive(Clone, Debug)]
pub struct Desk {
    pub agency_code: String,
    /// Whether it also looks after what is nobody's.
    pub operator: bool,
}

impl Desk {
    fn condition(&self) -> (&'static str, [Value; 2]) {
        let condition = "(agency_code = $1 or ($2 and agency_code is null))";
        (condition, [Value::from(&self.agency_code), Value::Boolean(Some(self.operator))])
    }
}

/// Writes a finding; false when it is known.
pub async fn insert_finding(tx: &mut Tx, finding: &Finding) -> Result<bool, Error> {
    let written = tx
        .execute(
            "insert into finding (id, kind, provider, subject, day, agency_code, bill_id, payment_id, \
             ours_satang, theirs_satang, status, resolution, found_at, settled_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing",
            args![
                finding.id,
                finding.kind.code(),
                &finding.provider,
                &finding.subject,
                finding.day,
                finding.agency_code.clone(),
                finding.bill_id,
                finding.payment_id,
                finding.ours_satang,
                finding.theirs_satang,
                finding.status.code(),
                finding.resolution.map(|resolution| resolution.code().to_owned()),
                finding.found_at,
                finding.settled_at,
            ],
        )
        .await?;
    Ok(written > 0)
}

/// A finding that this desk looks at, locked.
pub async fn finding_locked(tx: &mut Tx, id: Uuid, desk: &Desk) -> Result<Option<Finding>, Error> {
    let (may_see, [agency_code, operator]) = desk.condition();
    let lock = tx.engine().for_update();
    let sql = format!("select * from finding where {may_see} and id = $3{lock}");
    tx.row(&sql, vec![agency_code, operator, id.into()]).await?.map(finding_of).transpose()
}

/// What this desk looks at, newest first, one page.
pub async fn findings(
    database: &Database,
    desk: &Desk,
    (status, kind): (Option<FindingStatus>, Option<FindingKind>),
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Finding>, Error> {
    let (may_see, [agency_code, operator]) = desk.condition();
    let sql = format!(
        "select * from finding where {may_see} and ($3 is null or status = $3) and ($4 is null or kind = $4) \
         and ($5 is null or id < $5) order by id desc limit $6"
    );
    let mut bound = vec![agency_code, operator];
    bound.extend(args![
        status.map(|status| status.code().to_owned()),
        kind.map(|kind| kind.code().to_owned()),
        before,
        limit,
    ]);
    database.rows(&sql, bound).await?.into_iter().map(finding_of).collect()
}

/// Ends a finding.
pub async fn settle_finding(
    tx: &mut Tx,
    id: Uuid,
    resolution: FindingResolution,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let sql = "update finding set status = 'SETTLED', resolution = $2, settled_at = $3 \
               where id = $1 and status = 'OPEN'";
    tx.execute(sql, args![id, resolution.code(), now]).await
}

/// Ends a finding that went away by itself.
pub async fn heal(
    tx: &mut Tx,
    kind: FindingKind,
    provider: &str,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let sql = "update finding set status = 'SETTLED', resolution = 'HEALED', settled_at = $4 \
               where kind = $1 and provider = $2 and subject = $3 and status = 'OPEN'";
    tx.execute(sql, args![kind.code(), provider, subject, now]).await
}

/// Ends findings of something that the provider has told of meanwhile.
pub async fn heal_told(tx: &mut Tx, provider: &str, now: DateTime<Utc>) -> Result<u64, Error> {
    let sql = "update finding set status = 'SETTLED', resolution = 'HEALED', settled_at = $2 \
               where provider = $1 and status = 'OPEN' and kind in ('MISSING_BANK', 'REFUND_MISSING_BANK') \
               and exists (select 1 from statement_line where statement_line.provider = finding.provider \
               and statement_line.line_id = finding.subject and statement_line.kind = \
               case finding.kind when 'MISSING_BANK' then 'PAYMENT' else 'REFUND' end)";
    tx.execute(sql, args![provider, now]).await
}

fn finding_of(row: Row) -> Result<Finding, Error> {
    let resolution = row.get::<Option<String>>("resolution")?;
    Ok(Finding {
        id: row.get("id")?,
        kind: code(&row, "kind", FindingKind::parse)?,
        provider: row.get("provider")?,
        subject: row.get("subject")?,
        day: row.get("day")?,
        agency_code: row.get("agency_code")?,
        bill_id: row.get("bill_id")?,
        payment_id: row.get("payment_id")?,
        ours_satang: row.get("ours_satang")?,
        theirs_satang: row.get("theirs_satang")?,
        status: code(&row, "status", FindingStatus::parse)?,
        resolution: resolution.as_deref().and_then(FindingResolution::parse),
        found_at: row.get("found_at")?,
        settled_at: row.get("settled_at")?,
    })
}
