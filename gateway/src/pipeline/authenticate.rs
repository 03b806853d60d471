//! Who is calling: an access token becomes a principal, no token becomes nobody.

use auth::{Principal, Scheme, TokenError, TokenVerifier, Unidentified};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use chrono::{DateTime, Utc};
use federation::Grants;
use graphql::ErrorCode;
use uuid::Uuid;

use super::{Door, Refusal};
use crate::alone::ForeignTokens;

/// Whose tokens this door takes.
pub enum Tokens {
    /// Those of our own authorization server.
    Own(TokenVerifier),
    /// Those of somebody else's, for a door alone.
    Foreign(ForeignTokens),
    /// Nobody's: everyone is a stranger here, and subgraphs judge what is forwarded to them.
    NotJudged,
}

/// The caller, and what the schema's directives need to know of them.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    pub grants: Grants,
    /// Who it is to whoever counts, for one who has logged in.
    pub subject: Option<String>,
    /// When the token ends, and with it every subscription.
    pub expires_at: Option<DateTime<Utc>>,
    /// Headers that go to the subgraphs as they came.
    pub forwarded: HeaderMap,
}

impl Caller {
    fn stranger() -> Self {
        let principal = Principal::Nobody;
        let (subject, expires_at) = (None, None);
        Self { grants: grants(&principal), principal, subject, expires_at, forwarded: HeaderMap::new() }
    }
}

impl Tokens {
    /// Whether this session ended while its tokens may still be alive.
    pub fn has_ended(&self, session: Uuid) -> bool {
        matches!(self, Self::Own(verifier) if verifier.has_ended(session))
    }
}

/// The door's own path: what a proof of a token's key has to be made for.
pub const PATH: &str = "/graphql";

/// Refuses a token that is not valid now; `/graphql` reads no cookies.
pub async fn authenticate(door: &Door, method: &Method, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let caller = match &door.tokens {
        Tokens::Own(verifier) => identify(verifier, method, PATH, headers).await,
        Tokens::Foreign(tokens) => {
            foreign(tokens, headers).map_err(|error| Unidentified { scheme: Scheme::Bearer, error })
        }
        Tokens::NotJudged => Ok(Caller::stranger()),
    };
    let caller = caller.map(|caller| Caller { forwarded: forwarded(&door.forward, headers), ..caller });
    caller.map_err(|refused| {
        let message = match refused.error {
            TokenError::Expired => "The token has expired.",
            TokenError::Invalid | TokenError::Ended => "The token is not valid.",
            TokenError::Bound => "The token is bound to a key: send it as DPoP, with a proof.",
            TokenError::Unbound => "The token is bound to no key: send it as Bearer.",
            TokenError::Proof(fault) => &format!("The DPoP proof is not valid: {fault}."),
        };
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated, message);
        Refusal { challenge: Some(refused.challenge()), ..refusal }
    })
}

/// The caller of any HTTP request to us.
pub async fn identify(
    verifier: &TokenVerifier,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<Caller, Unidentified> {
    let Some((principal, claims)) = verifier.identify(method, path, headers).await? else {
        return Ok(Caller::stranger());
    };
    let subject = (principal != Principal::Nobody).then(|| principal.subject());
    let expires_at = DateTime::from_timestamp(claims.exp, 0);
    Ok(Caller { grants: grants(&principal), principal, subject, expires_at, ..Caller::stranger() })
}

fn foreign(tokens: &ForeignTokens, headers: &HeaderMap) -> Result<Caller, TokenError> {
    let Some(token) = bearer(headers)? else { return Ok(Caller::stranger()) };
    let claims = tokens.verify(token)?;
    let grants = Grants { authenticated: true, scopes: claims.scopes };
    let (subject, expires_at) = (claims.subject, Some(claims.expires_at));
    Ok(Caller { grants, subject, expires_at, ..Caller::stranger() })
}

/// The token of an `Authorization` header; an error when there is one of another kind.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, TokenError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let value = value.to_str().map_err(|_| TokenError::Invalid)?;
    let (scheme, token) = value.split_once(' ').ok_or(TokenError::Invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Invalid);
    }
    Ok(Some(token.trim()))
}

fn forwarded(names: &[HeaderName], headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = HeaderMap::new();
    for name in names {
        for value in headers.get_all(name) {
            forwarded.append(name, value.clone());
        }
    }
    forwarded
}

/// What `@authenticated` and `@requiresScopes` are judged by.
pub fn grants(principal: &Principal) -> Grants {
    Grants {
        authenticated: *principal != Principal::Nobody,
        scopes: principal.scopes().map(|scopes| scopes.iter().cloned().collect()).unwrap_or_default(),
    }
}
