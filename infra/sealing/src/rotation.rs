//! Changing the key-encryption key while serving: known first, current next, and struck off last.

use chrono::{DateTime, Utc};
use database::{Database, Tx, args};

use crate::keys::{ID_BEFORE_IDS, name_of};
use crate::{Error, Sealer};

/// Rows counted per key: a count is for people to read, not worth a scan of everything.
const COUNTED_MAX: i64 = 100_000;

/// How many subject keys one key wraps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// What the key is called.
    pub name: String,
    /// Whether it wraps what is new.
    pub current: bool,
    /// Whether it is among ours.
    pub known: bool,
    /// At most 100,001, which means more than 100,000.
    pub subject_keys: i64,
}

impl Sealer {
    /// Makes the current key known to a database, and refuses to go on where a key that is still in use is
    /// not among ours, or the blind-index key is another. Asked once, when a service opens.
    pub async fn adopt(&self, database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
        let mut tx = database.begin().await?;
        let known = "insert into key_encryption_key (id, first_used_at) values ($1, $2)
                     on conflict (id) do nothing";
        tx.execute(known, args![self.keys().current.id, now]).await?;
        for id in used_ids(&mut tx).await? {
            if id != ID_BEFORE_IDS && self.keys().with_id(id).is_none() {
                return Err(Error::KeyInUse(name_of(id)));
            }
        }
        let oldest = "select subject, wrapped, kek_version from subject_key
                      where kek_version = $1 and wrapped is not null order by subject limit 1";
        let oldest = tx.row(oldest, args![ID_BEFORE_IDS]).await?;
        if let Some(row) = &oldest {
            self.unwrapped(row).map_err(|_| Error::KeyInUse(name_of(ID_BEFORE_IDS)))?;
        }
        let kept = "insert into blind_index_key (id, fingerprint) values (1, $1) on conflict (id) do nothing";
        let fingerprint = self.keys().index_fingerprint();
        let first = tx.execute(kept, args![&fingerprint]).await? == 1;
        // What was indexed before fingerprints were kept, was with the key of the only master key.
        if first && oldest.is_some() && !self.keys().index_was_derived() {
            return Err(Error::OtherIndexKey);
        }
        let row = tx.row("select fingerprint from blind_index_key where id = 1", args![]).await?;
        let kept = row.map(|row| row.get::<Vec<u8>>("fingerprint")).transpose()?;
        if kept.as_ref() != Some(&fingerprint) {
            return Err(Error::OtherIndexKey);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Wraps up to `batch` subject keys anew, in one transaction; tells how many. None is left when it
    /// tells 0 and nobody holds a row. Stopped at any point, it goes on from there.
    pub async fn rewrap(&self, database: &Database, batch: i64) -> Result<u64, Error> {
        let mut tx = database.begin().await?;
        let current = self.keys().current.id;
        let mut wrapped = 0;
        for id in used_ids(&mut tx).await?.into_iter().filter(|id| *id != current) {
            let left = batch - i64::try_from(wrapped).unwrap_or(i64::MAX);
            if left > 0 {
                wrapped += self.rewrap_from(&mut tx, id, left).await?;
            }
        }
        tx.commit().await?;
        Ok(wrapped)
    }

    async fn rewrap_from(&self, tx: &mut Tx, id: i64, batch: i64) -> Result<u64, Error> {
        // Locked: a key that is being shredded must not be written back.
        let sql = format!(
            "select subject, wrapped, kek_version from subject_key where kek_version = $1
             order by subject limit $2{}",
            tx.engine().skip_locked()
        );
        let mut count = 0;
        for row in tx.rows(&sql, args![id, batch]).await? {
            let subject: uuid::Uuid = row.get("subject")?;
            let wrapped = match row.get::<Option<Vec<u8>>>("wrapped")? {
                Some(_) => Some(self.wrapped(&self.unwrapped(&row)?)),
                None => None,
            };
            let sql = "update subject_key set wrapped = $2, kek_version = $3 where subject = $1";
            count += tx.execute(sql, args![subject, wrapped, self.keys().current.id]).await?;
        }
        Ok(count)
    }

    /// Strikes off the keys that no row needs any more; tells what those that are still needed are called.
    /// A process that wraps with one that was struck off is refused by the database.
    pub async fn retire_old(&self, database: &Database) -> Result<Vec<String>, Error> {
        let mut tx = database.begin().await?;
        let mut needed = Vec::new();
        for id in used_ids(&mut tx).await?.into_iter().filter(|id| *id != self.keys().current.id) {
            let sql = "delete from key_encryption_key where id = $1
                       and not exists (select 1 from subject_key where kek_version = $1)";
            if tx.execute(sql, args![id]).await? == 0 {
                needed.push(name_of(id));
            }
        }
        tx.commit().await?;
        Ok(needed)
    }

    /// How many subject keys each key wraps in a database.
    pub async fn key_uses(&self, database: &Database) -> Result<Vec<KeyUse>, Error> {
        let mut tx = database.begin().await?;
        let mut uses = Vec::new();
        for id in used_ids(&mut tx).await? {
            let sql = "select count(*) as count from
                       (select 1 from subject_key where kek_version = $1 limit $2) as counted";
            let row = tx.row(sql, args![id, COUNTED_MAX + 1]).await?;
            uses.push(KeyUse {
                name: name_of(id),
                current: id == self.keys().current.id,
                known: id == ID_BEFORE_IDS || self.keys().with_id(id).is_some(),
                subject_keys: row.map(|row| row.get("count")).transpose()?.unwrap_or(0),
            });
        }
        Ok(uses)
    }
}

async fn used_ids(tx: &mut Tx) -> Result<Vec<i64>, Error> {
    let rows = tx.rows("select id from key_encryption_key order by first_used_at, id", args![]).await?;
    Ok(rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?)
}
