//! Orders paid in the bank's own app, opened by a link.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::answer::{self, Failure, Merchant};
use super::{Amount, References};
use crate::order::{Order, Rail, Standing};
use crate::orders::{self, NewOrder};
use crate::{Sandbox, money, store};

const VALID_S: std::ops::RangeInclusive<i64> = 60..=1_800;
const URL_BYTES_MAX: usize = 2_048;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    transaction_type: String,
    session_validity_period: Option<i64>,
    bill_payment: BillPayment,
    merchant_meta_data: Option<MerchantMetaData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BillPayment {
    payment_amount: Amount,
    account_to: String,
    ref1: String,
    ref2: Option<String>,
    ref3: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MerchantMetaData {
    callback_url: Option<String>,
}

/// `POST /v3/deeplink/transactions`.
pub async fn create(State(sandbox): State<Sandbox>, _: Merchant, body: Bytes) -> Result<Response, Failure> {
    let asked: Create = answer::read(&body)?;
    let bill = asked.bill_payment;
    if asked.transaction_type != "PURCHASE" || bill.account_to != sandbox.config().bank_biller_id {
        return Err(Failure::input("transactionType PURCHASE and your biller id in accountTo"));
    }
    let valid_s = asked.session_validity_period.unwrap_or(sandbox.config().order_valid_s.min(*VALID_S.end()));
    if !VALID_S.contains(&valid_s) {
        return Err(Failure::input("sessionValidityPeriod is 60 to 1800"));
    }
    let return_url = asked.merchant_meta_data.and_then(|data| data.callback_url);
    if !return_url.as_deref().is_none_or(is_web_address) {
        return Err(Failure::input("callbackUrl is not an http address"));
    }
    let references = References::checked(bill.ref1, bill.ref2, bill.ref3)?;
    let new = NewOrder {
        rail: Rail::Deeplink,
        reference1: references.reference1,
        reference2: references.reference2,
        reference3: references.reference3,
        description: None,
        amount_satang: bill.payment_amount.0,
        return_url,
        callback_url: sandbox.config().bank_confirmation_url(),
        valid_s,
    };
    let order = orders::create(&sandbox, new).await?;
    let link = format!("{}/bank/pay/{}", sandbox.base_url(), order.id);
    Ok(answer::success(json!({ "transactionId": order.id, "deeplinkUrl": link })))
}

/// `GET /v2/transactions/{id}`.
pub async fn show(
    State(sandbox): State<Sandbox>,
    _: Merchant,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let order = deeplink_order(&sandbox, &id).await?;
    Ok(answer::success(transaction(&sandbox, &order)))
}

/// `POST /v2/transactions/{id}/cancel` (assumed).
pub async fn cancel(
    State(sandbox): State<Sandbox>,
    _: Merchant,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let order = deeplink_order(&sandbox, &id).await?;
    let order = orders::cancel(&sandbox, order.id).await?;
    Ok(answer::success(transaction(&sandbox, &order)))
}

async fn deeplink_order(sandbox: &Sandbox, id: &str) -> Result<Order, Failure> {
    let id = Uuid::parse_str(id).map_err(|_| Failure::not_found())?;
    let order = store::order::order(&mut sandbox.database().clone(), id).await?;
    order.filter(|order| order.rail == Rail::Deeplink).ok_or_else(Failure::not_found)
}

fn transaction(sandbox: &Sandbox, order: &Order) -> Value {
    let standing = order.standing(sandbox.clock().now());
    let paid = order.paid.as_ref();
    json!({
        "transactionId": order.id,
        "statusCode": status_code(standing),
        "statusText": if standing == Standing::Waiting { "PENDING" } else { standing.word() },
        "paidAmount": paid.map(|paid| money::baht(paid.satang)),
        "paidAt": paid.map(|paid| paid.at),
        "bankTransactionId": paid.map(|paid| &paid.bank_transaction_id),
        "billPayment": {
            "paymentAmount": money::baht(order.amount_satang),
            "accountTo": sandbox.config().bank_biller_id,
            "ref1": order.reference1,
            "ref2": order.reference2,
            "ref3": order.reference3,
        },
    })
}

fn status_code(standing: Standing) -> u8 {
    match standing {
        Standing::Waiting => 0,
        Standing::Paid => 1,
        Standing::Cancelled => 2,
        Standing::Declined => 3,
        Standing::Expired => 5,
    }
}

fn is_web_address(text: &str) -> bool {
    let scheme = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    scheme && text.len() <= URL_BYTES_MAX
}
