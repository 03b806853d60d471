//! The company registry: which companies a person directs.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::persona::Company;
use crate::{Sandbox, page, secret};

/// The doors of the registry.
pub fn routes() -> Router<Sandbox> {
    Router::new().route("/companies", post(companies))
}

/// The question. It comes in a body: a personal number never stands in an address.
#[derive(Deserialize)]
struct Question {
    pid: String,
}

async fn companies(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    if !secret::bearer(&headers).is_some_and(|given| secret::same(given, &sandbox.config().registry_secret)) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized" }))).into_response();
    }
    let question = serde_json::from_slice::<Question>(&body).ok();
    let Some(question) = question.filter(|question| is_pid(&question.pid)) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_request" }))).into_response();
    };
    let persona = sandbox.personas().by_pid(&question.pid);
    let companies: Vec<Value> = persona.iter().flat_map(|persona| &persona.companies).map(company).collect();
    page::private(Json(json!({ "companies": companies })))
}

fn company(company: &Company) -> Value {
    json!({
        "registration_number": company.registration_number,
        "name_th": company.name.th,
        "name_en": company.name.en,
        "role": "director",
        "since": company.since,
    })
}

fn is_pid(text: &str) -> bool {
    text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit())
}
