//! Signs our tokens (ES256) and rotates the keys.
//!
//! A key is published a day before it signs, signs for thirty, and is published until what it signed last
//! has expired. All processes on one database read the same keys and choose by the clock, so that they
//! agree on which one signs without asking each other.

use std::sync::{Arc, PoisonError, RwLock};

use auth::Keys;
use chrono::{DateTime, Duration, Utc};
use clock::Clock;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use p256::pkcs8::EncodePrivateKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::store::{self, Store, StoredKey};

/// How long a key is only published. Whoever verifies reads keys far more often.
const PUBLISHED_FIRST_HOURS: i64 = 24;
/// How long a key signs.
const SIGNS_DAYS: i64 = 30;
/// How long a key is published from when it begins to sign. Its successor has two days to take over.
const VERIFIES_DAYS: i64 = SIGNS_DAYS + 2;
/// No token is signed that would outlive the publication of its key.
const LAST_TOKEN_MINUTES: i64 = 10;
/// How long the ID token of a login, whose session may last that long, names the session to log out of.
pub const LOGOUT_HINT_DAYS: i64 = 30;
/// How often the keys are read: what another process made is known long before it signs.
const RELOAD_MINUTES: i64 = 5;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("a P-256 key cannot be made")]
    Make,
    #[error("no key may sign now")]
    None,
    #[error("a signing key cannot be used")]
    Use(#[from] jsonwebtoken::errors::Error),
    #[error("a public key cannot be read or written")]
    Json(#[from] serde_json::Error),
}

/// Holds the keys.
pub struct Signer {
    ring: RwLock<Arc<Ring>>,
    keys: Keys,
    clock: Clock,
}

struct Ring {
    /// Newest first.
    keys: Vec<RingKey>,
    read_at: DateTime<Utc>,
}

struct RingKey {
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    public: Jwk,
    signs_from: DateTime<Utc>,
    retires_at: DateTime<Utc>,
}

impl Signer {
    /// Reads the keys; makes one where there is none that may sign.
    pub async fn open(store: &Store, clock: &Clock, keys: Keys) -> Result<Self, KeyError> {
        let ring = read(store, clock).await?;
        keys.replace(&ring.published(clock.now()));
        Ok(Self { ring: RwLock::new(Arc::new(ring)), keys, clock: clock.clone() })
    }

    /// Reads the keys anew when it is time, and makes the next one when it is time for that.
    pub async fn keep_current(&self, store: &Store) -> Result<(), KeyError> {
        let now = self.clock.now();
        let ring = self.ring();
        let current = now - ring.read_at < Duration::minutes(RELOAD_MINUTES)
            && ring.keys.first().is_some_and(|newest| !successor_due(newest.signs_from, now));
        if current {
            return Ok(());
        }
        let ring = read(store, &self.clock).await?;
        self.keys.replace(&ring.published(now));
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    /// Signs claims as a JWT of type `typ`.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, KeyError> {
        let ring = self.ring();
        let now = self.clock.now();
        let key = ring.keys.iter().find(|key| key.signs_from <= now && now < key.retires_at);
        let key = key.ok_or(KeyError::None)?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(typ.to_owned());
        header.kid = Some(key.id.clone());
        Ok(jsonwebtoken::encode(&header, claims, &key.signing)?)
    }

    /// Claims of a token we signed ourselves, as long as its key is kept: its times and audience are
    /// not checked.
    pub fn own_claims<T: DeserializeOwned + Clone>(&self, typ: &str, issuer: &str, token: &str) -> Option<T> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.typ.as_deref() != Some(typ) || header.alg != Algorithm::ES256 {
            return None;
        }
        let ring = self.ring();
        let id = header.kid?;
        let key = ring.keys.iter().find(|key| key.id == id)?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[issuer]);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Some(jsonwebtoken::decode(token, &key.verifying, &validation).ok()?.claims)
    }

    /// The public keys, as a JWK set.
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::to_value(self.ring().published(self.clock.now())).unwrap_or_default()
    }

    fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Ring {
    fn published(&self, now: DateTime<Utc>) -> JwkSet {
        let keys = self.keys.iter().filter(|key| now < key.retires_at);
        JwkSet { keys: keys.map(|key| key.public.clone()).collect() }
    }
}

/// Whether it is time to make the key after one that signs from then.
fn successor_due(signs_from: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now >= signs_from + Duration::days(SIGNS_DAYS) - Duration::hours(PUBLISHED_FIRST_HOURS)
}

/// From when the key after `newest` signs: its turn, a day from now at the earliest, but never so late
/// that nothing can sign in between.
fn turn(newest: Option<&StoredKey>, now: DateTime<Utc>) -> DateTime<Utc> {
    let Some(newest) = newest else { return now };
    let turn = newest.signs_from + Duration::days(SIGNS_DAYS);
    let published = now + Duration::hours(PUBLISHED_FIRST_HOURS);
    let last = newest.retires_at - Duration::minutes(LAST_TOKEN_MINUTES);
    turn.max(published).min(last).max(now)
}

async fn read(store: &Store, clock: &Clock) -> Result<Ring, KeyError> {
    let now = clock.now();
    let kept_since = now - Duration::days(LOGOUT_HINT_DAYS);
    let mut stored = store.signing_keys(kept_since).await?;
    if stored.first().is_none_or(|newest| successor_due(newest.signs_from, now)) {
        store.insert_signing_key(&fresh_key(stored.first(), clock)?).await?;
        // Another process may have been faster: its key is the one.
        stored = store.signing_keys(kept_since).await?;
    }
    let keys = stored.iter().map(|key| {
        let public: Jwk = serde_json::from_value(key.public_jwk.clone())?;
        Ok(RingKey {
            id: key.id.to_string(),
            signing: EncodingKey::from_ec_der(&key.private_key),
            verifying: DecodingKey::from_jwk(&public)?,
            public,
            signs_from: key.signs_from,
            retires_at: key.retires_at,
        })
    });
    Ok(Ring { keys: keys.collect::<Result<_, KeyError>>()?, read_at: now })
}

fn fresh_key(newest: Option<&StoredKey>, clock: &Clock) -> Result<StoredKey, KeyError> {
    let mut scalar = Zeroizing::new([0_u8; 32]);
    rand::fill(&mut *scalar);
    // Refused only for zero and the few values beyond the curve's order, about one in 2^32.
    let key = p256::SecretKey::from_slice(&*scalar).map_err(|_| KeyError::Make)?;
    let der = key.to_pkcs8_der().map_err(|_| KeyError::Make)?;
    let id = clock.uuid();
    let mut jwk = Jwk::from_encoding_key(&EncodingKey::from_ec_der(der.as_bytes()), Algorithm::ES256)?;
    jwk.common.key_id = Some(id.to_string());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let now = clock.now();
    let signs_from = turn(newest, now);
    Ok(StoredKey {
        id,
        generation: newest.map_or(0, |newest| newest.generation) + 1,
        private_key: Zeroizing::new(der.as_bytes().to_vec()),
        public_jwk: serde_json::to_value(jwk)?,
        created_at: now,
        signs_from,
        retires_at: signs_from + Duration::days(VERIFIES_DAYS),
    })
}
