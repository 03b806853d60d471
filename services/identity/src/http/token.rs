//! The token endpoint: codes and refresh tokens become access tokens.

use std::collections::BTreeSet;
use std::sync::Arc;

use auth::{AccessTokenClaims, Confirmation};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{self, TokenFault, private_json};
use super::signer::KeyError;
use super::{parties, proof};
use crate::Inner;
use crate::audience_of;
use crate::model::client::Client;
use crate::model::login::{ACCESS_TOKEN_S, Person, Session};
use crate::model::officer::Officer;
use crate::model::refresh::Presented;
use crate::model::request::Parameters;
use crate::model::secret;
use crate::store::{Redeemed, Redemption};

impl From<KeyError> for TokenFault {
    fn from(error: KeyError) -> Self {
        Self::internal(&error)
    }
}

/// The endpoint's own path: what a proof has to be made for.
pub const PATH: &str = "/oauth/token";

/// `POST /oauth/token`
pub async fn answer(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let answered = async {
        let form = form(&headers, &body)?;
        let client = client(&inner, &form)?;
        let key = proof::key_of(&inner, PATH, &headers).await?;
        match form.get("grant_type") {
            Some("authorization_code") => redeem(&inner, client, &form, key).await,
            Some("refresh_token") => refresh(&inner, client, &form, key).await,
            Some(_) => Err(TokenFault::new("unsupported_grant_type", "authorization_code or refresh_token")),
            None => Err(TokenFault::new("invalid_request", "grant_type is missing")),
        }
    };
    match answered.await {
        Ok(tokens) => private_json(StatusCode::OK, tokens),
        Err(fault) => fault.into_response(),
    }
}

/// A form, and nothing else, is read here.
pub fn form(headers: &HeaderMap, body: &[u8]) -> Result<Parameters, TokenFault> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(TokenFault::new("invalid_request", "the body must be a form"));
    }
    answer::parameters(body).map_err(|description| TokenFault::new("invalid_request", description))
}

/// The client names itself; a public client has no secret to prove it with, its code's PKCE does.
pub fn client<'a>(inner: &'a Inner, form: &Parameters) -> Result<&'a Client, TokenFault> {
    let id = form.get("client_id").ok_or(TokenFault::new("invalid_client", "client_id is missing"))?;
    inner.clients.get(id).ok_or(TokenFault::new("invalid_client", "client_id is not known"))
}

async fn redeem(
    inner: &Inner,
    client: &Client,
    form: &Parameters,
    key: Option<String>,
) -> Result<Value, TokenFault> {
    let missing = TokenFault::new("invalid_request", "code, redirect_uri and code_verifier are needed");
    let (Some(code), Some(redirect_uri), Some(code_verifier)) =
        (form.get("code"), form.get("redirect_uri"), form.get("code_verifier"))
    else {
        return Err(missing);
    };
    let refresh_token = secret::token();
    let redemption = Redemption {
        code_hash: &secret::hash(code),
        client_id: &client.id,
        redirect_uri,
        code_verifier,
        session_id: inner.clock.uuid(),
        session_hours_max: client.session_hours_max,
        refresh_hash: &secret::hash(&refresh_token),
        key_thumbprint: key.as_deref(),
    };
    match inner.store.redeem_code(&redemption, inner.clock.now()).await? {
        Redeemed::Session { session, nonce } => {
            let given =
                Given { scopes: &session.scopes, refresh_token: &refresh_token, key: key.as_deref(), nonce };
            tokens(inner, &session, given).await
        }
        Redeemed::Reused { ended } => {
            if let Some(session) = ended {
                inner.ended.add(session);
            }
            tracing::warn!(client = client.id, "an authorization code was used twice");
            Err(invalid_grant())
        }
        Redeemed::Refused => Err(invalid_grant()),
    }
}

async fn refresh(
    inner: &Inner,
    client: &Client,
    form: &Parameters,
    key: Option<String>,
) -> Result<Value, TokenFault> {
    let token =
        form.get("refresh_token").ok_or(TokenFault::new("invalid_request", "refresh_token is missing"))?;
    let hash = secret::hash(token);
    let session = inner.store.session_of_refresh_token(&hash).await?;
    let session =
        session.filter(|session| session.client_id == client.id && session.is_live(inner.clock.now()));
    let session = session.ok_or(invalid_grant())?;
    let scopes: BTreeSet<String> = match form.get("scope") {
        Some(narrowed) => narrowed.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
        None => session.scopes.clone(),
    };
    if !scopes.is_subset(&session.scopes) {
        return Err(TokenFault::new("invalid_scope", "a refresh cannot widen the scope"));
    }
    // Made before the rotation: a failure in here must not cost the client its refresh token.
    let successor = secret::token();
    let key = key.as_deref();
    let given = Given { scopes: &scopes, refresh_token: &successor, key, nonce: None };
    let tokens = tokens(inner, &session, given).await?;
    let (heir, now) = (secret::hash(&successor), inner.clock.now());
    match inner.store.present_refresh_token(&hash, &client.id, key, &heir, now).await? {
        Some(Presented::Rotate | Presented::Repeat) => Ok(tokens),
        Some(Presented::RevokeFamily) => {
            inner.ended.add(session.id);
            metrics::counter!("identity_refresh_token_reuse_total").increment(1);
            tracing::warn!(session = %session.id, client = client.id, "a refresh token was used twice: session ended");
            Err(invalid_grant())
        }
        Some(Presented::Refuse) | None => Err(invalid_grant()),
    }
}

/// What goes into the tokens of one answer.
struct Given<'a> {
    scopes: &'a BTreeSet<String>,
    refresh_token: &'a str,
    /// The thumbprint of the DPoP key that they are bound to.
    key: Option<&'a str>,
    nonce: Option<String>,
}

/// The answer of RFC 6749 section 5.1, with an ID token where `openid` was asked for.
async fn tokens(inner: &Inner, session: &Session, given: Given<'_>) -> Result<Value, TokenFault> {
    inner.signer.keep_current(&inner.store).await?;
    let claims = access_claims(inner, session, &given).await?;
    let mut answer = json!({
        "access_token": inner.signer.sign("at+jwt", &claims)?,
        "token_type": if given.key.is_some() { "DPoP" } else { "Bearer" },
        "expires_in": ACCESS_TOKEN_S,
        "refresh_token": given.refresh_token,
        "scope": claims.scope,
    });
    if given.scopes.contains("openid") {
        answer["id_token"] = inner.signer.sign("JWT", &id_claims(&claims, given.nonce))?.into();
    }
    Ok(answer)
}

async fn access_claims(
    inner: &Inner,
    session: &Session,
    given: &Given<'_>,
) -> Result<AccessTokenClaims, TokenFault> {
    let now = inner.clock.now().timestamp();
    let (sub, parties, officer) = match session.login.person {
        Person::Citizen(id) => (id, parties::acting(inner, id).await?, None),
        // Roles are read anew for each token, so that a change bites within minutes.
        Person::Officer(id) => {
            let officer = inner.store.officer(id).await?.filter(Officer::has_roles);
            (id, Vec::new(), Some(officer.ok_or(invalid_grant())?))
        }
    };
    let (agency, roles) =
        officer.map_or((None, BTreeSet::new()), |officer| (Some(officer.agency), officer.roles));
    Ok(AccessTokenClaims {
        iss: inner.config.public_url.clone(),
        aud: audience_of(&inner.config.public_url),
        sub,
        client_id: session.client_id.clone(),
        iat: now,
        exp: now + ACCESS_TOKEN_S,
        jti: inner.clock.uuid(),
        scope: given.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        sid: session.id,
        acr: session.login.level.acr(),
        amr: session.login.methods.clone(),
        auth_time: session.login.authenticated_at.timestamp(),
        parties,
        agency,
        roles,
        cnf: given.key.map(|key| Confirmation { jkt: key.to_owned() }),
    })
}

/// Who logged in and how, for the client itself; a person's data is asked of the graph.
fn id_claims(access: &AccessTokenClaims, nonce: Option<String>) -> Value {
    let mut claims = json!({
        "iss": access.iss,
        "sub": access.sub,
        "aud": access.client_id,
        "exp": access.exp,
        "iat": access.iat,
        "auth_time": access.auth_time,
        "acr": access.acr,
        "amr": access.amr,
        "sid": access.sid,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    claims
}

fn invalid_grant() -> TokenFault {
    TokenFault::new(
        "invalid_grant",
        "the code or token is unknown, used, expired or another client's or key's",
    )
}
