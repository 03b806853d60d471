//! Every SQL statement of identity.

mod flow;
mod key;
mod officer;
mod party;
mod person;
mod session;

use database::{Database, Migrations, Target};
use sealing::Sealer;

pub use flow::NumberTry;
pub use key::StoredKey;
pub use party::Directorship;
pub use person::Arrival;
pub use session::{Redeemed, Redemption, SessionEnd};

/// The tables of this service.
pub static MIGRATIONS: Migrations = database::migrations!("identity", "0001_identity");

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Sealing(#[from] sealing::Error),
    #[error("stored JSON is not what was written")]
    Json(#[from] serde_json::Error),
    #[error("stored {0} is not what was written")]
    Content(&'static str),
}

/// The store of identity. Cloning shares it.
#[derive(Clone)]
pub struct Store {
    database: Database,
    sealer: Sealer,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub async fn open(target: &Target, sealer: Sealer) -> Result<Self, Error> {
        let migrations = [&sealing::MIGRATIONS, &idempotency::MIGRATIONS, &MIGRATIONS];
        let database = Database::open(target, "identity", &migrations).await?;
        Ok(Self { database, sealer })
    }

    pub fn database(&self) -> &Database {
        &self.database
    }
}

/// A level or another parsed word out of a text column.
fn word<T: std::str::FromStr>(row: &database::Row, column: &'static str) -> Result<T, Error> {
    row.get::<String>(column)?.parse().map_err(|_| Error::Content(column))
}
