//! Two OpenID Connect providers for the personas: authorization code with PKCE, ES256 id tokens.

mod authorize;
mod login_page;
mod provider;
mod token;

pub use provider::{Provider, open_providers};

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::persona::Persona;
use crate::{Sandbox, secret};

/// The doors of one provider, nested under its code.
pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/.well-known/openid-configuration", get(configuration))
        .route("/jwks", get(jwks))
        .route("/authorize", get(authorize::show).post(authorize::decide))
        .route("/token", post(token::redeem))
        .route("/userinfo", get(token::userinfo).post(token::userinfo))
}

/// The provider of the path; an unknown one is 404.
pub struct Asked(pub Provider);

impl FromRequestParts<Sandbox> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, sandbox: &Sandbox) -> Result<Self, Response> {
        let not_found = || StatusCode::NOT_FOUND.into_response();
        let Path(code) = Path::<String>::from_request_parts(parts, sandbox).await.map_err(|_| not_found())?;
        let provider = sandbox.providers().iter().find(|provider| provider.code == code);
        provider.cloned().map(Self).ok_or_else(not_found)
    }
}

/// Who the persona is to the relying parties of a provider: opaque, stable, another at each provider.
fn subject(provider: &Provider, persona: &Persona) -> String {
    let hash = secret::hash(&format!("{}/{}", provider.code, persona.code));
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn configuration(Asked(provider): Asked) -> Json<Value> {
    let issuer = &provider.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "scopes_supported": provider.scopes_supported(),
        "claims_supported": provider.claims_supported(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["login", "consent", "none"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(Asked(provider): Asked) -> Json<Value> {
    Json(provider.jwks())
}
