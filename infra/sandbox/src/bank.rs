//! The bank: an API in the manner of SCB's, its unsigned confirmation, its app, its books.
//!
//! Refunds and the two cancels are assumed: the public documents name none.

mod answer;
mod books;
mod deeplink;
mod payments;
pub mod qr;
mod qr_orders;
mod statement;

use axum::Router;
use axum::routing::{get, post};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::confirmation::Confirmation;
use crate::order::{Order, Paid};
use crate::{Sandbox, money, pay_page};
use answer::Failure;
pub use payments::is_refund_id;

const BANK_CODE: &str = "014";
const REFERENCE_BYTES_MAX: usize = 20;

/// The doors of the bank.
pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/v1/oauth/token", post(answer::token))
        .route("/v1/payment/qrcode/create", post(qr_orders::create))
        .route("/v1/payment/qrcode/cancel", post(qr_orders::cancel))
        .route("/v3/deeplink/transactions", post(deeplink::create))
        .route("/v2/transactions/{id}", get(deeplink::show))
        .route("/v2/transactions/{id}/cancel", post(deeplink::cancel))
        .route("/v1/payment/billpayment/inquiry", get(payments::inquire))
        .route("/v1/payment/refund", post(payments::refund))
        .route("/v1/payment/statement", get(statement::show))
        .route("/pay/{id}", get(pay_page::show_bank).post(pay_page::choose_bank))
        .route("/scan", get(qr_orders::scan))
        .route("/books", get(books::show))
}

/// What the bank tells the merchant of a payment: unsigned, only on success. `None`: nothing was paid.
pub fn confirmation(sandbox: &Sandbox, order: &Order) -> Option<Confirmation> {
    let mut told = payment(sandbox, order, order.paid.as_ref()?);
    let of_the_payer = [
        ("payeeAccountNumber", "0987654321"),
        ("payeeName", "THAI STATE (SANDBOX)"),
        ("payerProxyId", ""),
        ("payerProxyType", ""),
        ("payerAccountNumber", "0123456789"),
        ("payerName", "TEST PAYER"),
    ];
    for (name, value) in of_the_payer {
        told[name] = json!(value);
    }
    Some(Confirmation { url: order.callback_url.clone(), body: told.to_string(), signed_as: None })
}

/// A payment as confirmations and inquiries tell it.
fn payment(sandbox: &Sandbox, order: &Order, paid: &Paid) -> Value {
    let at = paid.at.with_timezone(&clock::thailand());
    json!({
        "transactionId": paid.bank_transaction_id,
        "amount": money::baht(paid.satang),
        "transactionDateandTime": at.to_rfc3339_opts(chrono::SecondsFormat::Millis, false),
        "currencyCode": "764",
        "transactionType": "Domestic Transfers",
        "payeeProxyId": sandbox.config().bank_biller_id,
        "payeeProxyType": "BILLERID",
        "sendingBankCode": BANK_CODE,
        "receivingBankCode": BANK_CODE,
        "billPaymentRef1": order.reference1,
        "billPaymentRef2": order.reference2.as_deref().unwrap_or_default(),
        "billPaymentRef3": order.reference3.as_deref().unwrap_or_default(),
        "channelCode": "PMH",
    })
}

/// An amount in a request: "505.00", 505.00 or 505.
pub struct Amount(pub i64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let expected = "an amount of baht above zero with at most two decimals";
        money::satang(&text).map(Self).ok_or_else(|| serde::de::Error::custom(expected))
    }
}

/// The three references of a bill payment, each `[A-Z0-9]{1,20}`.
struct References {
    reference1: String,
    reference2: Option<String>,
    reference3: Option<String>,
}

impl References {
    fn checked(
        reference1: String,
        reference2: Option<String>,
        reference3: Option<String>,
    ) -> Result<Self, Failure> {
        let (reference2, reference3) =
            (reference2.filter(|text| !text.is_empty()), reference3.filter(|text| !text.is_empty()));
        let fits = |text: &String| {
            (1..=REFERENCE_BYTES_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        if !fits(&reference1) || !reference2.iter().chain(&reference3).all(fits) {
            return Err(Failure::input("ref1, ref2 and ref3 are 1 to 20 of A-Z and 0-9"));
        }
        Ok(Self { reference1, reference2, reference3 })
    }
}
