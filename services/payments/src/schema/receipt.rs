//! Receipts, as the schema shows them.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use graphql::{Money, ReceiptId};

use crate::store::receipt;

/// A receipt (ใบเสร็จรับเงิน). Numbers run per agency and year, without gaps.
#[derive(SimpleObject)]
pub struct Receipt {
    /// The receipt's id.
    id: ReceiptId,
    /// The number as printed: the agency's code, the Buddhist year, the number in its series.
    number: String,
    /// What was paid.
    amount: Money,
    /// When it was issued.
    issued_at: DateTime<Utc>,
}

impl From<receipt::Receipt> for Receipt {
    fn from(row: receipt::Receipt) -> Self {
        Self {
            id: row.id.into(),
            number: row.number_text(),
            amount: Money::from_satang(row.amount_satang),
            issued_at: row.issued_at,
        }
    }
}
