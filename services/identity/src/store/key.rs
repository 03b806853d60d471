//! The keys our tokens are signed with.

use chrono::{DateTime, Utc};
use database::args;
use sealing::Place;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Error, Store};

/// Keys that may verify at one time.
const KEYS_MAX: i64 = 20;

/// A signing key as it is kept.
pub struct StoredKey {
    pub id: Uuid,
    /// PKCS #8, DER.
    pub private_key: Zeroizing<Vec<u8>>,
    pub public_jwk: serde_json::Value,
    pub created_at: DateTime<Utc>,
    pub retires_at: DateTime<Utc>,
}

impl Store {
    /// The keys that still verify, newest first.
    pub async fn signing_keys(&self, now: DateTime<Utc>) -> Result<Vec<StoredKey>, Error> {
        let rows = self
            .database
            .rows(
                "select id, private_key, public_jwk, created_at, retires_at from signing_key
                 where retires_at > $1 order by created_at desc, id desc limit $2",
                args![now, KEYS_MAX],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let id = row.get("id")?;
                let private_key = self.sealer.open_own(place(id), &row.get::<Vec<u8>>("private_key")?)?;
                Ok(StoredKey {
                    id,
                    private_key: Zeroizing::new(private_key),
                    public_jwk: row.get("public_jwk")?,
                    created_at: row.get("created_at")?,
                    retires_at: row.get("retires_at")?,
                })
            })
            .collect()
    }

    pub async fn insert_signing_key(&self, key: &StoredKey) -> Result<(), Error> {
        let sealed = self.sealer.seal_own(place(key.id), &key.private_key);
        self.database
            .execute(
                "insert into signing_key (id, private_key, public_jwk, created_at, retires_at)
                 values ($1, $2, $3, $4, $5)",
                args![key.id, sealed, &key.public_jwk, key.created_at, key.retires_at],
            )
            .await?;
        Ok(())
    }
}

fn place(id: Uuid) -> Place<'static> {
    Place { table: "signing_key", column: "private_key", row: id }
}
