//! Where our books and a provider's differ, as the schema shows it.

use async_graphql::{Context, InputObject, Object};
use chrono::{DateTime, Utc};
use graphql::{Date, Failure, FindingId, Money};

use super::bill::Bill;
use super::proposal::{Proposal, proposals_about};
use super::{bill_with_id, reader};
use crate::model::{FindingKind, FindingResolution, FindingStatus};
use crate::store::finding;

/// A difference between our books and a provider's (รายการกระทบยอดไม่ตรง).
pub struct Finding {
    pub(super) row: finding::Finding,
}

impl From<finding::Finding> for Finding {
    fn from(row: finding::Finding) -> Self {
        Self { row }
    }
}

/// A difference between our books and a provider's (รายการกระทบยอดไม่ตรง).
#[Object]
impl Finding {
    /// The finding's id.
    async fn id(&self) -> FindingId {
        self.row.id.into()
    }

    /// What differs.
    async fn kind(&self) -> FindingKind {
        self.row.kind
    }

    /// Where it stands.
    async fn status(&self) -> FindingStatus {
        self.row.status
    }

    /// The day in Thailand that was looked at.
    async fn day(&self) -> Date {
        self.row.day.into()
    }

    /// The provider, by its code.
    async fn provider(&self) -> &str {
        &self.row.provider
    }

    /// What it is about: a transfer or a day by the provider's number, or a refund or a payment by ours.
    async fn subject(&self) -> &str {
        &self.row.subject
    }

    /// The amount by our books; null when they do not have it.
    async fn ours(&self) -> Option<Money> {
        self.row.ours_satang.map(Money::from_satang)
    }

    /// The amount by the provider's; null when it does not have it.
    async fn theirs(&self) -> Option<Money> {
        self.row.theirs_satang.map(Money::from_satang)
    }

    /// The bill it concerns; null when nobody knows whose money it is.
    async fn bill(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Failure> {
        match self.row.bill_id {
            Some(id) => bill_with_id(ctx, id, reader(auth::principal(ctx))?).await,
            None => Ok(None),
        }
    }

    /// How it ended.
    async fn resolution(&self) -> Option<FindingResolution> {
        self.row.resolution
    }

    /// When it was found.
    async fn found_at(&self) -> DateTime<Utc> {
        self.row.found_at
    }

    /// When it ended.
    async fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.row.settled_at
    }

    /// What officers proposed and decided about it, oldest first.
    async fn proposals(&self, ctx: &Context<'_>) -> Result<Vec<Proposal>, Failure> {
        proposals_about(ctx, self.row.id).await
    }
}

/// Which findings to list.
#[derive(InputObject, Default)]
pub struct FindingFilter {
    /// Only those that stand here.
    pub(super) status: Option<FindingStatus>,
    /// Only those of this kind.
    pub(super) kind: Option<FindingKind>,
}
