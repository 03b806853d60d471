//! Our OAuth 2 and OpenID Connect authorization server: metadata, login, tokens, logout.

pub mod answer;
mod authorize;
mod browser;
mod callback;
mod closed;
mod collect;
pub mod limit;
mod logout;
mod metadata;
mod page;
mod parties;
mod proof;
mod revoke;
pub mod signer;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::Inner;

const FORM_BYTES_MAX: usize = 16 * 1024;

/// All endpoints, with their full paths.
pub fn routes(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/oauth/authorize", get(authorize::begin).post(authorize::begin_by_form))
        .route("/oauth/start/{flow}", get(authorize::start))
        // A look ahead by HEAD must not use up what the person comes back with.
        .route("/oauth/callback/{provider}", get(callback::returned).head(StatusCode::METHOD_NOT_ALLOWED))
        .route("/oauth/continue", get(collect::find))
        .route("/oauth/continue/{flow}", get(collect::show).post(collect::collect))
        .route(token::PATH, post(token::answer).options(answer::preflight))
        .route("/oauth/revoke", post(revoke::answer).options(answer::preflight))
        .route("/oauth/logout", get(logout::by_link).post(logout::by_form))
        .layer(from_fn_with_state(inner.clone(), limit::limited))
        // Metadata and keys are for everybody, and any cache may hold them: not limited.
        .route("/oauth/jwks.json", get(metadata::jwks))
        .route("/.well-known/openid-configuration", get(metadata::show))
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(inner)
}
