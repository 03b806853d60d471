//! What the bank and the wallet do with orders: one transaction each, safe to ask twice.

use chrono::Duration;
use database::Tx;
use uuid::Uuid;

use crate::order::{Behaviour, Order, Rail, Refund, Refused, Status};
use crate::{Sandbox, store, triggers};

/// Seconds an order may be asked to live.
pub const VALID_S: std::ops::RangeInclusive<i64> = 60..=86_400;

/// What a merchant asks for.
#[derive(Clone, Debug)]
pub struct NewOrder {
    pub rail: Rail,
    pub reference1: String,
    pub reference2: Option<String>,
    pub reference3: Option<String>,
    pub description: Option<String>,
    pub amount_satang: i64,
    pub return_url: Option<String>,
    pub callback_url: String,
    pub valid_s: i64,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error("not found")]
    NotFound,
    #[error("the id was used before for something else")]
    Reused,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// Makes an order. The same rail, reference and amount again give the same order.
pub async fn create(sandbox: &Sandbox, new: NewOrder) -> Result<Order, NotDone> {
    let created_at = sandbox.clock().now();
    let amount_satang = new.amount_satang;
    let order = Order {
        id: sandbox.clock().uuid(),
        rail: new.rail,
        reference1: new.reference1,
        reference2: new.reference2,
        reference3: new.reference3,
        description: new.description,
        amount_satang,
        return_url: new.return_url,
        callback_url: new.callback_url,
        status: Status::Waiting,
        created_at,
        expires_at: created_at + Duration::seconds(new.valid_s),
        paid: None,
    };
    if triggers::order_refused(sandbox, &order).await {
        return Err(Refused::Trigger.into());
    }
    let mut tx = sandbox.database().begin().await?;
    store::order::insert_order(&mut tx, &order).await?;
    let stored = store::order::order_of_reference(&mut tx, order.rail, &order.reference1).await?;
    tx.commit().await?;
    match stored {
        Some(stored) if stored.amount_satang == amount_satang => Ok(stored),
        _ => Err(NotDone::Reused),
    }
}

/// The payer pays; the order as it is afterwards.
pub async fn pay(sandbox: &Sandbox, id: Uuid, behaviour: Behaviour) -> Result<Order, NotDone> {
    let now = sandbox.clock().now();
    let bank_transaction_id = sandbox.clock().uuid().simple().to_string();
    change(sandbox, id, |order| order.pay(behaviour, now, bank_transaction_id)).await
}

/// The payer declines.
pub async fn decline(sandbox: &Sandbox, id: Uuid) -> Result<Order, NotDone> {
    let now = sandbox.clock().now();
    change(sandbox, id, |order| order.decline(now)).await
}

/// The merchant cancels.
pub async fn cancel(sandbox: &Sandbox, id: Uuid) -> Result<Order, NotDone> {
    let now = sandbox.clock().now();
    change(sandbox, id, |order| order.cancel(now)).await
}

/// Which payment to give money back of.
#[derive(Clone, Debug)]
pub enum Payment<'a> {
    BankTransaction(&'a str),
    WalletOrder(Uuid),
    KbankOrder(Uuid),
}

/// Gives money back. The same refund id again gives the same refund.
pub async fn refund(
    sandbox: &Sandbox,
    payment: Payment<'_>,
    refund_id: &str,
    amount_satang: i64,
) -> Result<Refund, NotDone> {
    let now = sandbox.clock().now();
    if is_refused(sandbox, &payment, refund_id).await? {
        return Err(Refused::Trigger.into());
    }
    let mut tx = sandbox.database().begin().await?;
    // The order's row lock makes concurrent refunds of one payment stand in line.
    let order = order_of_payment(&mut tx, &payment).await?;
    let provider = order.rail.provider();
    if let Some(before) = store::order::refund(&mut tx, provider, refund_id).await? {
        let same = before.order_id == order.id && before.amount_satang == amount_satang;
        return if same { Ok(before) } else { Err(NotDone::Reused) };
    }
    let earlier = store::order::refunds_of(&mut tx, &[order.id]).await?;
    order.may_refund(amount_satang, earlier.iter().map(|refund| refund.amount_satang).sum(), now)?;
    let refund =
        Refund { refund_id: refund_id.to_owned(), order_id: order.id, amount_satang, created_at: now };
    match store::order::insert_refund(&mut tx, provider, &refund).await {
        Err(error) if error.is_unique_violation() => return Err(NotDone::Reused),
        inserted => inserted?,
    }
    tx.commit().await?;
    Ok(refund)
}

/// Whether a trigger refuses a refund that was not made before. Using up a trigger is a write of its
/// own, which must not wait for the refund's transaction.
async fn is_refused(sandbox: &Sandbox, payment: &Payment<'_>, refund_id: &str) -> Result<bool, NotDone> {
    let mut tx = sandbox.database().begin().await?;
    let order = order_of_payment(&mut tx, payment).await?;
    let made = store::order::refund(&mut tx, order.rail.provider(), refund_id).await?.is_some();
    tx.rollback().await?;
    Ok(!made && triggers::refund_refused(sandbox, &order).await)
}

/// The order that was paid, locked until the transaction ends.
async fn order_of_payment(tx: &mut Tx, payment: &Payment<'_>) -> Result<Order, NotDone> {
    let (order, rail) = match payment {
        Payment::BankTransaction(id) => (store::order::order_paid_by(tx, id).await?, Rail::Qr),
        Payment::WalletOrder(id) => (store::order::order_for_update(tx, *id).await?, Rail::Gwallet),
        Payment::KbankOrder(id) => (store::order::order_for_update(tx, *id).await?, Rail::Kbank),
    };
    order.filter(|order| order.rail.provider() == rail.provider()).ok_or(NotDone::NotFound)
}

async fn change(
    sandbox: &Sandbox,
    id: Uuid,
    step: impl FnOnce(&mut Order) -> Result<(), Refused>,
) -> Result<Order, NotDone> {
    let mut tx = sandbox.database().begin().await?;
    let mut order = store::order::order_for_update(&mut tx, id).await?.ok_or(NotDone::NotFound)?;
    step(&mut order)?;
    store::order::update_order(&mut tx, &order).await?;
    tx.commit().await?;
    Ok(order)
}
