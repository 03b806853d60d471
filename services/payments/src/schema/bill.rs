//! What is owed, as the schema shows it.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use graphql::{ApplicationId, BillId, Failure, LocalizedText, Money, list_size};

use super::payment::Payment;
use super::reader;
use super::receipt::Receipt;
use super::refund::Refund;
use crate::loader::{BillOf, ItemsOf, Loads, PaymentsOf, ReceiptOf, RefundsOf};
use crate::model::BillStatus;
use crate::store::bill;

/// A bill (ใบแจ้งชำระเงิน): the fee of one application, to be paid once.
pub struct Bill {
    pub(super) row: bill::Bill,
}

impl From<bill::Bill> for Bill {
    fn from(row: bill::Bill) -> Self {
        Self { row }
    }
}

/// A bill (ใบแจ้งชำระเงิน): the fee of one application, to be paid once.
#[Object]
impl Bill {
    /// The bill's id.
    async fn id(&self) -> BillId {
        self.row.id.into()
    }

    /// The application whose fee it is; null when its service does not answer.
    async fn application(&self) -> Option<Application> {
        Some(Application { id: self.row.application_id.into() })
    }

    /// What is paid for.
    async fn title(&self) -> LocalizedText {
        LocalizedText { th: self.row.title_th.clone(), en: self.row.title_en.clone() }
    }

    /// What is owed.
    async fn amount(&self) -> Money {
        Money::from_satang(self.row.amount_satang)
    }

    /// The agency that is paid; null when the catalogue does not answer.
    async fn payee(&self) -> Option<Agency> {
        Some(Agency { code: self.row.agency_code.clone() })
    }

    /// What the amount is made of.
    #[graphql(directive = list_size::apply(3))]
    async fn items(&self, ctx: &Context<'_>) -> Result<Vec<BillItem>, Failure> {
        let found = ctx.data_unchecked::<Loads>().load_one(ItemsOf(self.row.id)).await?;
        Ok(found.unwrap_or_default().into_iter().map(BillItem::from).collect())
    }

    /// Where it stands.
    async fn status(&self) -> BillStatus {
        self.row.status
    }

    /// The tries at paying it, oldest first.
    #[graphql(directive = list_size::apply(3))]
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Payment>, Failure> {
        let found = ctx.data_unchecked::<Loads>().load_one(PaymentsOf(self.row.id)).await?;
        Ok(found.unwrap_or_default().into_iter().map(Payment::from).collect())
    }

    /// The receipt (ใบเสร็จรับเงิน), once it is settled.
    async fn receipt(&self, ctx: &Context<'_>) -> Result<Option<Receipt>, Failure> {
        let found = ctx.data_unchecked::<Loads>().load_one(ReceiptOf(self.row.id)).await?;
        Ok(found.and_then(|rows| rows.into_iter().next()).map(Receipt::from))
    }

    /// Money that goes back to the payer, oldest first.
    #[graphql(directive = list_size::apply(3))]
    async fn refunds(&self, ctx: &Context<'_>) -> Result<Vec<Refund>, Failure> {
        let found = ctx.data_unchecked::<Loads>().load_one(RefundsOf(self.row.id)).await?;
        Ok(found.unwrap_or_default().into_iter().map(Refund::from).collect())
    }

    /// When it was issued.
    async fn issued_at(&self) -> DateTime<Utc> {
        self.row.issued_at
    }

    /// When it was paid.
    async fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.row.settled_at
    }
}

/// One line of a bill.
#[derive(SimpleObject)]
pub struct BillItem {
    /// What it is for.
    description: LocalizedText,
    /// What it costs.
    amount: Money,
}

impl From<bill::BillItem> for BillItem {
    fn from(row: bill::BillItem) -> Self {
        Self {
            description: LocalizedText { th: row.description_th, en: row.description_en },
            amount: Money::from_satang(row.amount_satang),
        }
    }
}

/// The agency that is paid; the catalogue knows more of it.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Agency {
    /// The agency's code.
    code: String,
}

/// An application (คำขอ), as far as payments knows it: its bill.
pub struct Application {
    pub(super) id: ApplicationId,
}

/// An application (คำขอ), as far as payments knows it: its bill.
#[Object]
impl Application {
    /// The application's id.
    async fn id(&self) -> ApplicationId {
        self.id
    }

    /// What is owed for it: null until its fee falls due, or when the caller may not see it.
    async fn bill(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Failure> {
        let Ok(reader) = reader(auth::principal(ctx)) else { return Ok(None) };
        let found = ctx.data_unchecked::<Loads>().load_one(BillOf(self.id.uuid(), reader)).await?;
        Ok(found.map(Bill::from))
    }
}
