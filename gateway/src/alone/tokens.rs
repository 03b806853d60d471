//! Tokens of somebody else's authorization server: JWTs (RFC 9068) checked against its JWKS.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use auth::TokenError;
use chrono::{DateTime, Utc};
use clock::Clock;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::TokenOptions;

const TOKEN_BYTES_MAX: usize = 16 * 1024;
const JWKS_BYTES_MAX: usize = 1024 * 1024;
const JWKS_TIMEOUT: Duration = Duration::from_secs(5);
/// How often keys are fetched anew: a key that was added is known after this long at most.
const JWKS_REFRESH: Duration = Duration::from_secs(60);
/// How far two clocks may differ.
const LEEWAY_S: u64 = 5;
/// No shared secrets: whoever can check such a token can make one.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];

/// Where the public keys are.
#[derive(Clone, Debug)]
pub enum JwksSource {
    /// Read once.
    File(PathBuf),
    /// Fetched at start and every minute.
    Url(url::Url),
}

/// Why no token could ever be checked.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    #[error("the JWKS {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    #[error("the JWKS is not to be had from {0}: {1}")]
    Unreachable(url::Url, String),
    #[error("the JWKS is not valid JSON of its kind")]
    Malformed(#[from] serde_json::Error),
    #[error("the JWKS has no key with an id that could check a token")]
    NoKey,
}

/// Checks tokens of one issuer for one audience.
pub struct ForeignTokens {
    issuer: String,
    audience: String,
    keys: Arc<RwLock<KeysById>>,
    clock: Clock,
}

/// What a valid token says.
#[derive(Debug)]
pub struct ForeignClaims {
    pub subject: Option<String>,
    pub scopes: HashSet<String>,
    pub expires_at: DateTime<Utc>,
}

type KeysById = HashMap<String, (DecodingKey, Option<Algorithm>)>;

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    sub: Option<String>,
    exp: i64,
    #[serde(default)]
    nbf: i64,
    /// RFC 8693: separated by blanks.
    #[serde(default)]
    scope: Option<String>,
    /// The same as some servers write it.
    #[serde(default)]
    scp: Option<TextOrTexts>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrTexts {
    Text(String),
    Texts(Vec<String>),
}

impl ForeignTokens {
    /// Reads the keys; those of an address are fetched again and again until `stop`.
    pub async fn open(
        options: &TokenOptions,
        clock: Clock,
        stop: CancellationToken,
    ) -> Result<Self, TokensError> {
        let first = read(&options.jwks).await?;
        let keys = Arc::new(RwLock::new(first));
        if let source @ JwksSource::Url(_) = options.jwks.clone() {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move {
                while stop.run_until_cancelled(tokio::time::sleep(JWKS_REFRESH)).await.is_some() {
                    match read(&source).await {
                        Ok(fresh) => *keys.write().unwrap_or_else(PoisonError::into_inner) = fresh,
                        Err(error) => tracing::warn!(%error, "the keys stay as they are"),
                    }
                }
            });
        }
        Ok(Self { issuer: options.issuer.clone(), audience: options.audience.clone(), keys, clock })
    }

    /// Checks algorithm, key, signature, issuer, audience and times.
    pub fn verify(&self, token: &str) -> Result<ForeignClaims, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(TokenError::Invalid);
        }
        let id = header.kid.ok_or(TokenError::Invalid)?;
        let claims: Claims = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            let (key, algorithm) = keys.get(&id).ok_or(TokenError::Invalid)?;
            if algorithm.is_some_and(|algorithm| algorithm != header.alg) {
                return Err(TokenError::Invalid);
            }
            let mut validation = Validation::new(header.alg);
            validation.set_issuer(&[&self.issuer]);
            validation.set_audience(&[&self.audience]);
            validation.set_required_spec_claims(&["exp", "iss", "aud"]);
            // Times are checked below, against our clock.
            validation.validate_exp = false;
            validation.validate_nbf = false;
            jsonwebtoken::decode(token, key, &validation).map_err(|_| TokenError::Invalid)?.claims
        };
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(TokenError::Invalid)?;
        let leeway = chrono::Duration::seconds(LEEWAY_S as i64);
        let now = self.clock.now();
        if expires_at + leeway <= now {
            return Err(TokenError::Expired);
        }
        if claims.nbf > (now + leeway).timestamp() {
            return Err(TokenError::Invalid);
        }
        Ok(ForeignClaims { subject: claims.sub.clone(), scopes: scopes(claims), expires_at })
    }
}

fn scopes(claims: Claims) -> HashSet<String> {
    let blank_separated = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut scopes: HashSet<String> = claims.scope.map(blank_separated).into_iter().flatten().collect();
    match claims.scp {
        Some(TextOrTexts::Text(text)) => scopes.extend(blank_separated(text)),
        Some(TextOrTexts::Texts(texts)) => scopes.extend(texts),
        None => {}
    }
    scopes
}

async fn read(source: &JwksSource) -> Result<KeysById, TokensError> {
    let text = match source {
        JwksSource::File(path) => {
            std::fs::read(path).map_err(|error| TokensError::Unreadable(path.clone(), error))?
        }
        JwksSource::Url(url) => {
            fetch(url).await.map_err(|reason| TokensError::Unreachable(url.clone(), reason))?
        }
    };
    let set: JwkSet = serde_json::from_slice(&text)?;
    let usable: KeysById = set.keys.iter().filter_map(usable).collect();
    if usable.is_empty() { Err(TokensError::NoKey) } else { Ok(usable) }
}

fn usable(key: &Jwk) -> Option<(String, (DecodingKey, Option<Algorithm>))> {
    let id = key.common.key_id.clone()?;
    let algorithm = match key.common.key_algorithm {
        Some(algorithm) => Some(algorithm.to_string().parse().ok()?),
        None => None,
    };
    Some((id, (DecodingKey::from_jwk(key).ok()?, algorithm)))
}

async fn fetch(url: &url::Url) -> Result<Vec<u8>, String> {
    let client = chassis::http_client(JWKS_TIMEOUT);
    let answer = client.get(url.clone()).send().await.and_then(reqwest::Response::error_for_status);
    let mut answer = answer.map_err(|error| error.without_url().to_string())?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| error.without_url().to_string())? {
        body.extend_from_slice(&chunk);
        if body.len() > JWKS_BYTES_MAX {
            return Err("it is too long".to_owned());
        }
    }
    Ok(body)
}
