//! The revocation endpoint (RFC 7009): a token given back ends its session.
//!
//! It asks for no DPoP proof: whoever found a token that is bound to somebody's key does them a favour by
//! giving it back, and can do nothing else with it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

use super::answer::{TokenFault, private_json};
use super::token::{client, form};
use crate::Inner;
use crate::model::secret;

/// `POST /oauth/revoke` with `token` and `client_id`. An unknown token is answered as a known one.
pub async fn answer(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    match revoke(&inner, &headers, &body).await {
        Ok(()) => private_json(StatusCode::OK, json!({})),
        Err(fault) => fault.into_response(),
    }
}

async fn revoke(inner: &Inner, headers: &HeaderMap, body: &[u8]) -> Result<(), TokenFault> {
    let form = form(headers, body)?;
    let client = client(inner, &form)?;
    let token = form.get("token").ok_or(TokenFault::new("invalid_request", "token is missing"))?;
    let session = match inner.verifier.read(token) {
        Ok((_, claims)) if claims.client_id == client.id => Some(claims.sid),
        _ => {
            let session = inner.store.session_of_refresh_token(&secret::hash(token)).await?;
            session.filter(|session| session.client_id == client.id).map(|session| session.id)
        }
    };
    match session {
        Some(session) => Ok(end(inner, session, "revoked").await?),
        None => Ok(()),
    }
}

/// Ends a session in the store and for the access tokens that are still alive.
pub async fn end(inner: &Inner, session: Uuid, reason: &str) -> Result<(), crate::store::Error> {
    inner.store.end_session(session, reason, inner.clock.now()).await?;
    inner.ended.add(session);
    Ok(())
}
