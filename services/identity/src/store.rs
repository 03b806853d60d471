//! Every SQL statement of identity.

pub mod erasure;
mod flow;
mod key;
mod officer;
mod party;
mod person;
mod retention;
mod session;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use database::{Database, Migrations, Target};
use sealing::Sealer;

use crate::model::national_id::NationalId;

pub use flow::NumberTry;
pub use key::{StoredKey, reseal_signing_keys, signing_keys_left};
pub use party::Directorship;
pub use person::Arrival;
pub use session::{Redeemed, Redemption, SessionEnd};

/// The tables of this service.
pub static MIGRATIONS: Migrations = database::migrations!(
    "identity",
    "0001_identity",
    "0002_signing_key_generation",
    "0003_erasure",
    "0004_lookups",
);

/// The definitions of all tables of this service.
pub fn migrations() -> [&'static Migrations; 5] {
    [&outbox::MIGRATIONS, &sealing::MIGRATIONS, &idempotency::MIGRATIONS, &switches::MIGRATIONS, &MIGRATIONS]
}

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
        let database = Database::open(target, "identity", &migrations()).await?;
        Ok(Self { database, sealer })
    }

    /// Makes the sealing key known here, and refuses keys that do not open what is kept.
    pub async fn adopt_keys(&self, now: DateTime<Utc>) -> Result<(), Error> {
        Ok(self.sealer.adopt(&self.database, now).await?)
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// What other services find a person's things by: a digest that no one without the key can make.
    pub fn national_id_index(&self, pid: &NationalId) -> String {
        URL_SAFE_NO_PAD.encode(self.sealer.blind_index("party.number", pid.digits()))
    }
}

/// A level or another parsed word out of a text column.
fn word<T: std::str::FromStr>(row: &database::Row, column: &'static str) -> Result<T, Error> {
    row.get::<String>(column)?.parse().map_err(|_| Error::Content(column))
}
