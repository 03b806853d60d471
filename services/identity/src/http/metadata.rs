//! What clients can find out about us: RFC 8414 and OpenID Connect Discovery, and our public keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::answer::{self, public_json};
use crate::Inner;

/// One document serves both well-known addresses.
pub async fn show(State(inner): State<Arc<Inner>>) -> Response {
    let issuer = &inner.config.public_url;
    let scopes: BTreeSet<&str> =
        inner.clients.all().flat_map(|client| client.scopes.iter()).map(String::as_str).collect();
    public_json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "end_session_endpoint": format!("{issuer}/oauth/logout"),
        "jwks_uri": format!("{issuer}/oauth/jwks.json"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "dpop_signing_alg_values_supported": auth::PROOF_ALGORITHMS,
        "authorization_response_iss_parameter_supported": true,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "acr_values_supported": acr_values(&inner),
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"],
        "prompt_values_supported": ["login"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "ui_locales_supported": ["th", "en"],
    }))
}

/// The keys our tokens verify with, the next one among them.
pub async fn jwks(State(inner): State<Arc<Inner>>) -> Response {
    if let Err(error) = inner.signer.keep_current(&inner.store).await {
        // Those that are known are still good.
        answer::log(&error);
    }
    public_json(inner.signer.jwks())
}

/// The highest level each provider can give; every lower one can be asked for too.
fn acr_values(inner: &Inner) -> BTreeSet<String> {
    let today = inner.clock.today_in_thailand();
    inner.providers.iter().map(|provider| inner.assurance.level_max(provider.code(), today).acr()).collect()
}
