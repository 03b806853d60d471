//! The wallet's orders as the merchant's server sees them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::{Host, Url};
use uuid::Uuid;

use crate::order::{Order, Rail, Refund};
use crate::orders::{self, NewOrder, NotDone, Payment};
use crate::{Sandbox, bank, money, page, secret, store};

const REFERENCE_CHARS_MAX: usize = 64;
const DESCRIPTION_CHARS_MAX: usize = 200;
const URL_BYTES_MAX: usize = 2_048;

/// Why the wallet does not do it.
#[derive(Debug)]
pub struct Failure {
    http: StatusCode,
    error: &'static str,
    message: String,
}

impl Failure {
    fn new(http: StatusCode, error: &'static str, message: impl ToString) -> Self {
        Self { http, error, message: message.to_string() }
    }

    fn input(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }
}

impl From<NotDone> for Failure {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", not_done),
            NotDone::Reused => Self::new(StatusCode::CONFLICT, "conflict", not_done),
            NotDone::Refused(refused) => Self::new(StatusCode::CONFLICT, "state", refused),
            NotDone::Database(error) => error.into(),
        }
    }
}

impl From<database::Error> for Failure {
    fn from(error: database::Error) -> Self {
        tracing::error!(%error, "sandbox: the wallet's database failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the wallet is out of order")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        page::private((self.http, Json(json!({ "error": self.error, "message": self.message }))))
    }
}

/// A merchant with the right key.
pub struct Merchant;

impl FromRequestParts<Sandbox> for Merchant {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, sandbox: &Sandbox) -> Result<Self, Failure> {
        let key = &sandbox.config().gwallet_api_key;
        let known = secret::bearer(&parts.headers).is_some_and(|given| secret::same(given, key));
        known.then_some(Self).ok_or(Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", "wrong key"))
    }
}

#[derive(Deserialize)]
struct Create {
    reference: String,
    amount: String,
    #[serde(default)]
    description: String,
    callback_url: String,
    expires_in_s: Option<i64>,
}

/// `POST /v1/orders`.
pub async fn create(State(sandbox): State<Sandbox>, _: Merchant, body: Bytes) -> Result<Response, Failure> {
    let asked: Create = read(&body)?;
    let amount_satang =
        money::satang(&asked.amount).ok_or_else(|| Failure::input("amount is baht, \"505.00\""))?;
    let valid_s = asked.expires_in_s.unwrap_or(sandbox.config().order_valid_s);
    let reference_ok = !asked.reference.is_empty()
        && asked.reference.chars().count() <= REFERENCE_CHARS_MAX
        && asked.description.chars().count() <= DESCRIPTION_CHARS_MAX;
    if !reference_ok || !orders::VALID_S.contains(&valid_s) {
        return Err(Failure::input(
            "reference 1 to 64 characters, description to 200, expires_in_s 60 to 86400",
        ));
    }
    if !may_be_called(&sandbox, &asked.callback_url) {
        return Err(Failure::input("callback_url is neither under public_url nor on this machine"));
    }
    let new = NewOrder {
        rail: Rail::Gwallet,
        reference1: asked.reference,
        reference2: None,
        reference3: None,
        description: Some(asked.description).filter(|text| !text.is_empty()),
        amount_satang,
        return_url: None,
        callback_url: asked.callback_url,
        valid_s,
    };
    let order = orders::create(&sandbox, new).await?;
    answer(&sandbox, &order).await
}

/// `GET /v1/orders/{id}`.
pub async fn show(
    State(sandbox): State<Sandbox>,
    _: Merchant,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let order = wallet_order(&sandbox, &id).await?;
    answer(&sandbox, &order).await
}

/// `POST /v1/orders/{id}/cancel`.
pub async fn cancel(
    State(sandbox): State<Sandbox>,
    _: Merchant,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let order = wallet_order(&sandbox, &id).await?;
    let order = orders::cancel(&sandbox, order.id).await?;
    answer(&sandbox, &order).await
}

#[derive(Deserialize)]
struct Refunds {
    refund_id: String,
    amount: String,
}

/// `POST /v1/orders/{id}/refunds`.
pub async fn refund(
    State(sandbox): State<Sandbox>,
    _: Merchant,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Failure> {
    let asked: Refunds = read(&body)?;
    let amount_satang =
        money::satang(&asked.amount).ok_or_else(|| Failure::input("amount is baht, \"505.00\""))?;
    if !bank::is_refund_id(&asked.refund_id) {
        return Err(Failure::input("refund_id is 1 to 64 of A-Z, a-z, 0-9, _ and -"));
    }
    let order = wallet_order(&sandbox, &id).await?;
    let payment = Payment::WalletOrder(order.id);
    let refund = orders::refund(&sandbox, payment, &asked.refund_id, amount_satang).await?;
    let mut told = refund_line(&refund);
    told["txn_ref_id"] = json!(order.id);
    Ok(page::private(Json(told)))
}

async fn wallet_order(sandbox: &Sandbox, id: &str) -> Result<Order, Failure> {
    let id = Uuid::parse_str(id).map_err(|_| NotDone::NotFound)?;
    let order = store::order::order(&mut sandbox.database().clone(), id).await?;
    Ok(order.filter(|order| order.rail == Rail::Gwallet).ok_or(NotDone::NotFound)?)
}

async fn answer(sandbox: &Sandbox, order: &Order) -> Result<Response, Failure> {
    let refunds = store::order::refunds_of(&mut sandbox.database().clone(), &[order.id]).await?;
    let paid = order.paid.as_ref();
    Ok(page::private(Json(json!({
        "txn_ref_id": order.id,
        "reference": order.reference1,
        "amount": money::baht(order.amount_satang),
        "status": order.standing(sandbox.clock().now()).word(),
        "deep_link": format!("{}/gwallet/pay/{}", sandbox.base_url(), order.id),
        "expires_at": order.expires_at,
        "paid_amount": paid.map(|paid| money::baht(paid.satang)),
        "paid_at": paid.map(|paid| paid.at),
        "wallet_reference": paid.map(|paid| &paid.bank_transaction_id),
        "refunded_amount": money::baht(refunds.iter().map(|refund| refund.amount_satang).sum()),
        "refunds": refunds.iter().map(refund_line).collect::<Vec<_>>(),
    }))))
}

fn refund_line(refund: &Refund) -> Value {
    json!({
        "refund_id": refund.refund_id,
        "amount": money::baht(refund.amount_satang),
        "refunded_at": refund.created_at,
    })
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::input(&error.to_string()))
}

/// The wallet calls nobody but the gateway or this machine, whatever an order says.
fn may_be_called(sandbox: &Sandbox, address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let ours = Url::parse(&sandbox.config().public_url).is_ok_and(|public| public.origin() == url.origin());
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    matches!(url.scheme(), "http" | "https") && (ours || loopback) && address.len() <= URL_BYTES_MAX
}
