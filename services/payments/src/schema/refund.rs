//! Refunds, as the schema shows them.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use graphql::{Money, RefundId};

use crate::model::{RefundReason, RefundStatus};
use crate::store::refund;

/// Money that goes back to the payer (การคืนเงิน).
#[derive(SimpleObject)]
pub struct Refund {
    /// The refund's id.
    id: RefundId,
    /// Why it goes back.
    reason: RefundReason,
    /// Where it stands.
    status: RefundStatus,
    /// What goes back.
    amount: Money,
    /// When it was found to be owed.
    created_at: DateTime<Utc>,
    /// When it was paid back, or handed to an officer.
    ended_at: Option<DateTime<Utc>>,
}

impl From<refund::Refund> for Refund {
    fn from(row: refund::Refund) -> Self {
        Self {
            id: row.id.into(),
            reason: row.reason,
            status: row.status,
            amount: Money::from_satang(row.amount_satang),
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}
