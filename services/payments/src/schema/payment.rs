//! Tries at paying, as the schema shows them, and the mutations that make them.

use async_graphql::{Context, InputObject, Object, SimpleObject, Union};
use auth::Principal;
use chrono::{DateTime, Utc};
use graphql::{
    BillId, ConflictProblem, Failure, LocalizedText, Money, NotFoundProblem, PaymentId, StateProblem, cost,
};

use super::bill::Bill;
use super::problem::{BillNotPayable, PaymentMethodClosed};
use super::{bill_with_id, reader};
use crate::Service;
use crate::flow::{Checked, PaymentOrder, Started};
use crate::loader::{Loads, SettlementsOf};
use crate::model::{Classification, PaymentMethod, PaymentStatus};
use crate::store::bill::Reader;
use crate::store::{payment, settlement};

/// One try at paying a bill, by one method.
pub struct Payment {
    row: payment::Payment,
}

impl From<payment::Payment> for Payment {
    fn from(row: payment::Payment) -> Self {
        Self { row }
    }
}

/// One try at paying a bill, by one method. Ask for it again to see how it goes; whoever has paid never
/// needs to pay again.
#[Object]
impl Payment {
    /// The payment's id.
    async fn id(&self) -> PaymentId {
        self.row.id.into()
    }

    /// The bill it is for.
    async fn bill(&self, ctx: &Context<'_>) -> Result<Option<Bill>, Failure> {
        bill_with_id(ctx, self.row.bill_id, reader(auth::principal(ctx))?).await
    }

    /// How it is paid.
    async fn method(&self) -> PaymentMethod {
        self.row.method
    }

    /// Where it stands.
    async fn status(&self) -> PaymentStatus {
        self.row.status
    }

    /// What is to be paid: the bill's amount.
    async fn amount(&self) -> Money {
        Money::from_satang(self.row.amount_satang)
    }

    /// When it began.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// Until when it can be paid.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.row.expires_at
    }

    /// The text of a Thai QR code, to be drawn and scanned. Only with `PROMPTPAY_QR`, for the payer.
    async fn qr_payload(&self, ctx: &Context<'_>) -> Option<&str> {
        self.shown(ctx)?.qr_payload.as_deref()
    }

    /// The address that opens the bank's or the wallet's app. Not with `PROMPTPAY_QR`; for the payer.
    async fn deep_link(&self, ctx: &Context<'_>) -> Option<&str> {
        self.shown(ctx)?.deep_link.as_deref()
    }

    /// The wallet's number of the payment, with which its app opens it. Only with `G_WALLET`, for the payer.
    async fn wallet_reference(&self, ctx: &Context<'_>) -> Option<&str> {
        self.shown(ctx)?.wallet_reference.as_deref()
    }

    /// Money that came by this payment, oldest first: usually one transfer, or none.
    async fn settlements(&self, ctx: &Context<'_>) -> Result<Vec<Settlement>, Failure> {
        let found = ctx.data_unchecked::<Loads>().load_one(SettlementsOf(self.row.id)).await?;
        Ok(found.unwrap_or_default().into_iter().map(Settlement::from).collect())
    }
}

impl Payment {
    /// What the payer pays with: while it can be paid, and not for officers.
    fn shown(&self, ctx: &Context<'_>) -> Option<&payment::Payment> {
        let payer = matches!(auth::principal(ctx), Principal::Citizen(_));
        (payer && self.row.status.is_live()).then_some(&self.row)
    }
}

/// Money that came by a payment.
#[derive(SimpleObject)]
pub struct Settlement {
    /// What it was.
    classification: Classification,
    /// What came.
    amount: Money,
    /// What it was and what becomes of it, for the payer to read.
    explanation: LocalizedText,
    /// What of it goes back.
    returned: Money,
    /// When it came, by the provider's clock.
    occurred_at: DateTime<Utc>,
}

impl From<settlement::Settlement> for Settlement {
    fn from(row: settlement::Settlement) -> Self {
        Self {
            classification: row.classification,
            amount: Money::from_satang(row.amount_satang),
            explanation: explanation(&row),
            returned: Money::from_satang(row.returned_satang),
            occurred_at: row.occurred_at,
        }
    }
}

fn explanation(row: &settlement::Settlement) -> LocalizedText {
    let kept = row.kept_satang > 0;
    let (th, en) = match row.classification {
        Classification::Settles => ("ชำระครบถ้วนแล้ว", "The bill is paid in full."),
        Classification::Duplicate => (
            "ใบแจ้งนี้ชำระแล้ว เงินที่ชำระซ้ำจะคืนให้ทั้งหมด",
            "The bill was paid already: this payment goes back in full.",
        ),
        Classification::Late if kept => (
            "เงินเข้าหลังหมดเวลา แต่ใบแจ้งยังรอชำระ จึงรับชำระไว้",
            "It came late, and the bill was still to be paid: it is paid now.",
        ),
        Classification::Late => {
            ("ใบแจ้งสิ้นสุดแล้ว เงินจำนวนนี้จะคืนให้ทั้งหมด", "The bill had ended: this payment goes back in full.")
        }
        Classification::Under => (
            "จำนวนเงินน้อยกว่าใบแจ้ง จะคืนให้ทั้งหมด และใบแจ้งยังรอชำระ",
            "It was less than the bill: it goes back in full, and the bill is still to be paid.",
        ),
        Classification::Over => {
            ("ชำระครบถ้วนแล้ว ส่วนที่เกินจะคืนให้", "The bill is paid in full; what was too much goes back.")
        }
    };
    LocalizedText::new(th, en)
}

/// Which bill to pay, and how. The amount is the bill's.
#[derive(InputObject)]
pub struct StartPaymentInput {
    /// Made by the client, anew for each intention; sent again, it gives the same payment.
    idempotency_key: String,
    /// The bill to pay.
    bill_id: BillId,
    /// How to pay it.
    method: PaymentMethod,
}

/// Which payment to look after.
#[derive(InputObject)]
pub struct CheckPaymentInput {
    /// Made by the client, anew for each check.
    idempotency_key: String,
    /// The payment.
    payment_id: PaymentId,
}

/// The payment stands; show its QR code or open its link. While its status is `CREATED` or `UNKNOWN`
/// these are not there yet: ask again shortly.
#[derive(SimpleObject)]
pub struct PaymentStarted {
    /// The payment: the live one of this bill and method, if there was one.
    payment: Payment,
}

/// The provider was asked.
#[derive(SimpleObject)]
pub struct PaymentChecked {
    /// The payment as it stands now.
    payment: Payment,
}

/// What became of starting a payment.
#[derive(Union)]
pub enum StartPaymentPayload {
    Started(PaymentStarted),
    NotPayable(BillNotPayable),
    MethodClosed(PaymentMethodClosed),
    NotFound(NotFoundProblem),
    Conflict(ConflictProblem),
    State(StateProblem),
}

/// What became of checking a payment.
#[derive(Union)]
pub enum CheckPaymentPayload {
    Checked(PaymentChecked),
    NotFound(NotFoundProblem),
    Conflict(ConflictProblem),
}

/// Paying.
#[derive(Default)]
pub struct PaymentMutation;

#[Object]
impl PaymentMutation {
    /// Starts paying a bill. Paying by two methods at once is safe: one pays, the other is given back.
    #[graphql(requires_scopes = "payments:write", directive = cost::apply(50))]
    async fn start_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which bill to pay, and how.")] input: StartPaymentInput,
    ) -> Result<Option<StartPaymentPayload>, Failure> {
        let (subject, payer) = payer(ctx)?;
        let order = PaymentOrder {
            subject: &subject,
            idempotency_key: &input.idempotency_key,
            payer: &payer,
            bill_id: input.bill_id.uuid(),
            method: input.method,
        };
        let started = ctx.data_unchecked::<Service>().start_payment(order).await?;
        Ok(Some(match started {
            Started::Payment(row) => {
                StartPaymentPayload::Started(PaymentStarted { payment: Payment { row: *row } })
            }
            Started::NotPayable(status) => StartPaymentPayload::NotPayable(BillNotPayable::new(status)),
            Started::NotFound => {
                StartPaymentPayload::NotFound(NotFoundProblem::new("There is no such bill."))
            }
            Started::Closed(closure, open) => {
                StartPaymentPayload::MethodClosed(PaymentMethodClosed::new(*closure, open))
            }
            Started::Conflict => StartPaymentPayload::Conflict(key_conflict()),
            Started::TooManyPayments => {
                StartPaymentPayload::State(StateProblem::new("This bill was tried too often."))
            }
        }))
    }

    /// Asks the provider now what became of a payment: for the moment a citizen comes back from the
    /// bank's app. Without it the answer comes too, a little later.
    #[graphql(requires_scopes = "payments:write", directive = cost::apply(50))]
    async fn check_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment to look after.")] input: CheckPaymentInput,
    ) -> Result<Option<CheckPaymentPayload>, Failure> {
        let (subject, payer) = payer(ctx)?;
        let service = ctx.data_unchecked::<Service>();
        let id = input.payment_id.uuid();
        let checked = service.check_payment(&subject, &input.idempotency_key, id, &payer).await?;
        Ok(Some(match checked {
            Checked::Payment(row) => {
                CheckPaymentPayload::Checked(PaymentChecked { payment: Payment { row: *row } })
            }
            Checked::NotFound => {
                CheckPaymentPayload::NotFound(NotFoundProblem::new("There is no such payment."))
            }
            Checked::Conflict => CheckPaymentPayload::Conflict(key_conflict()),
        }))
    }
}

/// Who pays: the subject of the idempotency key, and whose bills it may be.
fn payer(ctx: &Context<'_>) -> Result<(String, Reader), Failure> {
    let citizen = auth::citizen(ctx)?;
    let principal = auth::principal(ctx);
    principal.require_scope("payments:write")?;
    Ok((principal.subject(), Reader::Parties(citizen.party_ids())))
}

fn key_conflict() -> ConflictProblem {
    ConflictProblem::new("The idempotency key is not valid, or was used for another input.")
}
