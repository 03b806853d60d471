//! The token and userinfo endpoints: a code becomes an id token, once.

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Asked, Provider, subject};
use crate::store::grant::{self, Code, Token};
use crate::{Sandbox, page, secret};

const ACCESS_TOKEN_VALID_S: i64 = 600;
const ID_TOKEN_VALID_S: i64 = 300;

/// The form of a token request (RFC 6749 4.1.3, RFC 7636 4.5).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Redeems {
    grant_type: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
}

/// Why there is no token (RFC 6749 5.2).
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("invalid_client")]
    Client,
    #[error("{0}")]
    Request(&'static str),
    #[error("server_error")]
    Failed(#[from] anyhow::Error),
}

impl From<database::Error> for Refusal {
    fn from(error: database::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.to_string() }));
        match self {
            Self::Client => {
                let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"sandbox\"")];
                page::private((StatusCode::UNAUTHORIZED, challenge, body))
            }
            Self::Request(_) => page::private((StatusCode::BAD_REQUEST, body)),
            Self::Failed(error) => {
                tracing::error!(error = format!("{error:#}"), "sandbox: a token request failed");
                page::private((StatusCode::INTERNAL_SERVER_ERROR, body))
            }
        }
    }
}

/// `POST /token`.
pub async fn redeem(
    State(sandbox): State<Sandbox>,
    Asked(provider): Asked,
    headers: HeaderMap,
    form: Result<Form<Redeems>, FormRejection>,
) -> Result<Response, Refusal> {
    if !is_our_client(&sandbox, &provider, &headers) {
        return Err(Refusal::Client);
    }
    let Form(redeems) = form.map_err(|_| Refusal::Request("invalid_request"))?;
    if redeems.grant_type != "authorization_code" {
        return Err(Refusal::Request("unsupported_grant_type"));
    }
    let now = sandbox.clock().now();
    let access_token = secret::fresh();
    let code = exchange(&sandbox, &provider, &redeems, &access_token, now).await?;
    let id_token = provider.sign(&id_claims(&sandbox, &provider, &code, &access_token, now)?)?;
    Ok(page::private(Json(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_VALID_S,
        "id_token": id_token,
        "scope": code.scope,
    }))))
}

/// `GET` or `POST /userinfo`.
pub async fn userinfo(
    State(sandbox): State<Sandbox>,
    Asked(provider): Asked,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let now = sandbox.clock().now();
    let hash = secret::bearer(&headers).map(secret::hash).unwrap_or_default();
    let token = grant::token(sandbox.database(), &hash, &provider.code, now).await?;
    let Some(claims) = token.and_then(|t| personal_claims(&sandbox, &provider, &t.persona?, &t.scope)) else {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
        return Ok(page::private((
            StatusCode::UNAUTHORIZED,
            challenge,
            Json(json!({ "error": "invalid_token" })),
        )));
    };
    Ok(page::private(Json(Value::Object(claims))))
}

/// Uses the code up. Whatever is wrong with the request, the code is gone: no second guess.
async fn exchange(
    sandbox: &Sandbox,
    provider: &Provider,
    redeems: &Redeems,
    access_token: &str,
    now: DateTime<Utc>,
) -> Result<Code, Refusal> {
    let refused = Refusal::Request("invalid_grant");
    let code_hash = secret::hash(&redeems.code);
    let mut tx = sandbox.database().begin().await?;
    let Some(code) = grant::code(&mut tx, &code_hash).await? else { return Err(refused) };
    if code.used_at.is_some() {
        // Somebody else may have used it first: what came from it ends too (RFC 6749 4.1.2).
        if let Some(token_hash) = &code.token_hash {
            grant::delete_token(&mut tx, token_hash).await?;
        }
        tx.commit().await?;
        return Err(refused);
    }
    let fits = code.provider == provider.code
        && code.client_id == sandbox.config().idp_client_id
        && code.redirect_uri == redeems.redirect_uri
        && code.expires_at > now
        && (43..=128).contains(&redeems.code_verifier.len())
        && secret::s256(&redeems.code_verifier) == code.code_challenge;
    if !fits {
        grant::use_code(&mut tx, &code_hash, None, now).await?;
        tx.commit().await?;
        return Err(refused);
    }
    let token = Token {
        audience: provider.code.clone(),
        persona: Some(code.persona.clone()),
        scope: code.scope.clone(),
        expires_at: now + Duration::seconds(ACCESS_TOKEN_VALID_S),
    };
    let token_hash = secret::hash(access_token);
    grant::insert_token(&mut tx, &token_hash, &token).await?;
    grant::use_code(&mut tx, &code_hash, Some(token_hash), now).await?;
    tx.commit().await?;
    Ok(code)
}

fn id_claims(
    sandbox: &Sandbox,
    provider: &Provider,
    code: &Code,
    access_token: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<Value> {
    let gone = || anyhow::anyhow!("the persona of the code is no longer there");
    let mut claims = personal_claims(sandbox, provider, &code.persona, &code.scope).ok_or_else(gone)?;
    let persona = sandbox.personas().by_code(&code.persona).ok_or_else(gone)?;
    let level = persona.levels.get(&provider.code).ok_or_else(gone)?;
    let standard = [
        ("iss", json!(provider.issuer)),
        ("aud", json!(code.client_id)),
        ("iat", json!(now.timestamp())),
        ("exp", json!(now.timestamp() + ID_TOKEN_VALID_S)),
        ("auth_time", json!(code.auth_time.timestamp())),
        ("nonce", json!(code.nonce)),
        ("acr", json!(level.acr())),
        ("amr", json!(level.amr())),
        ("at_hash", json!(secret::at_hash(access_token))),
    ];
    claims.extend(standard.map(|(name, value)| (name.to_owned(), value)));
    Ok(Value::Object(claims))
}

/// `sub` and what the scopes release; `None` when there is no such persona at this provider.
fn personal_claims(
    sandbox: &Sandbox,
    provider: &Provider,
    persona: &str,
    scope: &str,
) -> Option<Map<String, Value>> {
    let persona = sandbox.personas().by_code(persona)?;
    let level = persona.levels.get(&provider.code)?;
    let mut claims = provider.claims(&persona, *level, scope);
    claims.insert("sub".to_owned(), json!(subject(provider, &persona)));
    Some(claims)
}

/// HTTP Basic with both parts form-encoded (RFC 6749 2.3.1).
fn is_our_client(sandbox: &Sandbox, provider: &Provider, headers: &HeaderMap) -> bool {
    let credentials = || {
        let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| (form_decoded(id), form_decoded(secret)))
    };
    let config = sandbox.config();
    credentials().is_some_and(|(id, given)| {
        id == config.idp_client_id && provider.takes_secret(&given, &config.idp_client_secret)
    })
}

fn form_decoded(text: &str) -> String {
    // A key without value decodes as form data does: plus signs and percent escapes.
    let pair = url::form_urlencoded::parse(text.as_bytes()).next();
    pair.map(|(key, value)| if value.is_empty() { key.into_owned() } else { format!("{key}={value}") })
        .unwrap_or_default()
}
