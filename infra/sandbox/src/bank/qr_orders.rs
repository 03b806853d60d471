//! Orders paid by Thai QR: made, cancelled, and found again by scanning.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::answer::{self, Failure, Merchant};
use super::qr::{self, BillPayment};
use super::{Amount, References};
use crate::order::{Order, Rail};
use crate::orders::{self, NewOrder, NotDone};
use crate::page::{self, two};
use crate::{Sandbox, kbank, store};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    qr_type: String,
    pp_type: String,
    pp_id: String,
    amount: Amount,
    ref1: String,
    ref2: Option<String>,
    ref3: Option<String>,
    /// Not the real bank's: how long the QR can be paid.
    expiry_seconds: Option<i64>,
}

/// `POST /v1/payment/qrcode/create`.
pub async fn create(State(sandbox): State<Sandbox>, _: Merchant, body: Bytes) -> Result<Response, Failure> {
    let asked: Create = answer::read(&body)?;
    if asked.qr_type != "PP" || asked.pp_type != "BILLERID" || asked.pp_id != sandbox.config().bank_biller_id
    {
        return Err(Failure::input("qrType PP, ppType BILLERID and your biller id in ppId"));
    }
    let valid_s = asked.expiry_seconds.unwrap_or(sandbox.config().order_valid_s);
    if !orders::VALID_S.contains(&valid_s) {
        return Err(Failure::input("expirySeconds is 60 to 86400"));
    }
    let references = References::checked(asked.ref1, asked.ref2, asked.ref3)?;
    let order = orders::create(&sandbox, new_order(&sandbox, references, asked.amount.0, valid_s)).await?;
    let payload = qr::encode(&bill(&sandbox, &order));
    Ok(answer::success(json!({ "qrRawData": payload, "qrcodeId": order.id })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancel {
    pp_id: String,
    ref1: String,
}

/// `POST /v1/payment/qrcode/cancel` (assumed).
pub async fn cancel(State(sandbox): State<Sandbox>, _: Merchant, body: Bytes) -> Result<Response, Failure> {
    let asked: Cancel = answer::read(&body)?;
    let mut database = sandbox.database().clone();
    let order = store::order::order_of_reference(&mut database, Rail::Qr, &asked.ref1).await?;
    let order =
        order.filter(|_| asked.pp_id == sandbox.config().bank_biller_id).ok_or_else(Failure::not_found)?;
    let order = orders::cancel(&sandbox, order.id).await?;
    Ok(answer::success(json!({ "status": order.standing(sandbox.clock().now()).word() })))
}

/// What the payer's app read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Scan {
    payload: String,
}

/// `GET /scan`: to the page on which the order of a QR is paid.
pub async fn scan(State(sandbox): State<Sandbox>, Query(scan): Query<Scan>) -> Response {
    if scan.payload.is_empty() {
        return scan_form();
    }
    let Ok(bill) = qr::decode(&scan.payload) else {
        return page::notice(
            StatusCode::BAD_REQUEST,
            "อ่าน QR นี้ไม่ได้",
            "This is not a readable bill payment QR.",
        );
    };
    match order_of(&sandbox, bill).await {
        Ok(Some(order)) => {
            page::private(Redirect::to(&format!("{}/bank/pay/{}", sandbox.base_url(), order.id)))
        }
        Ok(None) | Err(NotDone::Reused) => {
            page::notice(StatusCode::NOT_FOUND, "ไม่พบรายการของ QR นี้", "The bank knows no bill for this QR.")
        }
        Err(error) => page::failure(&error),
    }
}

/// The order of a QR. A merchant may also write QRs without asking the bank: then it begins here.
async fn order_of(sandbox: &Sandbox, bill: BillPayment) -> Result<Option<Order>, NotDone> {
    let mut database = sandbox.database().clone();
    if bill.biller_id == sandbox.config().kbank_biller_id {
        let Some(id) = kbank::order_id(&bill) else { return Ok(None) };
        let known = store::order::order(&mut database, id).await?;
        return Ok(known.filter(|known| bill.amount_satang == Some(known.amount_satang)));
    }
    if bill.biller_id != sandbox.config().bank_biller_id {
        return Ok(None);
    }
    if let Some(known) = store::order::order_of_reference(&mut database, Rail::Qr, &bill.reference1).await? {
        let same = bill.amount_satang.is_none_or(|satang| satang == known.amount_satang);
        return Ok(same.then_some(known));
    }
    let references = References::checked(bill.reference1, bill.reference2, bill.reference3);
    let (Ok(references), Some(amount_satang)) = (references, bill.amount_satang) else { return Ok(None) };
    let valid_s = sandbox.config().order_valid_s;
    orders::create(sandbox, new_order(sandbox, references, amount_satang, valid_s)).await.map(Some)
}

fn new_order(sandbox: &Sandbox, references: References, amount_satang: i64, valid_s: i64) -> NewOrder {
    NewOrder {
        rail: Rail::Qr,
        reference1: references.reference1,
        reference2: references.reference2,
        reference3: references.reference3,
        description: None,
        amount_satang,
        return_url: None,
        callback_url: sandbox.config().bank_confirmation_url(),
        valid_s,
    }
}

fn bill(sandbox: &Sandbox, order: &Order) -> BillPayment {
    BillPayment {
        biller_id: sandbox.config().bank_biller_id.clone(),
        reference1: order.reference1.clone(),
        reference2: order.reference2.clone(),
        reference3: order.reference3.clone(),
        amount_satang: Some(order.amount_satang),
    }
}

fn scan_form() -> Response {
    let body = format!(
        "<form method=\"get\"><p><label>{label} <input name=\"payload\" required maxlength=\"512\" size=\"40\"></label>
         <button>{go}</button></p></form>",
        label = two("ข้อความใน QR", "Text of the QR"),
        go = two("สแกน", "Scan"),
    );
    page::html(StatusCode::OK, "สแกน QR", "Scan a QR", &body)
}
