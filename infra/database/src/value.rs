//! Values bound to a statement, each in the form its engine stores.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::Value as Json;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Postgres, Sqlite};
use uuid::Uuid;

/// A value to bind; `None` is a null of that type.
#[derive(Clone, Debug)]
pub enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    Uuid(Option<Uuid>),
    Time(Option<DateTime<Utc>>),
    Date(Option<NaiveDate>),
    Bytes(Option<Vec<u8>>),
    Json(Option<Json>),
}

/// Times are text of one width in SQLite, so that they compare and read well.
pub(crate) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// PostgreSQL has no text with a NUL in it. Clients may send one all the same: it becomes U+FFFD, on
/// both engines, and so finds nothing instead of failing.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}

fn json_without_nul(value: Json) -> Json {
    match value {
        Json::String(text) => without_nul(text).into(),
        Json::Array(items) => items.into_iter().map(json_without_nul).collect(),
        Json::Object(members) => {
            members.into_iter().map(|(name, value)| (without_nul(name), json_without_nul(value))).collect()
        }
        other => other,
    }
}

pub(crate) fn sqlite(sql: &str, args: Vec<Value>) -> Query<'static, Sqlite, SqliteArguments> {
    // The text is ours: statements are written in store.rs, values are always bound.
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    args.into_iter().fold(query, |query, value| match value {
        Value::Text(value) => query.bind(value.map(without_nul)),
        Value::Integer(value) => query.bind(value),
        Value::Boolean(value) => query.bind(value),
        Value::Uuid(value) => query.bind(value.map(|id| id.hyphenated().to_string())),
        Value::Time(value) => query.bind(value.map(time_text)),
        Value::Date(value) => query.bind(value.map(|date| date.to_string())),
        Value::Bytes(value) => query.bind(value),
        Value::Json(value) => query.bind(value.map(|json| json_without_nul(json).to_string())),
    })
}

pub(crate) fn postgres(sql: &str, args: Vec<Value>) -> Query<'static, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    args.into_iter().fold(query, |query, value| match value {
        Value::Text(value) => query.bind(value.map(without_nul)),
        Value::Integer(value) => query.bind(value),
        Value::Boolean(value) => query.bind(value),
        Value::Uuid(value) => query.bind(value),
        Value::Time(value) => query.bind(value),
        Value::Date(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
        Value::Json(value) => query.bind(value.map(json_without_nul)),
    })
}

macro_rules! bindable {
    ($($kind:ident: $($source:ty => $convert:expr),+;)+) => {$($(
        impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$kind(Some($convert(value)))
            }
        }
        impl From<Option<$source>> for Value {
            fn from(value: Option<$source>) -> Self {
                Self::$kind(value.map($convert))
            }
        }
    )+)+};
}

bindable! {
    Text: String => String::from, &str => str::to_owned, &String => Clone::clone;
    Integer: i64 => i64::from, i32 => i64::from, u32 => i64::from;
    Boolean: bool => bool::from;
    Uuid: Uuid => Uuid::from, &Uuid => |id: &Uuid| *id;
    Time: DateTime<Utc> => DateTime::from, &DateTime<Utc> => |time: &DateTime<Utc>| *time;
    Date: NaiveDate => NaiveDate::from, &NaiveDate => |date: &NaiveDate| *date;
    Bytes: Vec<u8> => Vec::from, &[u8] => <[u8]>::to_vec, &Vec<u8> => Clone::clone;
    Json: Json => Json::from, &Json => Clone::clone;
}
