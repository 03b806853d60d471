//! Every SQL statement of this service, by noun.

pub mod bill;
mod erasure;
pub mod finding;
pub mod ledger;
pub mod payment;
pub mod proposal;
pub mod receipt;
pub mod refund;
pub mod settlement;
pub mod statement;

use database::{Error, Migrations, Row};

/// This service's tables.
pub static MIGRATIONS: Migrations = database::migrations!(
    "payments",
    "0001_books",
    "0002_bill_by_agency",
    "0003_reconciliation",
    "0004_ledger_partitions",
);

/// Reads a code that the database's own constraint has checked.
fn code<T>(row: &Row, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, Error> {
    let text = row.get::<String>(column)?;
    parse(&text).ok_or_else(|| Error::Column { column: column.to_owned(), reason: "an unknown code".into() })
}
