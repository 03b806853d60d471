//! What can go wrong with a database, told apart as far as callers act on it.

use std::io;
use std::path::PathBuf;

/// A failed statement, connection or start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database statement failed")]
    Sqlx(#[source] sqlx::Error),
    /// It may work when it is tried again: the source says how, in the kinds of [`io::ErrorKind`], by
    /// which errors that pass through here are recognised far away.
    #[error("the database does not answer now")]
    Unavailable(#[source] io::Error),
    #[error("column {column}: {reason}")]
    Column { column: String, reason: String },
    #[error("migrating {name} failed")]
    Migration { name: &'static str, source: sqlx::migrate::MigrateError },
    #[error("the tables of {service} lack {missing}: run `pratu migrate` first")]
    Behind { service: String, missing: String },
    #[error("{path} is in use by another process: one process per data directory", path = path.display())]
    InUse { path: PathBuf },
    #[error("{path}: {source}", path = path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("what was overwritten is still being read")]
    Read,
    #[error("the address of the PostgreSQL server is not valid")]
    Address,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match outage(&error) {
            Some(kind) => Self::Unavailable(io::Error::new(kind, error)),
            None => Self::Sqlx(error),
        }
    }
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

    /// Whether the connection is lost, or leads to a server that is no longer the primary.
    pub(crate) fn is_lost(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        matches!(error.kind(), io::ErrorKind::NotConnected | io::ErrorKind::ReadOnlyFilesystem)
    }

    /// Whether the primary may have become another.
    pub(crate) fn suggests_failover(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        self.is_lost() || error.kind() == io::ErrorKind::TimedOut
    }
}

/// How a failure that passes by itself, or with the operator's help, is told from a defect of ours.
fn outage(error: &sqlx::Error) -> Option<io::ErrorKind> {
    match error {
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => Some(io::ErrorKind::TimedOut),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => Some(io::ErrorKind::NotConnected),
        sqlx::Error::PoolTimedOut => Some(io::ErrorKind::TimedOut),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Some(io::ErrorKind::NotConnected),
        sqlx::Error::Database(error) => outage_by_code(&error.code()?, error.as_ref()),
        _ => None,
    }
}

fn outage_by_code(code: &str, error: &dyn sqlx::error::DatabaseError) -> Option<io::ErrorKind> {
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return match code {
            // PostgreSQL's appendix A: what another try may get past.
            "40001" | "40P01" | "55P03" => Some(io::ErrorKind::ResourceBusy),
            "57014" => Some(io::ErrorKind::TimedOut),
            "25006" => Some(io::ErrorKind::ReadOnlyFilesystem),
            "53100" => Some(io::ErrorKind::StorageFull),
            "53300" | "53200" => Some(io::ErrorKind::ResourceBusy),
            _ if code.starts_with("57P") || code.starts_with("08") || code == "25P03" => {
                Some(io::ErrorKind::NotConnected)
            }
            _ => None,
        };
    }
    // SQLite's result codes: the lower byte is the kind, the rest says where.
    match code.parse::<u32>().ok()? & 0xff {
        5 | 6 => Some(io::ErrorKind::ResourceBusy),
        13 => Some(io::ErrorKind::StorageFull),
        _ => None,
    }
}
