//! The clock everyone shares: shown to all, moved forward to see legal clocks and expiry without waiting.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Duration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Sandbox, page, store};

/// At most a (leap) year at a time.
const ADVANCE_S_MAX: i64 = 366 * 86_400;

#[derive(Deserialize)]
struct Advance {
    advance_s: i64,
}

/// `GET /clock`.
pub async fn show(State(sandbox): State<Sandbox>) -> Response {
    page::private(Json(reading(&sandbox)))
}

/// `POST /clock` with JSON, or a form from the start page.
pub async fn advance(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let advance = if is_form {
        let mut fields = url::form_urlencoded::parse(&body);
        let field = fields.find(|(name, _)| name == "advance_s");
        field.and_then(|(_, value)| value.parse().ok()).map(|advance_s| Advance { advance_s })
    } else {
        serde_json::from_slice::<Advance>(&body).ok()
    };
    let Some(advance) = advance.filter(|advance| (0..=ADVANCE_S_MAX).contains(&advance.advance_s)) else {
        let error = json!({ "error": "invalid_request", "message": "advance_s: 0 to 31622400 seconds" });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    sandbox.clock().advance(Duration::seconds(advance.advance_s));
    if let Err(error) =
        store::clock_offset::keep_clock_offset(sandbox.database(), sandbox.clock().offset()).await
    {
        tracing::warn!(%error, "sandbox: the clock was moved, but not for the next start");
    }
    tracing::info!(advance_s = advance.advance_s, "sandbox: the clock was moved");
    if is_form {
        return page::private(Redirect::to(sandbox.base_url()));
    }
    page::private(Json(reading(&sandbox)))
}

fn reading(sandbox: &Sandbox) -> Value {
    json!({ "now": sandbox.clock().now(), "moved_s": sandbox.clock().offset().num_seconds() })
}
