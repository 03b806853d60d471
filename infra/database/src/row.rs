//! A row of an answer, read by column name.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value as Json;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, ValueRef as _};
use uuid::Uuid;

use crate::{Error, ROWS_MAX};

/// A row from either engine.
#[derive(Debug)]
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of `column`; a null where `T` is not an `Option` is an error.
    pub fn get<T: Column>(&self, column: &str) -> Result<T, Error> {
        T::read(self, column)
    }
}

/// What can be read from a column.
pub trait Column: Sized {
    fn read(row: &Row, column: &str) -> Result<Self, Error>;
}

pub(crate) fn sqlite(rows: Vec<SqliteRow>) -> Result<Vec<Row>, Error> {
    bounded(rows.into_iter().map(Row::Sqlite).collect())
}

pub(crate) fn postgres(rows: Vec<PgRow>) -> Result<Vec<Row>, Error> {
    bounded(rows.into_iter().map(Row::Postgres).collect())
}

fn bounded(rows: Vec<Row>) -> Result<Vec<Row>, Error> {
    if rows.len() > ROWS_MAX {
        return Err(Error::Column { column: "*".into(), reason: format!("more than {ROWS_MAX} rows") });
    }
    Ok(rows)
}

/// Reads `$stored` from SQLite and makes it a `$rust`; PostgreSQL has the type itself.
macro_rules! column {
    ($($rust:ty, $stored:ty, $convert:expr;)+) => {$(
        impl Column for $rust {
            fn read(row: &Row, column: &str) -> Result<Self, Error> {
                match row {
                    Row::Postgres(row) => Ok(row.try_get::<$rust, _>(column)?),
                    // Unchecked: an expression has no declared type in SQLite.
                    Row::Sqlite(row) => {
                        // SQLite would read a null as an empty text or a zero.
                        if row.try_get_raw(column)?.is_null() {
                            return Err(Error::Column { column: column.to_owned(), reason: "null".into() });
                        }
                        let stored = row.try_get_unchecked::<$stored, _>(column)?;
                        let convert: fn($stored) -> Result<$rust, String> = $convert;
                        convert(stored).map_err(|reason| Error::Column { column: column.to_owned(), reason })
                    }
                }
            }
        }
    )+};
}

column! {
    String, String, Ok;
    i64, i64, Ok;
    bool, bool, Ok;
    Vec<u8>, Vec<u8>, Ok;
    Uuid, String, |text| text.parse().map_err(|_| "not a uuid".to_owned());
    DateTime<Utc>, String, |text| text.parse().map_err(|_| "not an instant".to_owned());
    NaiveDate, String, |text| text.parse().map_err(|_| "not a date".to_owned());
    Json, String, |text| serde_json::from_str(&text).map_err(|_| "not JSON".to_owned());
}

impl Column for i32 {
    fn read(row: &Row, column: &str) -> Result<Self, Error> {
        let wide = i64::read(row, column)?;
        Self::try_from(wide).map_err(|_| Error::Column { column: column.into(), reason: "too large".into() })
    }
}

impl<T: Column> Column for Option<T> {
    fn read(row: &Row, column: &str) -> Result<Self, Error> {
        let null = match row {
            Row::Sqlite(row) => row.try_get_raw(column)?.is_null(),
            Row::Postgres(row) => row.try_get_raw(column)?.is_null(),
        };
        if null { Ok(None) } else { T::read(row, column).map(Some) }
    }
}
