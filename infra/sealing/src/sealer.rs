//! Seals and opens fields, and forgets a subject.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Key, Nonce};
use chrono::{DateTime, Utc};
use database::{Queryable, Tx, args};
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Keys;

const FORMAT: u8 = 1;
const KEK_VERSION: i64 = 1;
const NONCE_BYTES: usize = 12;
const INDEX_BYTES: usize = 16;

type SubjectKey = Zeroizing<Vec<u8>>;

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
    #[error("a sealed field does not hold what was expected")]
    Content(#[from] serde_json::Error),
}

/// Seals fields for subjects. Cloning shares the keys.
#[derive(Clone)]
pub struct Sealer {
    keys: Keys,
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
        let key = self.key_or_new(tx, subject, now).await?;
        Ok(encrypt(&key, plaintext, &field_data(subject, place)))
    }

    /// Opens a field; `None` when the subject's key was shredded.
    pub async fn open(
        &self,
        database: &mut impl Queryable,
        subject: Uuid,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        match self.key(database, subject).await? {
            Some(key) => decrypt(&key, sealed, &field_data(subject, place)).map(Some),
            None => Ok(None),
        }
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
        match self.open(database, subject, place, sealed).await? {
            Some(plaintext) => Ok(Some(serde_json::from_slice(&Zeroizing::new(plaintext))?)),
            None => Ok(None),
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
        encrypt(&*self.keys.kek, plaintext, &field_data(Uuid::nil(), place))
    }

    /// Opens what [`Self::seal_own`] sealed.
    pub fn open_own(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        decrypt(&*self.keys.kek, sealed, &field_data(Uuid::nil(), place))
    }

    /// Erases everything sealed for `subject` in this database, for good.
    pub async fn shred(&self, tx: &mut Tx, subject: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
        tx.execute(
            "insert into subject_key (subject, kek_version, wrapped, created_at, shredded_at)
             values ($1, $2, null, $3, $3)
             on conflict (subject) do update set wrapped = null, shredded_at = $3",
            args![subject, KEK_VERSION, now],
        )
        .await?;
        Ok(())
    }

    async fn key_or_new(&self, tx: &mut Tx, subject: Uuid, now: DateTime<Utc>) -> Result<SubjectKey, Error> {
        if let Some(key) = self.key(tx, subject).await? {
            return Ok(key);
        }
        let fresh = Zeroizing::new(rand::random::<[u8; 32]>());
        let wrapped = encrypt(&*self.keys.kek, &*fresh, &key_data(subject));
        tx.execute(
            "insert into subject_key (subject, kek_version, wrapped, created_at)
             values ($1, $2, $3, $4) on conflict (subject) do nothing",
            args![subject, KEK_VERSION, wrapped, now],
        )
        .await?;
        // Read back: another transaction may have been first.
        self.key(tx, subject).await?.ok_or(Error::Shredded)
    }

    async fn key(&self, database: &mut impl Queryable, subject: Uuid) -> Result<Option<SubjectKey>, Error> {
        let row = database.row("select wrapped from subject_key where subject = $1", args![subject]).await?;
        match row.map(|row| row.get::<Option<Vec<u8>>>("wrapped")).transpose()?.flatten() {
            Some(wrapped) => {
                let key = decrypt(&*self.keys.kek, &wrapped, &key_data(subject))?;
                Ok(Some(Zeroizing::new(key)))
            }
            None => Ok(None),
        }
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
