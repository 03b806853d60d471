//! The second bank's orders: made, asked about, cancelled, voided.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, Failure, Partner};
use super::bill;
use crate::bank::{Amount, qr};
use crate::order::{Order, Rail, Standing};
use crate::orders::{self, NewOrder, Payment};
use crate::{Sandbox, money, store};

/// A QR code lives for ten minutes, whatever its partner would like.
const VALID_S: i64 = 600;
const REFERENCE_BYTES_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    qr_type: String,
    txn_amount: Amount,
    txn_currency_code: String,
    reference1: Option<String>,
    reference2: Option<String>,
    reference3: Option<String>,
    reference4: Option<String>,
}

/// `POST /v1/qrpayment/request`.
pub async fn create(State(sandbox): State<Sandbox>, _: Partner, body: Bytes) -> Result<Response, Failure> {
    let asked = answer::read::<Create>(&sandbox, &body)?;
    let own = asked.own;
    if own.qr_type != "3" || own.txn_currency_code != "THB" {
        return Err(Failure::input("qrType 3 (Thai QR) and txnCurrencyCode THB"));
    }
    let references = [&own.reference1, &own.reference2, &own.reference3, &own.reference4];
    if references.into_iter().flatten().any(|text| text.len() > REFERENCE_BYTES_MAX) {
        return Err(Failure::input("references are up to 20 characters"));
    }
    let new = NewOrder {
        rail: Rail::Kbank,
        reference1: asked.partner_txn_uid,
        reference2: own.reference1,
        reference3: own.reference2,
        description: None,
        amount_satang: own.txn_amount.0,
        return_url: None,
        callback_url: sandbox.config().kbank_confirmation_url(),
        valid_s: VALID_S,
    };
    let order = orders::create(&sandbox, new).await?;
    let code = qr::encode(&bill(&sandbox, &order));
    let own = json!({ "accountName": "THAI STATE (SANDBOX)", "qrCode": code, "sof": ["PP"] });
    Ok(answer::success(&sandbox, &order.reference1, own))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    orig_partner_txn_uid: String,
}

/// `POST /v1/qrpayment/inquiry`.
pub async fn inquire(State(sandbox): State<Sandbox>, _: Partner, body: Bytes) -> Result<Response, Failure> {
    let asked = answer::read::<About>(&sandbox, &body)?;
    let order = order_of(&sandbox, &asked.own).await?;
    let own = told(&sandbox, &order).await?;
    Ok(answer::success(&sandbox, &asked.partner_txn_uid, own))
}

/// `POST /v1/qrpayment/cancel`: nobody can pay it any more.
pub async fn cancel(State(sandbox): State<Sandbox>, _: Partner, body: Bytes) -> Result<Response, Failure> {
    let asked = answer::read::<About>(&sandbox, &body)?;
    let order = order_of(&sandbox, &asked.own).await?;
    orders::cancel(&sandbox, order.id).await?;
    Ok(answer::success(&sandbox, &asked.partner_txn_uid, json!({})))
}

/// `POST /v1/qrpayment/void`: all of it goes back, on the day it came; once.
pub async fn void(State(sandbox): State<Sandbox>, _: Partner, body: Bytes) -> Result<Response, Failure> {
    let asked = answer::read::<About>(&sandbox, &body)?;
    let order = order_of(&sandbox, &asked.own).await?;
    let state = |why: &str| Failure::Code("INVALID_STATUS", why.to_owned());
    let Some(paid) = &order.paid else { return Err(state("it is not paid")) };
    if paid.on != sandbox.clock().today_in_thailand() {
        return Err(state("the day of payment is over"));
    }
    let payment = Payment::KbankOrder(order.id);
    orders::refund(&sandbox, payment, &asked.partner_txn_uid, paid.satang).await?;
    Ok(answer::success(&sandbox, &asked.partner_txn_uid, json!({ "txnNo": paid.bank_transaction_id })))
}

async fn order_of(sandbox: &Sandbox, about: &About) -> Result<Order, Failure> {
    let mut database = sandbox.database().clone();
    let found =
        store::order::order_of_reference(&mut database, Rail::Kbank, &about.orig_partner_txn_uid).await?;
    found.ok_or_else(Failure::not_found)
}

async fn told(sandbox: &Sandbox, order: &Order) -> Result<Value, Failure> {
    let voids = store::order::refunds_of(&mut sandbox.database().clone(), &[order.id]).await?;
    let status = match order.standing(sandbox.clock().now()) {
        Standing::Paid if !voids.is_empty() => "VOIDED",
        Standing::Paid => "PAID",
        Standing::Waiting => "REQUESTED",
        Standing::Expired => "EXPIRED",
        Standing::Cancelled | Standing::Declined => "CANCELLED",
    };
    let paid = order.paid.as_ref();
    Ok(json!({
        "merchantId": sandbox.config().kbank_merchant_id,
        "origPartnerTxnUid": order.reference1,
        "txnStatus": status,
        "txnNo": paid.map(|paid| &paid.bank_transaction_id),
        "txnAmount": money::baht(paid.map_or(order.amount_satang, |paid| paid.satang)),
        "txnCurrencyCode": "THB",
        "paidDt": paid.map(|paid| paid.at.with_timezone(&clock::thailand()).to_rfc3339()),
    }))
}
