//! A bank with KBank's API: Thai QR codes that live ten minutes.
//!
//! Known from several integrators: the paths of token, request and void, the fields of the request and
//! of the callback. ASSUMED: inquiry and cancel, the word for an order that is not there, that asking
//! twice under one number makes one order, and that a void gives back the whole amount on the day of
//! payment. Its callbacks are not signed, so money is only believed when the bank is asked. Production
//! also asks mutual TLS, which has to be added on the way out.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chassis::Secret;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::http_api::{KeptToken, ask, is_indefinite, read};
use super::{
    CancelOutcome, Inquiry, Intent, NotificationError, PaymentProvider, Presented, ProviderError,
    RefundOrder, RefundOutcome, amount_text,
};
use crate::config::KbankConfig;
use crate::model::{Evidence, PaymentMethod, Trust};
use crate::qr::{BillPayment, satang_of};

/// How long a QR code can be paid; nobody can ask for longer.
const QR_VALID_S: i64 = 600;
/// What the bank calls an order that is not there (assumed).
const NOT_THERE: &str = "ORDER_NOT_FOUND";
/// The longest number of a transfer that is taken, in characters.
const TXN_NO_CHARS_MAX: usize = 64;

/// The bank.
pub struct Kbank {
    config: KbankConfig,
    client: Client,
    timeout: Duration,
    token: KeptToken,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    status_code: String,
    error_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QrCode {
    qr_code: String,
}

/// What an inquiry tells of an order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    orig_partner_txn_uid: String,
    txn_status: String,
    txn_no: Option<String>,
    txn_amount: Value,
    txn_currency_code: String,
    paid_dt: Option<DateTime<Utc>>,
}

/// What the bank tells by itself, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Callback {
    partner_txn_uid: String,
    partner_id: String,
    status_code: String,
    merchant_id: String,
    txn_amount: Value,
    txn_currency_code: String,
    txn_no: String,
}

impl Kbank {
    pub fn new(config: KbankConfig, timeout: Duration) -> Self {
        Self { config, client: chassis::http_client(timeout), timeout, token: KeptToken::default() }
    }

    /// Asks the bank with a token; one that it no longer takes is renewed once. The partner's secret
    /// stands in the body: a body is never logged.
    async fn call<T: DeserializeOwned>(
        &self,
        path: &str,
        uid: &str,
        mut body: Value,
        now: DateTime<Utc>,
    ) -> Result<T, ProviderError> {
        let asked_at = now.with_timezone(&clock::thailand()).to_rfc3339_opts(SecondsFormat::Millis, false);
        body["partnerTxnUid"] = json!(uid);
        body["partnerId"] = json!(self.config.partner_id);
        body["partnerSecret"] = json!(self.config.partner_secret.reveal());
        body["merchantId"] = json!(self.config.merchant_id);
        body["requestDt"] = json!(asked_at);
        for renewed in [false, true] {
            let token = self.token.get(now, renewed, self.fresh_token()).await?;
            let request =
                self.client.post(format!("{}{path}", self.config.base_url)).bearer_auth(token.reveal());
            let (status, answer) = ask(request.json(&body), self.timeout).await?;
            if status == StatusCode::UNAUTHORIZED && !renewed {
                continue;
            }
            if is_indefinite(status) {
                return Err(ProviderError::Unreachable);
            }
            let said: Envelope = read(&answer)?;
            if said.status_code != "00" {
                return Err(ProviderError::Refused { code: said.error_code.unwrap_or(said.status_code) });
            }
            return read(&answer);
        }
        Err(ProviderError::Malformed("it takes no token of its own"))
    }

    async fn fresh_token(&self) -> Result<(Secret, i64), ProviderError> {
        let request = self
            .client
            .post(format!("{}/v2/oauth/token", self.config.base_url))
            .basic_auth(self.config.consumer_id.reveal(), Some(self.config.consumer_secret.reveal()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let (status, answer) = ask(request, self.timeout).await?;
        if status != StatusCode::OK {
            return Err(ProviderError::Unreachable);
        }
        let token: Token = read(&answer)?;
        // Seconds come as text from some versions, as a number from others.
        let valid_s = token.expires_in.as_i64().or_else(|| token.expires_in.as_str()?.parse().ok());
        let valid_s = valid_s.ok_or(ProviderError::Malformed("a token without an end"))?;
        Ok((Secret::from(token.access_token.as_str()), valid_s))
    }

    /// The order made under a reference of ours; none when the bank has none.
    async fn order(&self, reference: &str, now: DateTime<Utc>) -> Result<Option<Order>, ProviderError> {
        let body = json!({ "origPartnerTxnUid": reference });
        let order: Order = match self.call("/v1/qrpayment/inquiry", &request_uid(), body, now).await {
            Err(ProviderError::Refused { code }) if code == NOT_THERE => return Ok(None),
            answer => answer?,
        };
        if order.orig_partner_txn_uid != reference {
            return Err(ProviderError::Malformed("its order is for another payment"));
        }
        Ok(Some(order))
    }
}

impl Order {
    fn evidence(self) -> Result<Evidence, ProviderError> {
        let amount_satang = amount_of(&self.txn_amount, &self.txn_currency_code);
        let txn_no = self.txn_no.filter(|text| is_txn_no(text));
        let (Some(amount_satang), Some(provider_txn_id), Some(occurred_at)) =
            (amount_satang, txn_no, self.paid_dt)
        else {
            return Err(ProviderError::Malformed("a paid order without number, amount or time"));
        };
        Ok(Evidence {
            trust: Trust::Inquired,
            provider_txn_id,
            reference: self.orig_partner_txn_uid,
            amount_satang,
            occurred_at,
        })
    }
}

#[async_trait]
impl PaymentProvider for Kbank {
    fn code(&self) -> &'static str {
        "kbank"
    }

    async fn create_intent(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Presented, ProviderError> {
        if intent.method != PaymentMethod::PromptpayQr {
            return Err(ProviderError::Refused { code: "METHOD".into() });
        }
        let body = json!({
            "qrType": "3",
            "txnAmount": amount_text(intent.amount_satang)?,
            "txnCurrencyCode": "THB",
            "reference1": intent.reference,
        });
        let code: QrCode = self.call("/v1/qrpayment/request", &intent.reference, body, now).await?;
        // The references in the code are the bank's own; payee and amount must be what we asked for.
        let said = BillPayment::decode(&code.qr_code)
            .map_err(|_| ProviderError::Malformed("its QR code cannot be read"))?;
        if said.biller_id != self.config.biller_id || said.amount_satang != Some(intent.amount_satang) {
            return Err(ProviderError::Malformed("its QR code is for another payment"));
        }
        Ok(Presented {
            provider_ref: intent.reference.clone(),
            qr_payload: Some(code.qr_code),
            deep_link: None,
            wallet_reference: None,
            expires_at: intent.expires_at.min(now + chrono::Duration::seconds(QR_VALID_S)),
        })
    }

    async fn inquire(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Inquiry, ProviderError> {
        let Some(order) = self.order(&intent.reference, now).await? else { return Ok(Inquiry::NotFound) };
        match order.txn_status.as_str() {
            "PAID" => Ok(Inquiry::Paid(vec![order.evidence()?])),
            "REQUESTED" => Ok(Inquiry::Pending),
            "EXPIRED" => Ok(Inquiry::Expired),
            "VOIDED" => Ok(order.evidence().map_or(Inquiry::Cancelled, Inquiry::GivenBack)),
            "CANCELLED" => Ok(Inquiry::Cancelled),
            _ => Err(ProviderError::Malformed("an unknown status of an order")),
        }
    }

    async fn cancel(&self, intent: &Intent, now: DateTime<Utc>) -> Result<CancelOutcome, ProviderError> {
        let body = json!({ "origPartnerTxnUid": intent.reference });
        let refused = match self.call::<Value>("/v1/qrpayment/cancel", &request_uid(), body, now).await {
            Ok(_) => return Ok(CancelOutcome::Cancelled),
            Err(error @ ProviderError::Refused { .. }) => error,
            Err(error) => return Err(error),
        };
        // Why it refuses is told in words we do not know for sure: the order itself says.
        match self.inquire(intent, now).await? {
            Inquiry::Paid(_) => Ok(CancelOutcome::Paid),
            Inquiry::Cancelled | Inquiry::GivenBack(_) | Inquiry::Expired | Inquiry::NotFound => {
                Ok(CancelOutcome::Cancelled)
            }
            Inquiry::Pending => Err(refused),
        }
    }

    async fn refund(&self, order: &RefundOrder, now: DateTime<Utc>) -> Result<RefundOutcome, ProviderError> {
        if order.amount_satang != order.received_satang {
            return Ok(RefundOutcome::NotSupported { code: "PARTIAL".into() });
        }
        let body = json!({ "origPartnerTxnUid": order.reference });
        let uid = order.refund_id.replace('-', "");
        match self.call::<Value>("/v1/qrpayment/void", &uid, body, now).await {
            Ok(_) => Ok(RefundOutcome::Done),
            // Perhaps it was done, and only the answer was lost.
            Err(ProviderError::Refused { code }) => match self.order(&order.reference, now).await? {
                Some(known) if known.txn_status == "VOIDED" => Ok(RefundOutcome::Done),
                _ => Ok(RefundOutcome::NotSupported { code }),
            },
            Err(error) => Err(error),
        }
    }

    fn parse_notification(
        &self,
        _headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Evidence, NotificationError> {
        let told: Callback = serde_json::from_slice(body).map_err(|_| NotificationError::Malformed)?;
        let ours = told.partner_id == self.config.partner_id && told.merchant_id == self.config.merchant_id;
        // A failure (10) is told as well; either way we only ask.
        let known = matches!(told.status_code.as_str(), "00" | "10") && is_txn_no(&told.txn_no);
        match amount_of(&told.txn_amount, &told.txn_currency_code) {
            Some(amount_satang) if ours && known => Ok(Evidence {
                trust: Trust::Unsigned,
                provider_txn_id: told.txn_no,
                reference: told.partner_txn_uid,
                amount_satang,
                occurred_at: now,
            }),
            _ => Err(NotificationError::Malformed),
        }
    }

    fn acknowledgement(&self, _evidence: &Evidence, _confirmation: &str) -> Value {
        json!({ "statusCode": "00", "errorCode": null, "errorDesc": null })
    }
}

/// An amount of baht, as text or as a number; none when it is no positive one.
fn amount_of(amount: &Value, currency: &str) -> Option<i64> {
    let text = match amount {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    satang_of(&text).filter(|satang| *satang > 0 && currency == "THB")
}

fn is_txn_no(text: &str) -> bool {
    (1..=TXN_NO_CHARS_MAX).contains(&text.chars().count())
}

/// Each request has a number of its own; an order's is our reference.
fn request_uid() -> String {
    Uuid::from_u128(rand::random()).simple().to_string()
}
