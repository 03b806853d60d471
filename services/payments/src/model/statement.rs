//! One line of a provider's own account of a day.

use chrono::{DateTime, Utc};

/// Which way the money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// It came in.
    Payment,
    /// It went back.
    Refund,
}

super::codes!(LineKind { Payment = "PAYMENT", Refund = "REFUND" });

/// One line of a provider's account of a day. It names no payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    pub kind: LineKind,
    /// The provider's number of the transfer; of a refund: our id, as it was sent.
    pub line_id: String,
    /// The transfer that came in: of a refund, the one that goes back.
    pub provider_txn_id: String,
    /// Our reference of a payment; empty for a refund.
    pub reference: String,
    pub amount_satang: i64,
    pub occurred_at: DateTime<Utc>,
}
