//! Access tokens: `at+jwt` (RFC 9068), ES256, checked against keys this process holds.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use chrono::DateTime;
use clock::Clock;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Acting, Citizen, Level, Officer, Principal, Role};

const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How far two clocks may differ.
const LEEWAY_S: i64 = 5;
/// An ended session is remembered longer than any of its access tokens lives.
const ENDED_MEMORY: Duration = Duration::from_secs(15 * 60);
const ENDED_SESSIONS_MAX: u64 = 1_000_000;

/// The claims of our access tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    pub iss: String,
    pub aud: String,
    /// The citizen's or officer's id.
    pub sub: Uuid,
    pub client_id: String,
    pub iat: i64,
    pub exp: i64,
    pub jti: Uuid,
    /// Scopes, separated by blanks.
    pub scope: String,
    /// The session; ending it ends its tokens.
    pub sid: Uuid,
    /// Both levels, as `urn:th:ial:2.3:aal:2.2`.
    pub acr: String,
    /// RFC 8176 values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    pub auth_time: i64,
    /// For whom a citizen may act; empty for officers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Acting>,
    /// An officer's agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
}

/// Why a token is not taken. The client learns only that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is not one of ours")]
    Invalid,
    #[error("the token has expired")]
    Expired,
    #[error("the session has ended")]
    Ended,
}

/// The public keys tokens are checked against; the signer replaces them when they rotate.
#[derive(Clone, Default)]
pub struct Keys {
    by_id: Arc<RwLock<HashMap<String, Arc<DecodingKey>>>>,
}

impl Keys {
    /// Replaces all keys by those of a JWKS; unusable ones are left out.
    pub fn replace(&self, keys: &JwkSet) {
        let usable = keys.keys.iter().filter_map(|key| {
            let id = key.common.key_id.clone()?;
            Some((id, Arc::new(DecodingKey::from_jwk(key).ok()?)))
        });
        let usable = usable.collect();
        *self.by_id.write().unwrap_or_else(std::sync::PoisonError::into_inner) = usable;
    }

    fn get(&self, id: &str) -> Option<Arc<DecodingKey>> {
        self.by_id.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(id).cloned()
    }
}

/// Sessions that ended while their tokens are still alive.
#[derive(Clone)]
pub struct EndedSessions {
    ids: moka::sync::Cache<Uuid, ()>,
}

impl Default for EndedSessions {
    fn default() -> Self {
        let ids = moka::sync::Cache::builder()
            .max_capacity(ENDED_SESSIONS_MAX)
            // By default a full cache would rather refuse a newcomer.
            .eviction_policy(moka::policy::EvictionPolicy::lru())
            .time_to_live(ENDED_MEMORY);
        Self { ids: ids.build() }
    }
}

impl EndedSessions {
    pub fn add(&self, session_id: Uuid) {
        self.ids.insert(session_id, ());
    }

    pub fn contains(&self, session_id: Uuid) -> bool {
        self.ids.contains_key(&session_id)
    }
}

/// Makes principals of bearer tokens.
#[derive(Clone)]
pub struct TokenVerifier {
    issuer: String,
    audience: String,
    keys: Keys,
    ended: EndedSessions,
    clock: Clock,
}

impl TokenVerifier {
    pub fn new(issuer: &str, audience: &str, keys: Keys, ended: EndedSessions, clock: Clock) -> Self {
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), keys, ended, clock }
    }

    /// Whether `session_id` has ended while its tokens may still be alive.
    pub fn has_ended(&self, session_id: Uuid) -> bool {
        self.ended.contains(session_id)
    }

    /// Checks type, algorithm, key, signature, issuer, audience, times and session.
    pub fn verify(&self, token: &str) -> Result<(Principal, AccessTokenClaims), TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        if header.typ.as_deref() != Some("at+jwt") || header.alg != Algorithm::ES256 {
            return Err(TokenError::Invalid);
        }
        let key = header.kid.and_then(|id| self.keys.get(&id)).ok_or(TokenError::Invalid)?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        // Times are checked below, against the clock that the sandbox can move.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let claims: AccessTokenClaims =
            jsonwebtoken::decode(token, &key, &validation).map_err(|_| TokenError::Invalid)?.claims;
        let now = self.clock.now().timestamp();
        if claims.exp + LEEWAY_S <= now {
            return Err(TokenError::Expired);
        }
        if claims.iat - LEEWAY_S > now {
            return Err(TokenError::Invalid);
        }
        if self.ended.contains(claims.sid) {
            return Err(TokenError::Ended);
        }
        Ok((principal(&claims)?, claims))
    }
}

fn principal(claims: &AccessTokenClaims) -> Result<Principal, TokenError> {
    let level = Level::from_acr(&claims.acr).ok_or(TokenError::Invalid)?;
    let authenticated_at = DateTime::from_timestamp(claims.auth_time, 0).ok_or(TokenError::Invalid)?;
    let scopes = claims.scope.split_whitespace().map(str::to_owned).collect();
    let client_id = claims.client_id.clone();
    let session_id = claims.sid;
    Ok(match &claims.agency {
        Some(agency) => Principal::Officer(Officer {
            officer_id: claims.sub,
            agency: agency.clone(),
            roles: claims.roles.clone(),
            level,
            authenticated_at,
            client_id,
            session_id,
            scopes,
        }),
        None => Principal::Citizen(Citizen {
            citizen_id: claims.sub,
            level,
            authenticated_at,
            parties: claims.parties.clone(),
            client_id,
            session_id,
            scopes,
        }),
    })
}
