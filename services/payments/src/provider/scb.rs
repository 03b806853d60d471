//! A bank with SCB's API: Thai QR and the bank's app. Facts: developer.scb.co.th; cancel and refund are assumed.
//!
//! Its confirmations are not signed, so money is only believed when the bank is asked.

mod answers;
mod statement;

use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chassis::Secret;
use chrono::{DateTime, NaiveDate, Utc};
use reqwest::{Client, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::http_api::{ANSWER_BYTES_MAX, KeptToken, ask, ask_up_to, is_indefinite, read};
use super::{
    CancelOutcome, Inquiry, Intent, NotificationError, PaymentProvider, Presented, ProviderError,
    RefundOrder, RefundOutcome, amount_text, days_to_ask,
};
use crate::config::ScbConfig;
use crate::model::{Evidence, PaymentMethod, StatementLine, Trust};
use crate::qr::BillPayment;
use answers::{Deeplink, Envelope, QrCode, Token, Transaction, Transfer};

/// How much longer the account of a day may take than another answer, and how large it may be: some
/// hundred thousand payments.
const STATEMENT_TIMES: u32 = 4;
const STATEMENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The bank.
pub struct Scb {
    config: ScbConfig,
    callback_url: String,
    client: Client,
    timeout: Duration,
    token: KeptToken,
}

impl Scb {
    pub fn new(config: ScbConfig, public_url: &str, timeout: Duration) -> Self {
        let callback_url = format!("{}/callbacks/payments/scb", public_url.trim_end_matches('/'));
        let client = chassis::http_client(timeout);
        Self { config, callback_url, client, timeout, token: KeptToken::default() }
    }

    /// Asks the bank for JSON.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        now: DateTime<Utc>,
    ) -> Result<T, ProviderError> {
        let (status, answer) = self.raw(method, path, body, now, (self.timeout, ANSWER_BYTES_MAX)).await?;
        Self::data(status, &answer)
    }

    /// Asks the bank with a token; one that it no longer takes is renewed once.
    async fn raw(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        now: DateTime<Utc>,
        (timeout, bytes_max): (Duration, usize),
    ) -> Result<(StatusCode, Vec<u8>), ProviderError> {
        for renewed in [false, true] {
            let token = self.token.get(now, renewed, self.fresh_token()).await?;
            let mut request = self
                .client
                .request(method.clone(), format!("{}{path}", self.config.base_url))
                .timeout(timeout)
                .bearer_auth(token.reveal())
                .header("resourceOwnerId", self.config.application_key.reveal())
                .header("requestUId", request_id())
                .header("accept-language", "EN")
                .header("channel", "scbeasy");
            if let Some(body) = &body {
                request = request.json(body);
            }
            let (status, answer) = ask_up_to(request, timeout, bytes_max).await?;
            if status != StatusCode::UNAUTHORIZED || renewed {
                return Ok((status, answer));
            }
        }
        Err(ProviderError::Malformed("it takes no token of its own"))
    }

    fn data<T: DeserializeOwned>(status: StatusCode, answer: &[u8]) -> Result<T, ProviderError> {
        if is_indefinite(status) {
            return Err(ProviderError::Unreachable);
        }
        let envelope: Envelope<T> = read(answer)?;
        if !status.is_success() || envelope.status.code != 1000 {
            return Err(ProviderError::Refused { code: envelope.status.code.to_string() });
        }
        envelope.data.ok_or(ProviderError::Malformed("it has no data"))
    }

    async fn fresh_token(&self) -> Result<(Secret, i64), ProviderError> {
        let request = self
            .client
            .post(format!("{}/v1/oauth/token", self.config.base_url))
            .header("resourceOwnerId", self.config.application_key.reveal())
            .header("requestUId", request_id())
            .header("accept-language", "EN")
            .json(&json!({
                "applicationKey": self.config.application_key.reveal(),
                "applicationSecret": self.config.application_secret.reveal(),
            }));
        let (status, answer) = ask(request, self.timeout).await?;
        let token: Token = Self::data(status, &answer)?;
        Ok((Secret::from(token.access_token.as_str()), token.expires_in))
    }

    async fn qr_code(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Presented, ProviderError> {
        let valid_s = (intent.expires_at - now).num_seconds().clamp(60, 86_400);
        let body = json!({
            "qrType": "PP",
            "ppType": "BILLERID",
            "ppId": self.config.biller_id,
            "amount": amount_text(intent.amount_satang)?,
            "ref1": intent.reference,
            "ref3": self.config.reference3_prefix,
            "expirySeconds": valid_s,
        });
        let code: QrCode = self.call(Method::POST, "/v1/payment/qrcode/create", Some(body), now).await?;
        // The citizen will pay what the code says, so it must say what we asked for.
        let said = BillPayment::decode(&code.qr_raw_data)
            .map_err(|_| ProviderError::Malformed("its QR code cannot be read"))?;
        if said.biller_id != self.config.biller_id
            || said.reference1 != intent.reference
            || said.amount_satang != Some(intent.amount_satang)
        {
            return Err(ProviderError::Malformed("its QR code is for another payment"));
        }
        Ok(Presented {
            provider_ref: code.qrcode_id.unwrap_or_else(|| intent.reference.clone()),
            qr_payload: Some(code.qr_raw_data),
            deep_link: None,
            wallet_reference: None,
            expires_at: intent.expires_at,
        })
    }

    async fn deeplink(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Presented, ProviderError> {
        let valid_s = (intent.expires_at - now).num_seconds().clamp(60, 1_800);
        let body = json!({
            "transactionType": "PURCHASE",
            "transactionSubType": ["BP"],
            "sessionValidityPeriod": valid_s,
            "billPayment": {
                "paymentAmount": amount_text(intent.amount_satang)?,
                "accountTo": self.config.biller_id,
                "ref1": intent.reference,
                "ref3": self.config.reference3_prefix,
            },
            "merchantMetaData": { "callbackUrl": self.callback_url },
        });
        let link: Deeplink = self.call(Method::POST, "/v3/deeplink/transactions", Some(body), now).await?;
        Ok(Presented {
            provider_ref: link.transaction_id,
            qr_payload: None,
            deep_link: Some(link.deeplink_url),
            wallet_reference: None,
            expires_at: intent.expires_at,
        })
    }

    /// The transfers that came by a reference, over the days on which they can have come.
    async fn transfers(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Vec<Evidence>, ProviderError> {
        let mut found: Vec<Evidence> = Vec::new();
        for day in days_to_ask(intent, now) {
            let path = format!(
                "/v1/payment/billpayment/inquiry?eventCode=00300100&transactionDate={day}&billerId={}&reference1={}",
                self.config.biller_id, intent.reference
            );
            let transfers: Vec<Transfer> = match self.call(Method::GET, &path, None, now).await {
                Err(ProviderError::Refused { code }) if code == "4101" => Vec::new(),
                answer => answer?,
            };
            for transfer in transfers {
                if transfer.reference1 != intent.reference {
                    continue;
                }
                let evidence = transfer
                    .evidence(Trust::Inquired)
                    .ok_or(ProviderError::Malformed("a transfer cannot be read"))?;
                if !found.iter().any(|known| known.provider_txn_id == evidence.provider_txn_id) {
                    found.push(evidence);
                }
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl PaymentProvider for Scb {
    fn code(&self) -> &'static str {
        "scb"
    }

    async fn create_intent(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Presented, ProviderError> {
        match intent.method {
            PaymentMethod::PromptpayQr => self.qr_code(intent, now).await,
            PaymentMethod::MobileBanking => self.deeplink(intent, now).await,
            PaymentMethod::GWallet => Err(ProviderError::Refused { code: "METHOD".into() }),
        }
    }

    async fn inquire(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Inquiry, ProviderError> {
        let transfers = self.transfers(intent, now).await?;
        if !transfers.is_empty() {
            return Ok(Inquiry::Paid(transfers));
        }
        let Some(provider_ref) = &intent.provider_ref else { return Ok(Inquiry::NotFound) };
        if intent.method == PaymentMethod::PromptpayQr {
            return Ok(Inquiry::Pending);
        }
        let path = format!("/v2/transactions/{provider_ref}");
        match self.call::<Transaction>(Method::GET, &path, None, now).await {
            Ok(transaction) => transaction.inquiry(),
            Err(ProviderError::Refused { code }) if code == "4101" => Ok(Inquiry::NotFound),
            Err(error) => Err(error),
        }
    }

    async fn cancel(&self, intent: &Intent, now: DateTime<Utc>) -> Result<CancelOutcome, ProviderError> {
        let (path, body) = match (&intent.method, &intent.provider_ref) {
            (PaymentMethod::MobileBanking, Some(id)) => (format!("/v2/transactions/{id}/cancel"), json!({})),
            (PaymentMethod::MobileBanking, None) => return Ok(CancelOutcome::Cancelled),
            _ => (
                "/v1/payment/qrcode/cancel".to_owned(),
                json!({ "ppId": self.config.biller_id, "ref1": intent.reference }),
            ),
        };
        match self.call::<Value>(Method::POST, &path, Some(body), now).await {
            Ok(_) => Ok(CancelOutcome::Cancelled),
            Err(ProviderError::Refused { code }) if code == "4103" => Ok(CancelOutcome::Paid),
            // An order the bank does not know cannot be paid.
            Err(ProviderError::Refused { code }) if code == "4101" => Ok(CancelOutcome::Cancelled),
            Err(error) => Err(error),
        }
    }

    async fn refund(&self, order: &RefundOrder, now: DateTime<Utc>) -> Result<RefundOutcome, ProviderError> {
        let body = json!({
            "refundId": order.refund_id,
            "transactionId": order.provider_txn_id,
            "amount": amount_text(order.amount_satang)?,
        });
        match self.call::<Value>(Method::POST, "/v1/payment/refund", Some(body), now).await {
            Ok(_) => Ok(RefundOutcome::Done),
            Err(ProviderError::Refused { code }) => Ok(RefundOutcome::NotSupported { code }),
            Err(error) => Err(error),
        }
    }

    async fn statement(
        &self,
        day: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<StatementLine>>, ProviderError> {
        let biller_id = &self.config.biller_id;
        let path = format!("/v1/payment/statement?billerId={biller_id}&statementDate={day}");
        let limits = (self.timeout * STATEMENT_TIMES, STATEMENT_BYTES_MAX);
        let (status, answer) = self.raw(Method::GET, &path, None, now, limits).await?;
        if status != StatusCode::OK {
            return Err(ProviderError::Refused { code: status.as_u16().to_string() });
        }
        let text = String::from_utf8(answer).map_err(|_| ProviderError::Malformed("no text"))?;
        statement::lines_of(&text, biller_id, day).map(Some)
    }

    fn tells_refunds(&self) -> bool {
        true
    }

    fn parse_notification(
        &self,
        _headers: &HeaderMap,
        body: &[u8],
        _now: DateTime<Utc>,
    ) -> Result<Evidence, NotificationError> {
        let transfer: Transfer = serde_json::from_slice(body).map_err(|_| NotificationError::Malformed)?;
        transfer.evidence(Trust::Unsigned).ok_or(NotificationError::Malformed)
    }

    fn acknowledgement(&self, evidence: &Evidence, confirmation: &str) -> Value {
        json!({
            "resCode": "00",
            "resDesc": "success",
            "transactionId": evidence.provider_txn_id,
            "confirmId": confirmation,
        })
    }
}

/// The bank wants a fresh number on each request, for its own logs.
fn request_id() -> String {
    Uuid::from_u128(rand::random()).hyphenated().to_string()
}
