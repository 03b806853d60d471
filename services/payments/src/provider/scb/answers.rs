//! What the bank answers and sends, as far as it is read. Payers' names and accounts are left unread.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::Inquiry;
use crate::model::{Evidence, Trust};
use crate::qr::satang_of;

/// The longest number of a transfer that is taken, in characters.
const TRANSACTION_ID_CHARS_MAX: usize = 64;

#[derive(Deserialize)]
pub struct Envelope<T> {
    pub status: Status,
    pub data: Option<T>,
}

#[derive(Deserialize)]
pub struct Status {
    pub code: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    pub access_token: String,
    pub expires_in: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QrCode {
    pub qr_raw_data: String,
    pub qrcode_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deeplink {
    pub transaction_id: String,
    pub deeplink_url: String,
}

/// One order of the bank's app.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    status_code: i64,
}

impl Transaction {
    /// What it says about money that the list of transfers does not show.
    pub fn inquiry(&self) -> Inquiry {
        match self.status_code {
            2 | 3 => Inquiry::Cancelled,
            5 => Inquiry::Expired,
            // Paid, but not in the list of transfers yet: only the list counts, and it is asked again.
            _ => Inquiry::Pending,
        }
    }
}

/// One transfer, as confirmed and as listed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    transaction_id: String,
    #[serde(rename = "transactionDateandTime")]
    at: DateTime<Utc>,
    amount: String,
    currency_code: String,
    #[serde(rename = "billPaymentRef1")]
    pub reference1: String,
}

impl Transfer {
    /// The evidence it is; none when it is no positive amount of baht.
    pub fn evidence(&self, trust: Trust) -> Option<Evidence> {
        let amount_satang = satang_of(&self.amount).filter(|satang| *satang > 0)?;
        let id_fits = (1..=TRANSACTION_ID_CHARS_MAX).contains(&self.transaction_id.chars().count());
        (self.currency_code == "764" && id_fits).then(|| Evidence {
            trust,
            provider_txn_id: self.transaction_id.clone(),
            reference: self.reference1.clone(),
            amount_satang,
            occurred_at: self.at,
        })
    }
}
