//! Access tokens: `at+jwt` (RFC 9068), ES256, checked against keys this process holds.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use chrono::DateTime;
use clock::Clock;
use http::{HeaderMap, Method};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::scheme::Brought;
use crate::{
    Acting, Asked, Citizen, Level, Officer, Principal, ProofFault, ProofVerifier, Role, Scheme, Unidentified,
};

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
    /// The key whose holder alone may use the token (RFC 9449 section 6.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The key a token is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Its thumbprint (RFC 7638).
    pub jkt: String,
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
    #[error("the token is bound to a key and came without its proof")]
    Bound,
    #[error("the token is bound to no key")]
    Unbound,
    #[error("the proof does not hold: {0}")]
    Proof(ProofFault),
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
    /// How many were ever added.
    count: Arc<AtomicU64>,
}

impl Default for EndedSessions {
    fn default() -> Self {
        let ids = moka::sync::Cache::builder()
            .max_capacity(ENDED_SESSIONS_MAX)
            // By default a full cache would rather refuse a newcomer.
            .eviction_policy(moka::policy::EvictionPolicy::lru())
            .time_to_live(ENDED_MEMORY);
        Self { ids: ids.build(), count: Arc::default() }
    }
}

impl EndedSessions {
    pub fn add(&self, session_id: Uuid) {
        if self.ids.entry(session_id).or_insert(()).is_fresh() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many there ever were: another number means news for other processes.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub fn contains(&self, session_id: Uuid) -> bool {
        self.ids.contains_key(&session_id)
    }
}

/// Makes principals of access tokens.
#[derive(Clone)]
pub struct TokenVerifier {
    issuer: String,
    audience: String,
    keys: Keys,
    ended: EndedSessions,
    proofs: ProofVerifier,
    clock: Clock,
}

impl TokenVerifier {
    pub fn new(issuer: &str, audience: &str, keys: Keys, ended: EndedSessions, clock: Clock) -> Self {
        let proofs = ProofVerifier::new(clock.clone());
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), keys, ended, proofs, clock }
    }

    /// The same, taking each proof of a key once among all processes.
    pub fn sharing(self, seen: cache::Seen) -> Self {
        Self { proofs: self.proofs.sharing(seen), ..self }
    }

    /// Whether `session_id` has ended while its tokens may still be alive.
    pub fn has_ended(&self, session_id: Uuid) -> bool {
        self.ended.contains(session_id)
    }

    /// Who makes a request to `path` of ours; `None` when it brings no token.
    pub async fn identify(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Option<(Principal, AccessTokenClaims)>, Unidentified> {
        let Some(Brought { scheme, token }) = Brought::of(headers)? else { return Ok(None) };
        let identified = match scheme {
            Scheme::Bearer => self.verify(token),
            Scheme::Dpop => self.verify_held(token, method, path, headers).await,
        };
        identified.map(Some).map_err(|error| Unidentified { scheme, error })
    }

    /// Checks a token that anyone who has it may use.
    pub fn verify(&self, token: &str) -> Result<(Principal, AccessTokenClaims), TokenError> {
        let (principal, claims) = self.read(token)?;
        if claims.cnf.is_some() {
            return Err(TokenError::Bound);
        }
        Ok((principal, claims))
    }

    /// Checks a token that only the holder of a key may use, and the proof that this is who asks.
    async fn verify_held(
        &self,
        token: &str,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<(Principal, AccessTokenClaims), TokenError> {
        let (principal, claims) = self.read(token)?;
        let bound_to = claims.cnf.as_ref().ok_or(TokenError::Unbound)?;
        let url = format!("{}{path}", self.issuer);
        let asked = Asked { method: method.as_str(), url: &url, access_token: Some(token) };
        let proof = crate::dpop::proof(headers).map_err(TokenError::Proof)?;
        let proof = proof.ok_or(TokenError::Proof(ProofFault("there is no DPoP header")))?;
        let key = self.proofs.verify(proof, &asked).await.map_err(TokenError::Proof)?;
        if key != bound_to.jkt {
            return Err(TokenError::Proof(ProofFault("the key is not the one that the token is bound to")));
        }
        Ok((principal, claims))
    }

    /// Checks type, algorithm, key, signature, issuer, audience, times and session, but not who brings
    /// the token: enough to take it back.
    pub fn read(&self, token: &str) -> Result<(Principal, AccessTokenClaims), TokenError> {
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
        if claims.exp.saturating_add(LEEWAY_S) <= now {
            return Err(TokenError::Expired);
        }
        if claims.iat.saturating_sub(LEEWAY_S) > now {
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

#[cfg(test)]
mod tests;
