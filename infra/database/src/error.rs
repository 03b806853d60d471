//! What can go wrong with a database, told apart as far as callers act on it.

use std::path::PathBuf;

/// A failed statement, connection or start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database statement failed")]
    Sqlx(#[from] sqlx::Error),
    #[error("column {column}: {reason}")]
    Column { column: String, reason: String },
    #[error("migrating {name} failed")]
    Migration { name: &'static str, source: sqlx::migrate::MigrateError },
    #[error("{path} is in use by another process: one process per data directory", path = path.display())]
    InUse { path: PathBuf },
    #[error("{path}: {source}", path = path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("what was overwritten is still being read")]
    Read,
    #[error("the address of the PostgreSQL server is not valid")]
    Address,
}

impl Error {
    /// Whether a unique or primary key constraint refused the change.
    pub fn is_unique_violation(&self) -> bool {
        match self {
            // SQLSTATE differs between the engines; the kind does not.
            Self::Sqlx(sqlx::Error::Database(error)) => {
                error.kind() == sqlx::error::ErrorKind::UniqueViolation
            }
            _ => false,
        }
    }
}
