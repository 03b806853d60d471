//! SQLite and PostgreSQL behind one SQL text: a service is written once and runs on both.
//!
//! Embedded, each service has an SQLite file of its own; for real, a PostgreSQL schema of its own.
//! Queries use `$1` placeholders and the dialect both engines understand; definitions are written
//! per engine under `migrations/`; the little that differs is a named function of [`Engine`].

mod address;
mod engine;
mod error;
mod meters;
mod migration;
mod open;
mod postgres;
mod provision;
mod replica;
mod row;
mod settings;
mod sqlite;
mod target;
mod transaction;
mod value;

pub use engine::Engine;
pub use error::Error;
pub use meters::Connections;
pub use migration::Migrations;
pub use open::Database;
pub use provision::{Provisioned, provision};
pub use row::{Column, Row};
pub use settings::{Migrate, Settings};
pub use target::{Server, Target};
pub use transaction::Tx;
pub use value::Value;

/// Rows that one statement may return: a query without a limit of its own is a defect.
pub const ROWS_MAX: usize = 10_000;

/// What can be asked: a [`Database`] (each statement on its own) or a [`Tx`].
pub trait Queryable: Send {
    /// All rows of a statement.
    fn rows(&mut self, sql: &str, args: Vec<Value>) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;

    /// The first row of a statement, if there is one.
    fn row(
        &mut self,
        sql: &str,
        args: Vec<Value>,
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send {
        async { Ok(self.rows(sql, args).await?.into_iter().next()) }
    }

    /// Runs a statement and tells how many rows it changed.
    fn execute(&mut self, sql: &str, args: Vec<Value>) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Which engine answers.
    fn engine(&self) -> Engine;
}

/// Binds values in order: `args![id, Some(name), None::<String>]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::Value::from($value)),*] };
}
