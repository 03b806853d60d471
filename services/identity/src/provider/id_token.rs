//! The checks of an ID token (OpenID Connect Core 3.1.3.7): signature, issuer, audience, times, nonce.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, Nonce, SignatureVerificationError,
};
use serde_json::{Map, Value};

use super::discovery::Metadata;
use crate::model::login::LOGIN_MINUTES_MAX;

/// How far a provider's clock and ours may be apart.
pub(super) const CLOCK_SKEW_S_MAX: i64 = 60;

/// What a token that holds says.
pub(super) struct Checked {
    pub issuer: String,
    pub subject: String,
    pub claims: Map<String, Value>,
    pub authenticated_at: Option<DateTime<Utc>>,
}

/// Checks a token that came from the token endpoint together with `access_token`.
pub(super) fn check(
    token: &CoreIdToken,
    access_token: &AccessToken,
    metadata: &Metadata,
    client_id: &ClientId,
    nonce: &Nonce,
    now: DateTime<Utc>,
) -> Result<Checked, ClaimsVerificationError> {
    let other = |what: &str| ClaimsVerificationError::Other(what.to_owned());
    let skew = TimeDelta::seconds(CLOCK_SKEW_S_MAX);
    let (issuer, keys) = (metadata.issuer().clone(), metadata.jwks().clone());
    // As a public client: a token signed with the client secret (HS256) is nobody's.
    let verifier = CoreIdTokenVerifier::new_public_client(client_id.clone(), issuer, keys)
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            CoreJwsSigningAlgorithm::EdDsa,
        ])
        .set_time_fn(move || now - skew)
        .set_issue_time_verifier_fn(move |issued_at| {
            // It was made for this login, and a login does not take longer.
            let oldest = now - TimeDelta::minutes(LOGIN_MINUTES_MAX) - skew;
            if (oldest..=now + skew).contains(&issued_at) { Ok(()) } else { Err("not of now".into()) }
        });
    let claims = token.claims(&verifier, nonce)?;
    if claims.authorized_party().is_some_and(|party| party != client_id) {
        return Err(ClaimsVerificationError::InvalidAudience("azp".to_owned()));
    }
    if let Some(expected) = claims.access_token_hash() {
        let signature = ClaimsVerificationError::SignatureVerification;
        let key = token.signing_key(&verifier).map_err(signature)?;
        let alg = token.signing_alg().map_err(signature)?;
        if AccessTokenHash::from_token(access_token, alg, key).ok().as_ref() != Some(expected) {
            return Err(other("at_hash"));
        }
    }
    let authenticated_at = claims.auth_time();
    if authenticated_at.is_some_and(|at| at > now + skew) {
        return Err(ClaimsVerificationError::InvalidAuthTime("from the future".to_owned()));
    }
    Ok(Checked {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        authenticated_at: authenticated_at.map(|at| at.min(now)),
        claims: payload(token).ok_or_else(|| other("payload"))?,
    })
}

/// Whether a token may be signed with a key that the provider has published since.
pub(super) fn may_be_new_key(error: &ClaimsVerificationError) -> bool {
    use SignatureVerificationError::{AmbiguousKeyId, CryptoError, NoMatchingKey};
    matches!(
        error,
        ClaimsVerificationError::SignatureVerification(
            // The latter two: keys without an id, or another key under the id of the old.
            NoMatchingKey | AmbiguousKeyId(_) | CryptoError(_)
        )
    )
}

/// The reason without the values, which are personal or secret.
pub(super) fn reason_of(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "the ID token has expired or is not of now",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for another audience",
        ClaimsVerificationError::InvalidAuthTime(_) => "the ID token's login is in the future",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token is of another login",
        ClaimsVerificationError::SignatureVerification(_) => "the ID token's signature does not hold",
        _ => "the ID token does not hold",
    }
}

/// The claims as they were signed: providers send more than the standard names. Only for a token
/// that was verified.
fn payload(token: &CoreIdToken) -> Option<Map<String, Value>> {
    let text = token.to_string();
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}
