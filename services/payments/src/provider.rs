//! The outside systems that money comes through, behind one trait.

mod gwallet;
mod http_api;
mod scb;
mod standard_webhook;

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, NaiveDate, Utc};

pub use gwallet::GWallet;
pub use scb::Scb;

use crate::model::{Evidence, PaymentMethod};

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
    /// The provider works on it: ask again.
    Pending,
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

/// The providers in use, and which one serves which method.
#[derive(Clone)]
pub struct Providers {
    all: Vec<Arc<dyn PaymentProvider>>,
    scb: Arc<dyn PaymentProvider>,
    gwallet: Arc<dyn PaymentProvider>,
}

impl Providers {
    pub fn new(scb: Arc<dyn PaymentProvider>, gwallet: Arc<dyn PaymentProvider>) -> Self {
        Self { all: vec![scb.clone(), gwallet.clone()], scb, gwallet }
    }

    /// The provider that serves a method.
    pub fn of_method(&self, method: PaymentMethod) -> &Arc<dyn PaymentProvider> {
        match method {
            PaymentMethod::PromptpayQr | PaymentMethod::MobileBanking => &self.scb,
            PaymentMethod::GWallet => &self.gwallet,
        }
    }

    /// The provider with this code.
    pub fn with_code(&self, code: &str) -> Option<&Arc<dyn PaymentProvider>> {
        self.all.iter().find(|provider| provider.code() == code)
    }
}

/// The days in Thailand on which an order can have been paid, most likely first; banks are asked per day.
fn days_to_ask(intent: &Intent, now: DateTime<Utc>) -> Vec<NaiveDate> {
    let day = |at: DateTime<Utc>| at.with_timezone(&clock::thailand()).date_naive();
    let mut days = Vec::new();
    for candidate in [day(now), day(intent.created_at), day(now - chrono::Duration::days(1))] {
        if !days.contains(&candidate) && candidate >= day(intent.created_at) {
            days.push(candidate);
        }
    }
    days
}
