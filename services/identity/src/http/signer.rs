//! Signs our tokens (ES256) and rotates the key.

use std::collections::HashMap;
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

/// A key signs for this long,
const SIGNS_DAYS: i64 = 30;
/// and verifies this long from its making: what it signed last has expired by then.
const VERIFIES_DAYS: i64 = 32;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("a P-256 key cannot be made")]
    Make,
    #[error("a signing key cannot be used")]
    Use(#[from] jsonwebtoken::errors::Error),
    #[error("a public key cannot be written")]
    Write(#[from] serde_json::Error),
}

/// Holds the keys. The newest signs; the others verify until they retire.
pub struct Signer {
    ring: RwLock<Arc<Ring>>,
    keys: Keys,
}

struct Ring {
    signing: EncodingKey,
    signing_id: String,
    made_at: DateTime<Utc>,
    verifying: HashMap<String, DecodingKey>,
    public: JwkSet,
}

impl Signer {
    /// Loads the keys; makes one when there is none or the newest has signed long enough.
    pub async fn open(store: &Store, clock: &Clock, keys: Keys) -> Result<Self, KeyError> {
        let ring = load(store, clock).await?;
        keys.replace(&ring.public);
        Ok(Self { ring: RwLock::new(Arc::new(ring)), keys })
    }

    /// Rotates when it is time. Two processes may both; each knows the other's key from the next time
    /// it loads them.
    pub async fn rotate_if_due(&self, store: &Store, clock: &Clock) -> Result<(), KeyError> {
        if clock.now() - self.ring().made_at < Duration::days(SIGNS_DAYS) {
            return Ok(());
        }
        let ring = load(store, clock).await?;
        self.keys.replace(&ring.public);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    /// Signs claims as a JWT of type `typ`.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, KeyError> {
        let ring = self.ring();
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(typ.to_owned());
        header.kid = Some(ring.signing_id.clone());
        Ok(jsonwebtoken::encode(&header, claims, &ring.signing)?)
    }

    /// Claims of a token we signed ourselves, as long as its key is kept: its times and audience are
    /// not checked.
    pub fn own_claims<T: DeserializeOwned + Clone>(&self, typ: &str, issuer: &str, token: &str) -> Option<T> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.typ.as_deref() != Some(typ) || header.alg != Algorithm::ES256 {
            return None;
        }
        let ring = self.ring();
        let key = ring.verifying.get(&header.kid?)?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[issuer]);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Some(jsonwebtoken::decode(token, key, &validation).ok()?.claims)
    }

    /// The public keys, as a JWK set.
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::to_value(&self.ring().public).unwrap_or_default()
    }

    fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn load(store: &Store, clock: &Clock) -> Result<Ring, KeyError> {
    let now = clock.now();
    let mut stored = store.signing_keys(now).await?;
    let due = stored.first().is_none_or(|newest| now - newest.created_at >= Duration::days(SIGNS_DAYS));
    if due {
        let fresh = fresh_key(clock)?;
        store.insert_signing_key(&fresh).await?;
        stored.insert(0, fresh);
    }
    let newest = stored.first().ok_or(KeyError::Make)?;
    let public = stored
        .iter()
        .map(|key| serde_json::from_value(key.public_jwk.clone()))
        .collect::<Result<Vec<Jwk>, _>>()?;
    let verifying =
        public.iter().filter_map(|key| Some((key.common.key_id.clone()?, DecodingKey::from_jwk(key).ok()?)));
    Ok(Ring {
        signing: EncodingKey::from_ec_der(&newest.private_key),
        signing_id: newest.id.to_string(),
        made_at: newest.created_at,
        verifying: verifying.collect(),
        public: JwkSet { keys: public },
    })
}

fn fresh_key(clock: &Clock) -> Result<StoredKey, KeyError> {
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
    Ok(StoredKey {
        id,
        private_key: Zeroizing::new(der.as_bytes().to_vec()),
        public_jwk: serde_json::to_value(jwk)?,
        created_at: now,
        retires_at: now + Duration::days(VERIFIES_DAYS),
    })
}
