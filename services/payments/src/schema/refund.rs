//! Refunds, as the schema shows them.

use async_graphql::{Context, InputObject, Object};
use chrono::{DateTime, Utc};
use graphql::{Failure, LocalizedText, Money, RefundId};

use super::bill::Bill;
use super::proposal::{Proposal, proposals_about};
use super::{bill_with_id, reader};
use crate::model::{RefundReason, RefundStatus};
use crate::store::refund;

/// Money that goes back to the payer (การคืนเงิน).
pub struct Refund {
    pub(super) row: refund::Refund,
}

impl From<refund::Refund> for Refund {
    fn from(row: refund::Refund) -> Self {
        Self { row }
    }
}

/// Money that goes back to the payer (การคืนเงิน).
#[Object]
impl Refund {
    /// The refund's id.
    async fn id(&self) -> RefundId {
        self.row.id.into()
    }

    /// The bill whose money it is.
    async fn bill(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Failure> {
        bill_with_id(ctx, self.row.bill_id, reader(auth::principal(ctx))?).await
    }

    /// Why it goes back.
    async fn reason(&self) -> RefundReason {
        self.row.reason
    }

    /// Where it stands.
    async fn status(&self) -> RefundStatus {
        self.row.status
    }

    /// Why it goes back and where it stands, for the payer to read.
    async fn explanation(&self) -> LocalizedText {
        let (why_th, why_en) = why(self.row.reason);
        let (stands_th, stands_en) = stands(self.row.status);
        LocalizedText::new(format!("{why_th} {stands_th}"), format!("{why_en} {stands_en}"))
    }

    /// What goes back.
    async fn amount(&self) -> Money {
        Money::from_satang(self.row.amount_satang)
    }

    /// When it was found to be owed.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was paid back, or handed to an officer.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.row.ended_at
    }

    /// What officers proposed and decided about it by hand, oldest first; for them alone.
    #[graphql(requires_scopes = "books:read")]
    async fn proposals(&self, ctx: &Context<'_>) -> Result<Vec<Proposal>, Failure> {
        proposals_about(ctx, self.row.id).await
    }
}

/// Which refunds to list.
#[derive(InputObject, Default)]
pub struct RefundFilter {
    /// Only those that stand here: `MANUAL` waits for an officer.
    pub(super) status: Option<RefundStatus>,
}

const fn why(reason: RefundReason) -> (&'static str, &'static str) {
    match reason {
        RefundReason::Duplicate => {
            ("ใบแจ้งนี้ชำระแล้ว จึงคืนเงินที่ชำระซ้ำ", "The bill was paid already, so the second payment goes back.")
        }
        RefundReason::Late => (
            "เงินเข้ามาหลังจากใบแจ้งนี้สิ้นสุดแล้ว จึงคืนเงิน",
            "The money came after the bill had ended, so it goes back.",
        ),
        RefundReason::Under => (
            "จำนวนเงินที่ชำระน้อยกว่าใบแจ้ง จึงคืนเงินทั้งหมด และใบแจ้งยังรอชำระ",
            "Less was paid than the bill says, so all of it goes back, and the bill is still to be paid.",
        ),
        RefundReason::Over => (
            "จำนวนเงินที่ชำระมากกว่าใบแจ้ง จึงคืนส่วนที่เกิน",
            "More was paid than the bill says, so the rest goes back.",
        ),
        RefundReason::ApplicationClosed => (
            "คำขอสิ้นสุดโดยไม่ได้รับบริการ จึงคืนค่าธรรมเนียม",
            "The application ended without the service, so its fee goes back.",
        ),
    }
}

const fn stands(status: RefundStatus) -> (&'static str, &'static str) {
    match status {
        RefundStatus::Created | RefundStatus::Submitted => {
            ("กำลังคืนเงินทางช่องทางเดิม ท่านไม่ต้องดำเนินการใด", "It is on its way back; you need to do nothing.")
        }
        RefundStatus::Refunded => ("คืนเงินแล้ว", "It has been paid back."),
        RefundStatus::Manual => {
            ("เจ้าหน้าที่ของหน่วยงานกำลังดำเนินการคืนเงิน", "An officer of the agency is seeing to it.")
        }
        RefundStatus::Failed => ("ตรวจสอบแล้วไม่ต้องคืนเงิน", "It was found not to be owed."),
    }
}
