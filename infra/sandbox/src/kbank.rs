//! A second bank, with an API in the manner of KBank's: Thai QR alone, callbacks that nobody signed.
//!
//! Known from several integrators: the paths of token, request and void, the fields of the request and
//! of the callback, the secret in the body, a QR code's ten minutes. ASSUMED: the paths and fields of
//! inquiry and cancel, the error codes, that one partnerTxnUid makes one order, and that a void gives
//! back the whole amount, on the day of payment only.

mod answer;
mod qr_orders;

use axum::Router;
use axum::routing::post;
use serde_json::json;
use uuid::Uuid;

use crate::bank::qr::BillPayment;
use crate::confirmation::Confirmation;
use crate::order::Order;
use crate::{Sandbox, money};

/// The doors of the bank.
pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/v2/oauth/token", post(answer::token))
        .route("/v1/qrpayment/request", post(qr_orders::create))
        .route("/v1/qrpayment/inquiry", post(qr_orders::inquire))
        .route("/v1/qrpayment/cancel", post(qr_orders::cancel))
        .route("/v1/qrpayment/void", post(qr_orders::void))
}

/// What the bank tells the merchant of a payment. `None`: nothing was paid.
pub fn confirmation(sandbox: &Sandbox, order: &Order) -> Option<Confirmation> {
    let paid = order.paid.as_ref()?;
    let config = sandbox.config();
    let body = json!({
        "partnerTxnUid": order.reference1,
        "partnerId": config.kbank_partner_id,
        "statusCode": "00",
        "errorCode": null,
        "errorDesc": null,
        "merchantId": config.kbank_merchant_id,
        "txnAmount": money::baht(paid.satang),
        "txnCurrencyCode": "THB",
        "txnNo": paid.bank_transaction_id,
        "loyaltyId": null,
        "additionalInfo": null,
    });
    Some(Confirmation { url: order.callback_url.clone(), body: body.to_string(), signed_as: None })
}

/// What the QR of an order says. The references in it are the bank's own: they carry its number of the order.
pub fn bill(sandbox: &Sandbox, order: &Order) -> BillPayment {
    let number = order.id.simple().to_string().to_uppercase();
    let (reference1, reference2) = number.split_at(20);
    BillPayment {
        biller_id: sandbox.config().kbank_biller_id.clone(),
        reference1: reference1.to_owned(),
        reference2: Some(reference2.to_owned()),
        reference3: None,
        amount_satang: Some(order.amount_satang),
    }
}

/// The order that a scanned QR of this bank names.
pub fn order_id(bill: &BillPayment) -> Option<Uuid> {
    let rest = bill.reference2.as_deref()?;
    Uuid::try_parse(&format!("{}{rest}", bill.reference1)).ok()
}
