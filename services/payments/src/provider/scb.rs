//! A bank with SCB's API: Thai QR and the bank's app. Facts: developer.scb.co.th; cancel and refund are assumed.
//!
//! Its confirmations are not signed, so money is only believed when the bank is asked.

mod answers;

use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chassis::Secret;
use chrono::{DateTime, Utc};
use reqwest::{Client, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::http_api::{ask, is_indefinite, read};
use super::{
    CancelOutcome, Inquiry, Intent, NotificationError, PaymentProvider, Presented, ProviderError,
    RefundOrder, RefundOutcome, days_to_ask,
};
use crate::config::ScbConfig;
use crate::model::{Evidence, PaymentMethod, Trust};
use crate::qr::{BillPayment, baht_text};
use answers::{Deeplink, Envelope, QrCode, Token, Transaction, Transfer};

/// A token is renewed this long before it ends, in seconds.
const TOKEN_MARGIN_S: i64 = 60;

/// The bank.
pub struct Scb {
    config: ScbConfig,
    callback_url: String,
    client: Client,
    timeout: Duration,
    token: Mutex<Option<CachedToken>>,
}

struct CachedToken {
    secret: Secret,
    renew_at: DateTime<Utc>,
}

impl Scb {
    pub fn new(config: ScbConfig, public_url: &str, timeout: Duration) -> Self {
        let callback_url = format!("{}/callbacks/payments/scb", public_url.trim_end_matches('/'));
        let client = chassis::http_client(timeout);
        Self { config, callback_url, client, timeout, token: Mutex::new(None) }
    }

    /// Asks the bank with a token; one that it no longer takes is renewed once.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        now: DateTime<Utc>,
    ) -> Result<T, ProviderError> {
        for renewed in [false, true] {
            let token = self.token(now, renewed).await?;
            let mut request = self
                .client
                .request(method.clone(), format!("{}{path}", self.config.base_url))
                .bearer_auth(token.reveal())
                .header("resourceOwnerId", self.config.application_key.reveal())
                .header("requestUId", request_id())
                .header("accept-language", "EN")
                .header("channel", "scbeasy");
            if let Some(body) = &body {
                request = request.json(body);
            }
            let (status, answer) = ask(request, self.timeout).await?;
            if status == StatusCode::UNAUTHORIZED && !renewed {
                continue;
            }
            return Self::data(status, &answer);
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

    async fn token(&self, now: DateTime<Utc>, renew: bool) -> Result<Secret, ProviderError> {
        let mut cached = self.token.lock().await;
        if let Some(token) = cached.as_ref().filter(|token| !renew && now < token.renew_at) {
            return Ok(token.secret.clone());
        }
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
        let renew_at = now + chrono::Duration::seconds((token.expires_in - TOKEN_MARGIN_S).max(1));
        let secret = Secret::from(token.access_token.as_str());
        *cached = Some(CachedToken { secret: secret.clone(), renew_at });
        Ok(secret)
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

fn amount_text(satang: i64) -> Result<String, ProviderError> {
    baht_text(satang).ok_or_else(|| ProviderError::Refused { code: "AMOUNT".into() })
}

/// The bank wants a fresh number on each request, for its own logs.
fn request_id() -> String {
    Uuid::from_u128(rand::random()).hyphenated().to_string()
}
