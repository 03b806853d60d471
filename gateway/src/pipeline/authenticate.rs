//! Who is calling: a bearer token becomes a principal, no token becomes nobody.

use auth::{Principal, TokenError};
use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Utc};
use federation::Grants;
use graphql::ErrorCode;

use super::{Door, Refusal};

/// The caller, and what the schema's directives need to know of them.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    pub grants: Grants,
    /// When the token ends, and with it every subscription.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Refuses a token that is not valid now; `/graphql` reads no cookies.
pub fn authenticate(door: &Door, headers: &HeaderMap) -> Result<Caller, Refusal> {
    identify(&door.verifier, headers).map_err(|error| {
        let (message, challenge) = match error {
            TokenError::Expired => ("The token has expired.", EXPIRED),
            TokenError::Invalid | TokenError::Ended => ("The token is not valid.", INVALID),
        };
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated, message);
        Refusal { challenge: Some(challenge), ..refusal }
    })
}

const EXPIRED: &str = r#"Bearer error="invalid_token", error_description="The token has expired""#;
const INVALID: &str = r#"Bearer error="invalid_token""#;

/// The caller of any HTTP request to us.
pub fn identify(verifier: &auth::TokenVerifier, headers: &HeaderMap) -> Result<Caller, TokenError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        let principal = Principal::Nobody;
        return Ok(Caller { grants: grants(&principal), principal, expires_at: None });
    };
    let value = value.to_str().map_err(|_| TokenError::Invalid)?;
    let (scheme, token) = value.split_once(' ').ok_or(TokenError::Invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Invalid);
    }
    let (principal, claims) = verifier.verify(token.trim())?;
    let expires_at = DateTime::from_timestamp(claims.exp, 0);
    Ok(Caller { grants: grants(&principal), principal, expires_at })
}

/// What `@authenticated` and `@requiresScopes` are judged by.
pub fn grants(principal: &Principal) -> Grants {
    Grants {
        authenticated: *principal != Principal::Nobody,
        scopes: principal.scopes().map(|scopes| scopes.iter().cloned().collect()).unwrap_or_default(),
    }
}
