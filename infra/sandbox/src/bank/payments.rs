//! Money that came: asked for by inquiry, given back by refund.

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, Failure, Merchant};
use super::{Amount, payment};
use crate::orders::{self, Payment};
use crate::{Sandbox, money, store};

/// Thai QR or bill payment (the real bank's code for tag 30).
const EVENT_CODE: &str = "00300100";
const REFUND_ID_BYTES_MAX: usize = 64;

/// The query of an inquiry.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inquiry {
    event_code: String,
    transaction_date: NaiveDate,
    biller_id: String,
    reference1: String,
}

/// `GET /v1/payment/billpayment/inquiry`: all payments of a reference on one day in Thailand.
pub async fn inquire(
    State(sandbox): State<Sandbox>,
    _: Merchant,
    inquiry: Result<Query<Inquiry>, QueryRejection>,
) -> Result<Response, Failure> {
    let asked = "eventCode=00300100, transactionDate=yyyy-MM-dd, billerId, reference1";
    let Query(inquiry) = inquiry.map_err(|_| Failure::input(asked))?;
    if inquiry.event_code != EVENT_CODE {
        return Err(Failure::input(asked));
    }
    if inquiry.biller_id != sandbox.config().bank_biller_id {
        return Ok(answer::success(json!([])));
    }
    let database = sandbox.database();
    let orders =
        store::order::orders_paid_on(database, &inquiry.reference1, inquiry.transaction_date).await?;
    let payments = orders.iter().filter_map(|order| {
        let mut told = payment(&sandbox, order, order.paid.as_ref()?);
        told["eventCode"] = json!(EVENT_CODE);
        Some(told)
    });
    Ok(answer::success(Value::Array(payments.collect())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    refund_id: String,
    transaction_id: String,
    amount: Amount,
}

/// `POST /v1/payment/refund` (assumed).
pub async fn refund(State(sandbox): State<Sandbox>, _: Merchant, body: Bytes) -> Result<Response, Failure> {
    let asked: Refund = answer::read(&body)?;
    if !is_refund_id(&asked.refund_id) {
        return Err(Failure::input("refundId is 1 to 64 of A-Z, a-z, 0-9, _ and -"));
    }
    let payment = Payment::BankTransaction(&asked.transaction_id);
    let refund = orders::refund(&sandbox, payment, &asked.refund_id, asked.amount.0).await?;
    Ok(answer::success(json!({
        "refundId": refund.refund_id,
        "transactionId": asked.transaction_id,
        "amount": money::baht(refund.amount_satang),
        "refundedAt": refund.created_at,
    })))
}

/// Whether a merchant's refund id has the allowed form; the wallet takes the same.
pub fn is_refund_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=REFUND_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}
