//! Seals and opens fields, and forgets a subject.

use std::collections::HashMap;
use std::sync::Arc;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Key, Nonce};
use chrono::{DateTime, Utc};
use database::{Queryable, Row, Tx, args};
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Keys;

const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
const INDEX_BYTES: usize = 16;

/// Where a sealed field stands; it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub row: Uuid,
}

/// Why a field could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("a sealed field does not open: wrong key, wrong place or damaged")]
    Damaged,
    #[error("the subject's key was shredded: nothing can be sealed for it any more")]
    Shredded,
    #[error("sealing key {0} is still in use: name it in sealing_keys until `pratu keys rotate` is through")]
    KeyInUse(String),
    #[error("blind_index_key is another than the one that everything was indexed with")]
    OtherIndexKey,
    #[error("a sealed field does not hold what was expected")]
    Content(#[from] serde_json::Error),
}

/// Seals fields for subjects. Cloning shares the keys.
#[derive(Clone)]
pub struct Sealer {
    keys: Keys,
}

/// One subject's key, unwrapped: seals and opens without asking the database again. Not to be kept
/// beyond the request, or erasure would not reach it.
#[derive(Clone)]
pub struct SubjectKey {
    subject: Uuid,
    key: Arc<Zeroizing<Vec<u8>>>,
}

impl SubjectKey {
    /// Seals `plaintext`.
    pub fn seal(&self, place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        encrypt(&self.key, plaintext, &field_data(self.subject, place))
    }

    /// Opens a field.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        decrypt(&self.key, sealed, &field_data(self.subject, place))
    }

    /// Opens a value sealed as JSON.
    pub fn open_json<T: DeserializeOwned>(&self, place: Place<'_>, sealed: &[u8]) -> Result<T, Error> {
        Ok(serde_json::from_slice(&Zeroizing::new(self.open(place, sealed)?))?)
    }
}

impl Sealer {
    pub fn new(keys: Keys) -> Self {
        Self { keys }
    }

    /// Seals `plaintext` for `subject`, making its key when this is the first time.
    pub async fn seal(
        &self,
        tx: &mut Tx,
        subject: Uuid,
        place: Place<'_>,
        plaintext: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, Error> {
        Ok(self.key_or_new(tx, subject, now).await?.seal(place, plaintext))
    }

    /// Opens a field; `None` when the subject's key was shredded.
    pub async fn open(
        &self,
        database: &mut impl Queryable,
        subject: Uuid,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        self.key(database, subject).await?.map(|key| key.open(place, sealed)).transpose()
    }

    /// Seals a value as JSON.
    pub async fn seal_json(
        &self,
        tx: &mut Tx,
        subject: Uuid,
        place: Place<'_>,
        value: &impl Serialize,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, Error> {
        let plaintext = Zeroizing::new(serde_json::to_vec(value)?);
        self.seal(tx, subject, place, &plaintext, now).await
    }

    /// Opens a value sealed with [`Self::seal_json`].
    pub async fn open_json<T: DeserializeOwned>(
        &self,
        database: &mut impl Queryable,
        subject: Uuid,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Option<T>, Error> {
        self.key(database, subject).await?.map(|key| key.open_json(place, sealed)).transpose()
    }

    /// The keys of many subjects in one query, for lists; those that were shredded are left out.
    pub async fn subject_keys(
        &self,
        database: &mut impl Queryable,
        subjects: &[Uuid],
    ) -> Result<HashMap<Uuid, SubjectKey>, Error> {
        let named = database.engine().in_uuids("$1");
        let sql = format!(
            "select subject, wrapped, kek_version from subject_key
             where subject in {named} and wrapped is not null"
        );
        let rows = database.rows(&sql, args![serde_json::json!(subjects)]).await?;
        rows.iter().map(|row| Ok((row.get("subject")?, self.unwrapped(row)?))).collect()
    }

    /// The key of a subject, made when this is the first time: for what is too large to be sealed
    /// while a transaction is open.
    pub async fn key_or_new(
        &self,
        tx: &mut Tx,
        subject: Uuid,
        now: DateTime<Utc>,
    ) -> Result<SubjectKey, Error> {
        if let Some(key) = self.key(tx, subject).await? {
            return Ok(key);
        }
        let fresh = Zeroizing::new(rand::random::<[u8; 32]>());
        let fresh = SubjectKey { subject, key: Arc::new(Zeroizing::new(fresh.to_vec())) };
        let wrapped = self.wrapped(&fresh);
        tx.execute(
            "insert into subject_key (subject, kek_version, wrapped, created_at)
             values ($1, $2, $3, $4) on conflict (subject) do nothing",
            args![subject, self.keys.current.id, wrapped, now],
        )
        .await?;
        // Read back: another transaction may have been first.
        self.key(tx, subject).await?.ok_or(Error::Shredded)
    }

    /// The same, and nobody else gets it this way until the transaction ends: for what may be begun for a
    /// subject only so often, or not at all once it is forgotten.
    pub async fn hold(&self, tx: &mut Tx, subject: Uuid, now: DateTime<Utc>) -> Result<SubjectKey, Error> {
        let key = self.key_or_new(tx, subject, now).await;
        let sql = format!("select 1 as one from subject_key where subject = $1{}", tx.engine().for_update());
        tx.row(&sql, args![subject]).await?;
        match key {
            // Whoever held it before may have shredded it.
            Ok(_) => self.key(tx, subject).await?.ok_or(Error::Shredded),
            refused => refused,
        }
    }

    /// Finds a value without showing it: equal values of one `column` have equal indexes.
    pub fn blind_index(&self, column: &str, value: &str) -> Vec<u8> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&*self.keys.index).expect("HMAC takes a key of any length");
        mac.update(column.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        mac.finalize().into_bytes()[..INDEX_BYTES].to_vec()
    }

    /// Seals something that belongs to the process itself (a signing key), under the
    /// key-encryption key.
    pub fn seal_own(&self, place: Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        encrypt(&*self.keys.current.key, plaintext, &field_data(Uuid::nil(), place))
    }

    /// Opens what [`Self::seal_own`] sealed.
    pub fn open_own(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let data = field_data(Uuid::nil(), place);
        // Few and short: which of a handful of keys sealed it is found by trying.
        let opened = self.keys.all().find_map(|kek| decrypt(&*kek.key, sealed, &data).ok());
        opened.ok_or(Error::Damaged)
    }

    /// Whether the current key alone opens what [`Self::seal_own`] sealed.
    pub fn is_current(&self, place: Place<'_>, sealed: &[u8]) -> bool {
        decrypt(&*self.keys.current.key, sealed, &field_data(Uuid::nil(), place)).is_ok()
    }

    /// Erases everything sealed for `subject` in this database, for good.
    pub async fn shred(&self, tx: &mut Tx, subject: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
        tx.execute(
            "insert into subject_key (subject, kek_version, wrapped, created_at, shredded_at)
             values ($1, $2, null, $3, $3)
             on conflict (subject) do update set wrapped = null, shredded_at = $3",
            args![subject, self.keys.current.id, now],
        )
        .await?;
        Ok(())
    }

    async fn key(&self, database: &mut impl Queryable, subject: Uuid) -> Result<Option<SubjectKey>, Error> {
        let sql = "select subject, wrapped, kek_version from subject_key
                   where subject = $1 and wrapped is not null";
        database.row(sql, args![subject]).await?.map(|row| self.unwrapped(&row)).transpose()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A subject's key, wrapped with the current key.
    pub(crate) fn wrapped(&self, key: &SubjectKey) -> Vec<u8> {
        encrypt(&*self.keys.current.key, &key.key, &key_data(key.subject))
    }

    pub(crate) fn unwrapped(&self, row: &Row) -> Result<SubjectKey, Error> {
        let (subject, wrapped) = (row.get("subject")?, row.get::<Vec<u8>>("wrapped")?);
        let data = key_data(subject);
        let named = self.keys.with_id(row.get("kek_version")?);
        let key = match named {
            Some(kek) => decrypt(&*kek.key, &wrapped, &data)?,
            // Of before keys had ids: the authenticated cipher says which one it was.
            None => {
                let opened = self.keys.all().find_map(|kek| decrypt(&*kek.key, &wrapped, &data).ok());
                opened.ok_or(Error::Damaged)?
            }
        };
        Ok(SubjectKey { subject, key: Arc::new(Zeroizing::new(key)) })
    }
}

fn field_data(subject: Uuid, place: Place<'_>) -> Vec<u8> {
    format!("{FORMAT}|{subject}|{}|{}|{}", place.table, place.column, place.row).into_bytes()
}

fn key_data(subject: Uuid) -> Vec<u8> {
    format!("{FORMAT}|subject_key|{subject}").into_bytes()
}

/// `format | nonce | ciphertext and tag`. The nonce is random; SIV forgives a repeated one.
fn encrypt(key: &[u8], plaintext: &[u8], associated: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let sealed = cipher(key)
        .encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: associated })
        .expect("AES-GCM-SIV takes messages up to 64 GiB");
    [&[FORMAT][..], &nonce, &sealed].concat()
}

fn decrypt(key: &[u8], sealed: &[u8], associated: &[u8]) -> Result<Vec<u8>, Error> {
    let (&format, rest) = sealed.split_first().ok_or(Error::Damaged)?;
    if format != FORMAT || rest.len() < NONCE_BYTES {
        return Err(Error::Damaged);
    }
    let (nonce, ciphertext) = rest.split_at(NONCE_BYTES);
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| Error::Damaged)?;
    cipher(key)
        .decrypt(&Nonce::from(nonce), Payload { msg: ciphertext, aad: associated })
        .map_err(|_| Error::Damaged)
}

fn cipher(key: &[u8]) -> Aes256GcmSiv {
    let key: [u8; 32] = key.try_into().expect("keys are made and unwrapped as 32 bytes");
    Aes256GcmSiv::new(&Key::<Aes256GcmSiv>::from(key))
}
