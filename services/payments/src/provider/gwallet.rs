//! The G-Wallet of the Paotang app (เป๋าตัง). ASSUMED: its contract is not public; what is known is that
//! the back end makes an order, the app opens it by its number, and a notification or inquiry decides.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::http_api::{ask, is_indefinite, read};
use super::{
    CancelOutcome, Inquiry, Intent, NotificationError, PaymentProvider, Presented, ProviderError,
    RefundOrder, RefundOutcome, amount_text, standard_webhook,
};
use crate::config::GWalletConfig;
use crate::model::{Evidence, PaymentMethod, Trust};
use crate::qr::satang_of;

/// The longest description the wallet shows, in characters.
const DESCRIPTION_CHARS_MAX: usize = 200;

/// The wallet.
pub struct GWallet {
    config: GWalletConfig,
    callback_url: String,
    client: Client,
    timeout: Duration,
}

#[derive(Deserialize)]
struct Order {
    txn_ref_id: String,
    reference: String,
    status: String,
    deep_link: String,
    expires_at: DateTime<Utc>,
    paid_amount: Option<String>,
    paid_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "type")]
    kind: String,
    data: PaidOrder,
}

#[derive(Deserialize)]
struct PaidOrder {
    txn_ref_id: String,
    reference: String,
    amount: String,
    /// Its contract does not say; anything but baht would be another amount.
    currency: Option<String>,
    paid_at: DateTime<Utc>,
}

impl GWallet {
    pub fn new(config: GWalletConfig, public_url: &str, timeout: Duration) -> Self {
        let callback_url = format!("{}/callbacks/payments/gwallet", public_url.trim_end_matches('/'));
        Self { config, callback_url, client: chassis::http_client(timeout), timeout }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, ProviderError> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.config.base_url))
            .bearer_auth(self.config.api_key.reveal());
        if let Some(body) = &body {
            request = request.json(body);
        }
        let (status, answer) = ask(request, self.timeout).await?;
        if is_indefinite(status) {
            return Err(ProviderError::Unreachable);
        }
        if status == StatusCode::OK {
            return read(&answer);
        }
        Err(ProviderError::Refused { code: read::<Refusal>(&answer)?.error })
    }
}

#[async_trait]
impl PaymentProvider for GWallet {
    fn code(&self) -> &'static str {
        "gwallet"
    }

    async fn create_intent(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Presented, ProviderError> {
        if intent.method != PaymentMethod::GWallet {
            return Err(ProviderError::Refused { code: "METHOD".into() });
        }
        let body = json!({
            "reference": intent.reference,
            "amount": amount_text(intent.amount_satang)?,
            "description": intent.description.chars().take(DESCRIPTION_CHARS_MAX).collect::<String>(),
            "callback_url": self.callback_url,
            "expires_in_s": (intent.expires_at - now).num_seconds().clamp(60, 86_400),
        });
        let order: Order = self.call(Method::POST, "/v1/orders", Some(body)).await?;
        if order.reference != intent.reference {
            return Err(ProviderError::Malformed("its order is for another payment"));
        }
        Ok(Presented {
            provider_ref: order.txn_ref_id.clone(),
            qr_payload: None,
            deep_link: Some(order.deep_link),
            wallet_reference: Some(order.txn_ref_id),
            expires_at: order.expires_at.min(intent.expires_at),
        })
    }

    async fn inquire(&self, intent: &Intent, _now: DateTime<Utc>) -> Result<Inquiry, ProviderError> {
        let Some(txn_ref_id) = &intent.provider_ref else { return Ok(Inquiry::NotFound) };
        let order: Order = match self.call(Method::GET, &format!("/v1/orders/{txn_ref_id}"), None).await {
            Err(ProviderError::Refused { code }) if code == "not_found" => return Ok(Inquiry::NotFound),
            answer => answer?,
        };
        if order.reference != intent.reference {
            return Err(ProviderError::Malformed("its order is for another payment"));
        }
        match order.status.as_str() {
            "PAID" => {
                let amount_satang = order.paid_amount.as_deref().and_then(satang_of).filter(|paid| *paid > 0);
                let (Some(amount_satang), Some(occurred_at)) = (amount_satang, order.paid_at) else {
                    return Err(ProviderError::Malformed("a paid order without amount or time"));
                };
                Ok(Inquiry::Paid(vec![Evidence {
                    trust: Trust::Inquired,
                    provider_txn_id: order.txn_ref_id,
                    reference: order.reference,
                    amount_satang,
                    occurred_at,
                }]))
            }
            "WAITING" => Ok(Inquiry::Pending),
            "EXPIRED" => Ok(Inquiry::Expired),
            "CANCELLED" | "DECLINED" => Ok(Inquiry::Cancelled),
            _ => Err(ProviderError::Malformed("an unknown status of an order")),
        }
    }

    async fn cancel(&self, intent: &Intent, _now: DateTime<Utc>) -> Result<CancelOutcome, ProviderError> {
        let Some(txn_ref_id) = &intent.provider_ref else { return Ok(CancelOutcome::Cancelled) };
        let path = format!("/v1/orders/{txn_ref_id}/cancel");
        match self.call::<Value>(Method::POST, &path, Some(json!({}))).await {
            Ok(_) => Ok(CancelOutcome::Cancelled),
            Err(ProviderError::Refused { code }) if code == "state" => Ok(CancelOutcome::Paid),
            Err(ProviderError::Refused { code }) if code == "not_found" => Ok(CancelOutcome::Cancelled),
            Err(error) => Err(error),
        }
    }

    async fn refund(&self, order: &RefundOrder, _now: DateTime<Utc>) -> Result<RefundOutcome, ProviderError> {
        let path = format!("/v1/orders/{}/refunds", order.provider_txn_id);
        let body = json!({ "refund_id": order.refund_id, "amount": amount_text(order.amount_satang)? });
        match self.call::<Value>(Method::POST, &path, Some(body)).await {
            Ok(_) => Ok(RefundOutcome::Done),
            Err(ProviderError::Refused { code }) => Ok(RefundOutcome::NotSupported { code }),
            Err(error) => Err(error),
        }
    }

    fn parse_notification(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Evidence, NotificationError> {
        standard_webhook::verify(&self.config.webhook_secret, headers, body, now)?;
        let notification: Notification =
            serde_json::from_slice(body).map_err(|_| NotificationError::Malformed)?;
        let amount_satang = satang_of(&notification.data.amount).filter(|satang| *satang > 0);
        match amount_satang {
            Some(amount_satang)
                if notification.kind == "order.paid"
                    && notification.data.currency.as_deref().is_none_or(|code| code == "THB") =>
            {
                Ok(Evidence {
                    trust: Trust::Signed,
                    provider_txn_id: notification.data.txn_ref_id,
                    reference: notification.data.reference,
                    amount_satang,
                    occurred_at: notification.data.paid_at,
                })
            }
            _ => Err(NotificationError::Malformed),
        }
    }

    fn acknowledgement(&self, _evidence: &Evidence, _confirmation: &str) -> Value {
        json!({})
    }
}
