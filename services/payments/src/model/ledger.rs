//! The books: one row is one transfer, so that they sum to zero by construction.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// An account of the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// What a provider holds for us: what came in less what went back (asset).
    Clearing { provider: String },
    /// What is owed to an agency for its settled bills (liability).
    Payable { agency_code: String },
    /// What is owed back to payers (liability).
    Refundable,
    /// What an agency paid back by a transfer of its own, and is owed for it (liability).
    ByHand { agency_code: String },
}

impl Account {
    /// The code in the database.
    pub fn code(&self) -> String {
        match self {
            Self::Clearing { provider } => format!("clearing/{provider}"),
            Self::Payable { agency_code } => format!("payable/{agency_code}"),
            Self::Refundable => "refundable".to_owned(),
            Self::ByHand { agency_code } => format!("by_hand/{agency_code}"),
        }
    }

    /// `asset` or `liability`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Clearing { .. } => "asset",
            Self::Payable { .. } | Self::Refundable | Self::ByHand { .. } => "liability",
        }
    }
}

/// Why money moved between two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// Money that settles a bill came in.
    Settlement,
    /// Money that goes back came in.
    Unapplied,
    /// A settled bill's money is owed back.
    RefundOwed,
    /// Money went back.
    RefundPaid,
    /// What was held for owed back turned out not to be.
    RefundNotOwed,
}

super::codes!(TransferKind {
    Settlement = "SETTLEMENT",
    Unapplied = "UNAPPLIED",
    RefundOwed = "REFUND_OWED",
    RefundPaid = "REFUND_PAID",
    RefundNotOwed = "REFUND_NOT_OWED",
});

/// One row of the ledger; never changed once written.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub id: Uuid,
    pub debit: Account,
    pub credit: Account,
    pub amount_satang: i64,
    pub kind: TransferKind,
    /// Names what happened, once: a second row for the same thing is refused.
    pub external_reference: String,
    pub bill_id: Uuid,
    pub occurred_at: DateTime<Utc>,
    pub posted_at: DateTime<Utc>,
}
