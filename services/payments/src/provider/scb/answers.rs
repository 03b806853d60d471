//! What the bank answers and sends, as far as it is read. Payers' names and accounts are left unread.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::{Inquiry, ProviderError};
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
    pub fn inquiry(&self) -> Result<Inquiry, ProviderError> {
        match self.status_code {
            0 => Ok(Inquiry::Pending),
            2 | 3 => Ok(Inquiry::Cancelled),
            5 => Ok(Inquiry::Expired),
            // Paid, in full (1) or in part (4): only the list counts, so this is no answer yet. The
            // payment must not expire on it.
            _ => Err(ProviderError::Malformed("it says paid, and lists no transfer")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_says_paid_without_a_transfer_is_no_answer() {
        let inquiry = |status_code| Transaction { status_code }.inquiry();
        assert!(matches!(inquiry(0), Ok(Inquiry::Pending)));
        assert!(matches!(inquiry(5), Ok(Inquiry::Expired)));
        // Otherwise a payment would expire while its money is on the way.
        assert!(inquiry(1).is_err() && inquiry(4).is_err());
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
