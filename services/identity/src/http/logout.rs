//! Logout started by a client (OpenID Connect RP-Initiated Logout): ends the session of an ID token.
//!
//! There is no session of the browser with us to end: every authorization is a login of its own.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::answer::{self, redirect, with_parameters};
use super::page::{self, notice};
use super::revoke::end;
use crate::Inner;
use crate::model::request::Parameters;

#[derive(Clone, Deserialize)]
struct IdTokenHint {
    aud: String,
    sid: Uuid,
}

/// `GET /oauth/logout`
pub async fn by_link(State(inner): State<Arc<Inner>>, RawQuery(query): RawQuery) -> Response {
    log_out(&inner, &answer::parameters(query.unwrap_or_default().as_bytes()).unwrap_or_default()).await
}

/// `POST /oauth/logout`
pub async fn by_form(State(inner): State<Arc<Inner>>, body: Bytes) -> Response {
    log_out(&inner, &answer::parameters(&body).unwrap_or_default()).await
}

async fn log_out(inner: &Inner, parameters: &Parameters) -> Response {
    let hint = parameters.get("id_token_hint");
    let hint: Option<IdTokenHint> =
        hint.and_then(|token| inner.signer.own_claims("JWT", &inner.config.public_url, token));
    let named = parameters.get("client_id");
    // A client that names itself is the one that the token is for, or somebody plays with both.
    let hint = hint.filter(|hint: &IdTokenHint| named.is_none_or(|named| named == hint.aud));
    // Without the token of a session anybody could end anybody's.
    if let Some(hint) = &hint
        && let Err(error) = end(inner, hint.sid, "logged_out").await
    {
        return page::failure(&error);
    }
    // Without such a token the client's own word is enough for the way back: nothing was ended.
    let brought = parameters.get("id_token_hint").is_some();
    let client_id = hint.as_ref().map(|hint| hint.aud.as_str()).or(named.filter(|_| !brought));
    let client = client_id.and_then(|id| inner.clients.get(id));
    let target = parameters.get("post_logout_redirect_uri");
    match (client, target) {
        (Some(client), Some(target)) if client.logs_out_to(target) => {
            let state: Vec<_> = parameters.get("state").map(|state| ("state", state)).into_iter().collect();
            redirect(&if state.is_empty() { target.to_owned() } else { with_parameters(target, &state) })
        }
        _ => notice(StatusCode::OK, "ออกจากระบบแล้ว", "You are logged out."),
    }
}
