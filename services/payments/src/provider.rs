//! The outside systems that money comes through, behind one trait.

mod gwallet;
mod http_api;
mod kbank;
mod scb;
mod standard_webhook;

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, NaiveDate, Utc};

pub use gwallet::GWallet;
pub use kbank::Kbank;
pub use scb::Scb;

use crate::config::QrBank;
use crate::model::{Evidence, PaymentMethod, StatementLine};
use crate::qr::baht_text;
use crate::store::payment::Payment;

/// What a provider is asked to have paid. Its reference is unique, so asking twice makes one order.
#[derive(Clone, Debug)]
pub struct Intent {
    pub method: PaymentMethod,
    pub reference: String,
    pub amount_satang: i64,
    /// What is paid for, in Thai; nothing personal.
    pub description: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// The provider's own number of the order, once it gave one.
    pub provider_ref: Option<String>,
}

/// What a citizen is shown to pay with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    pub provider_ref: String,
    pub qr_payload: Option<String>,
    pub deep_link: Option<String>,
    pub wallet_reference: Option<String>,
    pub expires_at: DateTime<Utc>,
}

/// What a provider says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// Money came: each transfer once. One order may bring several.
    Paid(Vec<Evidence>),
    /// Money came, and the provider gave all of it back: it settles nothing.
    GivenBack(Evidence),
    /// It can still be paid.
    Pending,
    Expired,
    Cancelled,
    NotFound,
}

/// What became of withdrawing an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It can no longer be paid.
    Cancelled,
    /// Money has come already.
    Paid,
}

/// What became of giving money back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The payer has it.
    Done,
    /// The provider cannot, or says no: an officer has to.
    NotSupported { code: String },
}

/// Money to give back.
#[derive(Clone, Debug)]
pub struct RefundOrder {
    /// Ours: the same one makes one refund, however often it is sent.
    pub refund_id: String,
    /// The provider's number of the transfer that came.
    pub provider_txn_id: String,
    /// Our reference of the payment it came by.
    pub reference: String,
    /// What came by that transfer: some providers only give back all of it.
    pub received_satang: i64,
    pub amount_satang: i64,
}

/// Why a provider gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It may have happened, or not: ask.
    #[error("the provider did not answer in time")]
    Timeout,
    /// Likewise: the connection may have broken after the request was read.
    #[error("the provider cannot be reached")]
    Unreachable,
    #[error("the provider's answer cannot be read: {0}")]
    Malformed(&'static str),
    /// It said no: it did not happen.
    #[error("the provider refused: {code}")]
    Refused { code: String },
}

/// Why a notification is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    #[error("the notification cannot be read")]
    Malformed,
    #[error("the notification's signature is missing, wrong or old")]
    BadSignature,
}

/// One outside system that money comes through.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Its name in the database, the books and the callback address.
    fn code(&self) -> &'static str;

    /// Makes the order that a citizen pays. Asked twice for one reference, there is one order.
    async fn create_intent(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Presented, ProviderError>;

    /// Asks what became of an order.
    async fn inquire(&self, intent: &Intent, now: DateTime<Utc>) -> Result<Inquiry, ProviderError>;

    /// Withdraws an order.
    async fn cancel(&self, intent: &Intent, now: DateTime<Utc>) -> Result<CancelOutcome, ProviderError>;

    /// Gives money back.
    async fn refund(&self, order: &RefundOrder, now: DateTime<Utc>) -> Result<RefundOutcome, ProviderError>;

    /// What came and went on one day in Thailand, by the provider's own account; none when it gives no
    /// such account, and has to be asked about each payment.
    async fn statement(
        &self,
        _day: NaiveDate,
        _now: DateTime<Utc>,
    ) -> Result<Option<Vec<StatementLine>>, ProviderError> {
        Ok(None)
    }

    /// Whether its account of a day tells of refunds.
    fn tells_refunds(&self) -> bool {
        false
    }

    /// Reads a notification: raw bytes, before anything else has touched them.
    fn parse_notification(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Evidence, NotificationError>;

    /// What the provider wants to hear when its notification was taken.
    fn acknowledgement(&self, evidence: &Evidence, confirmation: &str) -> serde_json::Value;
}

/// The codes of all providers there are.
pub const CODES: [&str; 3] = ["scb", "kbank", "gwallet"];

/// The providers in use, and which one serves which method.
#[derive(Clone)]
pub struct Providers {
    all: Vec<Arc<dyn PaymentProvider>>,
    scb: Arc<dyn PaymentProvider>,
    kbank: Arc<dyn PaymentProvider>,
    gwallet: Arc<dyn PaymentProvider>,
    qr_bank: QrBank,
}

impl Providers {
    pub fn new(
        scb: Arc<dyn PaymentProvider>,
        kbank: Arc<dyn PaymentProvider>,
        gwallet: Arc<dyn PaymentProvider>,
        qr_bank: QrBank,
    ) -> Self {
        Self { all: vec![scb.clone(), kbank.clone(), gwallet.clone()], scb, kbank, gwallet, qr_bank }
    }

    /// The provider that serves new payments by a method.
    pub fn of_method(&self, method: PaymentMethod) -> &Arc<dyn PaymentProvider> {
        match (method, self.qr_bank) {
            (PaymentMethod::PromptpayQr, QrBank::Kbank) => &self.kbank,
            (PaymentMethod::PromptpayQr, QrBank::Scb) | (PaymentMethod::MobileBanking, _) => &self.scb,
            (PaymentMethod::GWallet, _) => &self.gwallet,
        }
    }

    /// The provider that a payment was begun with, whoever serves its method today.
    pub fn of_payment(&self, payment: &Payment) -> &Arc<dyn PaymentProvider> {
        self.with_code(&payment.provider).unwrap_or_else(|| self.of_method(payment.method))
    }

    /// The provider with this code.
    pub fn with_code(&self, code: &str) -> Option<&Arc<dyn PaymentProvider>> {
        self.all.iter().find(|provider| provider.code() == code)
    }

    /// Every provider.
    pub fn all(&self) -> &[Arc<dyn PaymentProvider>] {
        &self.all
    }
}

/// An amount as providers want it; refused before anyone is asked when it is none.
fn amount_text(satang: i64) -> Result<String, ProviderError> {
    baht_text(satang).ok_or_else(|| ProviderError::Refused { code: "AMOUNT".into() })
}

/// How long after an order's end the bank may still have taken the money, in seconds.
const PAID_AFTER_END_S: i64 = 3_600;

/// The days in Thailand on which an order can have been paid, most likely first; banks are asked per day.
fn days_to_ask(intent: &Intent, now: DateTime<Utc>) -> Vec<NaiveDate> {
    let day = |at: DateTime<Utc>| at.with_timezone(&clock::thailand()).date_naive();
    let mut days = Vec::new();
    // Whoever asks late, because the clock or the bank was away, asks for the night it ran over too.
    let last = day(intent.expires_at + chrono::Duration::seconds(PAID_AFTER_END_S));
    let yesterday = day(now - chrono::Duration::days(1));
    for candidate in [day(now), day(intent.created_at), last.min(day(now)), yesterday] {
        if !days.contains(&candidate) && candidate >= day(intent.created_at) {
            days.push(candidate);
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::model::PaymentStatus;

    fn payment(provider: &str, created_at: &str, expires_at: &str) -> Payment {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        Payment {
            id: uuid::Uuid::nil(),
            bill_id: uuid::Uuid::nil(),
            method: PaymentMethod::PromptpayQr,
            provider: provider.to_owned(),
            reference: "R".to_owned(),
            amount_satang: 100,
            status: PaymentStatus::Pending,
            provider_ref: None,
            qr_payload: None,
            deep_link: None,
            wallet_reference: None,
            created_at: at(created_at),
            expires_at: at(expires_at),
            presented_at: None,
            inquiry_due_at: None,
        }
    }

    #[test]
    fn a_payment_stays_with_the_bank_it_was_begun_with() {
        let (config, timeout) = (Config::default(), std::time::Duration::from_secs(1));
        let providers = |qr_bank| {
            Providers::new(
                Arc::new(Scb::new(config.scb.clone(), "", timeout)),
                Arc::new(Kbank::new(config.kbank.clone(), timeout)),
                Arc::new(GWallet::new(config.gwallet.clone(), "", timeout)),
                qr_bank,
            )
        };
        let made = |provider| payment(provider, "2026-11-23T03:00:00Z", "2026-11-23T03:15:00Z");
        for (today, code) in [(QrBank::Scb, "scb"), (QrBank::Kbank, "kbank")] {
            let providers = providers(today);
            assert_eq!(providers.of_method(PaymentMethod::PromptpayQr).code(), code);
            for begun_with in ["scb", "kbank"] {
                assert_eq!(providers.of_payment(&made(begun_with)).code(), begun_with);
            }
        }
    }

    #[test]
    fn a_payment_over_midnight_is_asked_for_on_both_days_however_late() {
        // Ten to midnight in Thailand, for a quarter of an hour.
        let made = payment("scb", "2026-11-23T16:50:00Z", "2026-11-23T17:05:00Z");
        let intent = Intent {
            method: made.method,
            reference: made.reference,
            amount_satang: 100,
            description: String::new(),
            created_at: made.created_at,
            expires_at: made.expires_at,
            provider_ref: None,
        };
        let days = |now: &str| {
            let mut days = days_to_ask(&intent, now.parse().unwrap());
            days.sort_unstable();
            days.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(days("2026-11-23T16:55:00Z"), ["2026-11-23"]);
        assert_eq!(days("2026-11-23T17:01:00Z"), ["2026-11-23", "2026-11-24"]);
        let late = days("2026-11-27T03:00:00Z");
        assert_eq!(late, ["2026-11-23", "2026-11-24", "2026-11-26", "2026-11-27"]);
    }
}
