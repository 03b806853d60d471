//! The record: every SQL statement of the switches.

use chrono::{DateTime, Utc};
use database::{Database, Error, Row, Tx, args};
use graphql::LocalizedText;
use serde::{Deserialize, Serialize};

use crate::{Closure, Target, UnknownKind};

/// Closures in force or planned at one time.
const CLOSURES_MAX: i64 = 5_000;

const COLUMNS: &str =
    "kind, name, number, closed, from_at, until_at, text_th, text_en, reason, changed_by, changed_at";

/// One entry of the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    pub target: Target,
    /// One more than that of the change before it.
    pub number: i64,
    /// None opened it.
    pub closure: Option<Closure>,
    pub reason: String,
    /// An officer as `officer:<id>`, or who typed at the command line.
    pub changed_by: String,
    pub changed_at: DateTime<Utc>,
}

/// The last change of each target that says closed and is not over.
pub async fn closures(database: &Database, now: DateTime<Utc>) -> Result<Vec<(Target, Closure)>, Error> {
    let sql = "select c.kind, c.name, c.from_at, c.until_at, c.text_th, c.text_en
        from switch_change c
        where c.closed and (c.until_at is null or c.until_at > $1)
          and not exists (select 1 from switch_change later
              where later.kind = c.kind and later.name = c.name and later.number > c.number)
        order by c.kind, c.name limit $2";
    let rows = database.rows(sql, args![now, CLOSURES_MAX]).await?;
    if i64::try_from(rows.len()).is_ok_and(|count| count >= CLOSURES_MAX) {
        tracing::error!(CLOSURES_MAX, "closures beyond these count as open");
    }
    rows.iter().map(|row| Ok((target(row)?, closure(row)?))).collect()
}

/// Keeps a change; tells whether it was not there yet. One with its number stays as it is.
pub async fn keep(tx: &mut Tx, change: &Change) -> Result<bool, Error> {
    let sql = format!(
        "insert into switch_change ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (kind, name, number) do nothing"
    );
    let closure = change.closure.as_ref();
    let args = args![
        change.target.kind.as_str(),
        &change.target.name,
        change.number,
        closure.is_some(),
        closure.map_or(change.changed_at, |closure| closure.from),
        closure.and_then(|closure| closure.until),
        closure.map(|closure| closure.text.th.clone()),
        closure.and_then(|closure| closure.text.en.clone()),
        &change.reason,
        &change.changed_by,
        change.changed_at,
    ];
    Ok(tx.execute(&sql, args).await? == 1)
}

/// The change of a target that says how it stands.
pub async fn last(tx: &mut Tx, of: &Target) -> Result<Option<Change>, Error> {
    let sql = format!(
        "select {COLUMNS} from switch_change where kind = $1 and name = $2 order by number desc limit 1"
    );
    tx.row(&sql, args![of.kind.as_str(), &of.name]).await?.as_ref().map(read).transpose()
}

/// One change.
pub async fn change(tx: &mut Tx, of: &Target, number: i64) -> Result<Option<Change>, Error> {
    let sql = format!("select {COLUMNS} from switch_change where kind = $1 and name = $2 and number = $3");
    tx.row(&sql, args![of.kind.as_str(), &of.name, number]).await?.as_ref().map(read).transpose()
}

/// A page of the changes of one target, the latest first.
pub async fn changes(
    database: &Database,
    of: &Target,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Change>, Error> {
    let sql = format!(
        "select {COLUMNS} from switch_change where kind = $1 and name = $2 and number < $3
         order by number desc limit $4"
    );
    let args = args![of.kind.as_str(), &of.name, before.unwrap_or(i64::MAX), limit];
    database.rows(&sql, args).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Change, Error> {
    Ok(Change {
        target: target(row)?,
        number: row.get("number")?,
        closure: if row.get::<bool>("closed")? { Some(closure(row)?) } else { None },
        reason: row.get("reason")?,
        changed_by: row.get("changed_by")?,
        changed_at: row.get("changed_at")?,
    })
}

/// A change that was recorded and is not there.
pub fn lost() -> Error {
    Error::Column { column: "number".into(), reason: "no such change".into() }
}

fn target(row: &Row) -> Result<Target, Error> {
    let kind = row.get::<String>("kind")?.parse();
    let unknown = |kind: UnknownKind| Error::Column { column: "kind".into(), reason: kind.to_string() };
    Ok(Target { kind: kind.map_err(unknown)?, name: row.get("name")? })
}

fn closure(row: &Row) -> Result<Closure, Error> {
    let th: Option<String> = row.get("text_th")?;
    let text = LocalizedText { th: th.unwrap_or_default(), en: row.get("text_en")? };
    Ok(Closure { from: row.get("from_at")?, until: row.get("until_at")?, text })
}
