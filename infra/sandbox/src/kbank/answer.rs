//! The second bank's answers, its token, and who may ask.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, FixedOffset};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::orders::NotDone;
use crate::store::grant::{self, Token};
use crate::{Sandbox, page, secret};

const TOKEN_AUDIENCE: &str = "kbank";
const TOKEN_VALID_S: i64 = 1_800;
const UID_BYTES: std::ops::RangeInclusive<usize> = 15..=32;

/// Why the bank does not do it: told in the body, with HTTP 200, but for who may not ask at all.
#[derive(Debug)]
pub enum Failure {
    NotAuthorised,
    OutOfOrder,
    Code(&'static str, String),
}

impl Failure {
    pub fn input(description: &str) -> Self {
        Self::Code("INVALID_REQUEST", description.to_owned())
    }

    pub fn not_found() -> Self {
        Self::Code("ORDER_NOT_FOUND", "not found".to_owned())
    }
}

impl From<NotDone> for Failure {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::NotFound => Self::not_found(),
            NotDone::Reused => Self::Code("DUPLICATE_UID", not_done.to_string()),
            NotDone::Refused(refused) => Self::Code("INVALID_STATUS", refused.to_string()),
            NotDone::Database(error) => error.into(),
        }
    }
}

impl From<database::Error> for Failure {
    fn from(error: database::Error) -> Self {
        tracing::error!(%error, "sandbox: the second bank's database failed");
        Self::OutOfOrder
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::NotAuthorised => {
                page::private((StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_token" }))))
            }
            Self::OutOfOrder => {
                page::private((StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "server_error" }))))
            }
            Self::Code(code, description) => page::private(Json(json!({
                "statusCode": "10", "errorCode": code, "errorDesc": description,
            }))),
        }
    }
}

/// What every request says, and what is its own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked<T> {
    pub partner_txn_uid: String,
    partner_id: String,
    partner_secret: String,
    #[expect(dead_code, reason = "must be there and be a time; nothing hangs on it")]
    request_dt: DateTime<FixedOffset>,
    merchant_id: String,
    #[serde(flatten)]
    pub own: T,
}

/// Reads a request of our one partner.
pub fn read<T: DeserializeOwned>(sandbox: &Sandbox, body: &Bytes) -> Result<Asked<T>, Failure> {
    let asked: Asked<T> = serde_json::from_slice(body).map_err(|error| Failure::input(&error.to_string()))?;
    let config = sandbox.config();
    let known = secret::same(&asked.partner_id, &config.kbank_partner_id)
        & secret::same(&asked.partner_secret, &config.kbank_partner_secret)
        & secret::same(&asked.merchant_id, &config.kbank_merchant_id);
    if !known {
        return Err(Failure::Code("UNKNOWN_PARTNER", "partnerId, partnerSecret or merchantId".to_owned()));
    }
    let uid = &asked.partner_txn_uid;
    if !UID_BYTES.contains(&uid.len()) || !uid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Failure::input("partnerTxnUid is 15 to 32 letters and digits"));
    }
    Ok(asked)
}

/// A successful answer: the envelope, and what is its own.
pub fn success(sandbox: &Sandbox, partner_txn_uid: &str, own: Value) -> Response {
    let mut answer = json!({
        "partnerTxnUid": partner_txn_uid,
        "partnerId": sandbox.config().kbank_partner_id,
        "statusCode": "00",
        "errorCode": null,
        "errorDesc": null,
    });
    if let (Some(answer), Value::Object(own)) = (answer.as_object_mut(), own) {
        answer.extend(own);
    }
    page::private(Json(answer))
}

/// A partner with a good access token.
pub struct Partner;

impl FromRequestParts<Sandbox> for Partner {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, sandbox: &Sandbox) -> Result<Self, Failure> {
        let hash = secret::bearer(&parts.headers).map(secret::hash).ok_or(Failure::NotAuthorised)?;
        let now = sandbox.clock().now();
        let token = grant::token(sandbox.database(), &hash, TOKEN_AUDIENCE, now).await?;
        token.map(|_| Self).ok_or(Failure::NotAuthorised)
    }
}

/// `POST /v2/oauth/token`: client credentials, by HTTP Basic.
pub async fn token(
    State(sandbox): State<Sandbox>,
    headers: axum::http::HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let config = sandbox.config();
    let expected = format!("{}:{}", config.kbank_consumer_id, config.kbank_consumer_secret);
    let given = headers
        .get(axum::http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
        .and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
    let known = given.is_some_and(|given| secret::same(&given, &expected));
    if !known || &body[..] != b"grant_type=client_credentials" {
        return Err(Failure::NotAuthorised);
    }
    let access_token = secret::fresh();
    let expires_at = sandbox.clock().now() + Duration::seconds(TOKEN_VALID_S);
    let stored = Token { audience: TOKEN_AUDIENCE.into(), persona: None, scope: String::new(), expires_at };
    let mut tx = sandbox.database().begin().await?;
    grant::insert_token(&mut tx, &secret::hash(&access_token), &stored).await?;
    tx.commit().await?;
    // The bank's gateway writes the seconds as text.
    let expires_in = (TOKEN_VALID_S - 1).to_string();
    let answer = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": expires_in });
    Ok(page::private(Json(answer)))
}
