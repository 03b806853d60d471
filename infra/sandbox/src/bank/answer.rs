//! The bank's envelope, its failure codes, and who may ask.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chrono::Duration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::orders::NotDone;
use crate::store::grant::{self, Token};
use crate::{Sandbox, page, secret};

const TOKEN_AUDIENCE: &str = "bank";
const TOKEN_VALID_S: i64 = 1_800;

/// Why the bank does not do it. The codes beside 1000 and 1101 are ours.
#[derive(Debug)]
pub struct Failure {
    http: StatusCode,
    code: u16,
    description: String,
}

/// A successful answer.
pub fn success(data: Value) -> Response {
    let status = json!({ "code": 1000, "description": "Success" });
    page::private(Json(json!({ "status": status, "data": data })))
}

/// Reads a JSON body.
pub fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    // serde's message names fields and expectations; it may quote a value, which came from the caller.
    serde_json::from_slice(body).map_err(|error| Failure::input(&error.to_string()))
}

impl Failure {
    pub fn input(description: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 1101, description)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, 4101, "not found")
    }

    fn not_authorised() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 9500, "not authorised")
    }

    fn new(http: StatusCode, code: u16, description: &str) -> Self {
        Self { http, code, description: description.to_owned() }
    }
}

impl From<NotDone> for Failure {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::NotFound => Self::not_found(),
            NotDone::Reused => Self::new(StatusCode::CONFLICT, 4102, &not_done.to_string()),
            NotDone::Refused(refused) => Self::new(StatusCode::CONFLICT, 4103, &refused.to_string()),
            NotDone::Database(error) => error.into(),
        }
    }
}

impl From<database::Error> for Failure {
    fn from(error: database::Error) -> Self {
        tracing::error!(%error, "sandbox: the bank's database failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 9999, "the bank is out of order")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = json!({ "code": self.code, "description": self.description });
        page::private((self.http, Json(json!({ "status": status }))))
    }
}

/// A merchant with a good access token.
pub struct Merchant;

impl FromRequestParts<Sandbox> for Merchant {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, sandbox: &Sandbox) -> Result<Self, Failure> {
        let hash = secret::bearer(&parts.headers).map(secret::hash).ok_or_else(Failure::not_authorised)?;
        let now = sandbox.clock().now();
        let token = grant::token(sandbox.database(), &hash, TOKEN_AUDIENCE, now).await?;
        token.map(|_| Self).ok_or_else(Failure::not_authorised)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    application_key: String,
    application_secret: String,
}

/// `POST /v1/oauth/token`.
pub async fn token(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Response, Failure> {
    let given: Credentials = read(&body)?;
    let config = sandbox.config();
    let known = secret::same(&given.application_key, &config.bank_application_key)
        & secret::same(&given.application_secret, &config.bank_application_secret);
    if !known {
        return Err(Failure::not_authorised());
    }
    let access_token = secret::fresh();
    let expires_at = sandbox.clock().now() + Duration::seconds(TOKEN_VALID_S);
    let stored = Token { audience: TOKEN_AUDIENCE.into(), persona: None, scope: String::new(), expires_at };
    let mut tx = sandbox.database().begin().await?;
    grant::insert_token(&mut tx, &secret::hash(&access_token), &stored).await?;
    tx.commit().await?;
    Ok(success(json!({
        "accessToken": access_token,
        "tokenType": "Bearer",
        "expiresIn": TOKEN_VALID_S,
        "expiresAt": expires_at.timestamp(),
    })))
}
