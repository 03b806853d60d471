//! The keys our tokens are signed with.

use chrono::{DateTime, Utc};
use database::{Database, args};
use sealing::{Place, Sealer};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Error, Store};

/// Keys that are of use at one time.
const KEYS_MAX: i64 = 20;
/// Keys that are kept, those that retired long ago among them.
const KEPT_KEYS_MAX: i64 = 5_000;

/// A signing key as it is kept.
pub struct StoredKey {
    pub id: Uuid,
    /// One more than that of the key before it.
    pub generation: i64,
    /// PKCS #8, DER.
    pub private_key: Zeroizing<Vec<u8>>,
    pub public_jwk: serde_json::Value,
    pub created_at: DateTime<Utc>,
    /// Until then it is only published, so that all who verify know it first.
    pub signs_from: DateTime<Utc>,
    pub retires_at: DateTime<Utc>,
}

impl Store {
    /// The keys that had not retired by then, and the newest in any case, newest first.
    pub async fn signing_keys(&self, not_retired_by: DateTime<Utc>) -> Result<Vec<StoredKey>, Error> {
        let rows = self
            .database
            .rows(
                "select id, coalesce(generation, 0) as generation, private_key, public_jwk, created_at,
                     coalesce(signs_from, created_at) as signs_from, retires_at
                 from signing_key
                 where retires_at > $1 or generation = (select max(generation) from signing_key)
                 order by coalesce(generation, 0) desc, created_at desc, id desc limit $2",
                args![not_retired_by, KEYS_MAX],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let id = row.get("id")?;
                let private_key = self.sealer.open_own(place(id), &row.get::<Vec<u8>>("private_key")?)?;
                Ok(StoredKey {
                    id,
                    generation: row.get("generation")?,
                    private_key: Zeroizing::new(private_key),
                    public_jwk: row.get("public_jwk")?,
                    created_at: row.get("created_at")?,
                    signs_from: row.get("signs_from")?,
                    retires_at: row.get("retires_at")?,
                })
            })
            .collect()
    }

    /// Keeps a key, unless another process has already made the one of this generation.
    pub async fn insert_signing_key(&self, key: &StoredKey) -> Result<(), Error> {
        let sealed = self.sealer.seal_own(place(key.id), &key.private_key);
        self.database
            .execute(
                "insert into signing_key
                     (id, generation, private_key, public_jwk, created_at, signs_from, retires_at)
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict (generation) do nothing",
                args![
                    key.id,
                    key.generation,
                    sealed,
                    &key.public_jwk,
                    key.created_at,
                    key.signs_from,
                    key.retires_at,
                ],
            )
            .await?;
        Ok(())
    }
}

/// Seals the keys anew with the current key-encryption key; tells how many. May be done again.
pub async fn reseal_signing_keys(database: &Database, sealer: &Sealer) -> Result<u64, Error> {
    let mut tx = database.begin().await?;
    let sql = "select id, private_key from signing_key order by id limit $1";
    let rows = tx.rows(sql, args![KEPT_KEYS_MAX]).await?;
    for row in &rows {
        let id: Uuid = row.get("id")?;
        let private_key = Zeroizing::new(sealer.open_own(place(id), &row.get::<Vec<u8>>("private_key")?)?);
        let sealed = sealer.seal_own(place(id), &private_key);
        tx.execute("update signing_key set private_key = $2 where id = $1", args![id, sealed]).await?;
    }
    tx.commit().await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// How many of the keys only an old key-encryption key opens.
pub async fn signing_keys_left(database: &Database, sealer: &Sealer) -> Result<usize, Error> {
    let sql = "select id, private_key from signing_key order by id limit $1";
    let mut left = 0;
    for row in database.rows(sql, args![KEPT_KEYS_MAX]).await? {
        let is_current = sealer.is_current(place(row.get("id")?), &row.get::<Vec<u8>>("private_key")?);
        left += usize::from(!is_current);
    }
    Ok(left)
}

fn place(id: Uuid) -> Place<'static> {
    Place { table: "signing_key", column: "private_key", row: id }
}
