//! Giving money back: owed in the transaction that found it, then done through the provider.

use database::{Error, Tx};
use outbox::Message;
use serde_json::json;
use uuid::Uuid;

use super::settle::Posting;
use super::{back_off, topic};
use crate::Service;
use crate::model::{Account, RefundEvent, RefundReason, RefundStatus, TransferKind};
use crate::provider::{ProviderError, RefundOrder, RefundOutcome};
use crate::store::bill::{self, Bill};
use crate::store::payment;
use crate::store::refund::{self, Refund};
use crate::store::settlement::{self, Settlement};

/// Attempts before an officer takes over: with the back-off, about a day.
const ATTEMPTS_MAX: u32 = 720;

impl Service {
    /// Records that money of a settlement goes back, and sees to it that it does.
    pub(super) async fn owe_refund(
        &self,
        tx: &mut Tx,
        bill: &Bill,
        settlement: &Settlement,
        reason: RefundReason,
        amount_satang: i64,
    ) -> Result<(), Error> {
        let owed_satang = refund::owed_of(tx, settlement.id).await?;
        // The same refund asked for twice is stopped below; more than came is stopped here, and by the database.
        if amount_satang > settlement.amount_satang - owed_satang
            && !refund::is_owed(tx, settlement.id, reason).await?
        {
            tracing::error!(settlement = %settlement.id, reason = reason.code(), "a refund would exceed what came");
            return Ok(());
        }
        let refund = Refund {
            id: self.clock.uuid(),
            bill_id: bill.id,
            settlement_id: settlement.id,
            reason,
            amount_satang,
            status: RefundStatus::Created,
            created_at: self.clock.now(),
            ended_at: None,
        };
        if !refund::insert_refund(tx, &refund).await? {
            return Ok(());
        }
        // A closed application's fee was the agency's already; other money never was anyone's but the payer's.
        let (kind, debit) = if reason == RefundReason::ApplicationClosed {
            (TransferKind::RefundOwed, Account::Payable { agency_code: bill.agency_code.clone() })
        } else {
            (TransferKind::Unapplied, Account::Clearing { provider: settlement.provider.clone() })
        };
        let credit = Account::Refundable;
        let refund_id = (kind == TransferKind::RefundOwed).then_some(refund.id);
        self.post(tx, Posting { settlement, refund_id, kind, debit, credit, amount_satang }).await?;
        let owed = json!({ "refund_id": refund.id, "attempt": 0 });
        self.outbox.publish(tx, Message::new(topic::REFUND, owed)).await?;
        Ok(())
    }

    /// One attempt at giving money back. The provider dedupes by the refund's id, so that an attempt
    /// whose answer was lost is simply made again.
    pub(crate) async fn attempt_refund(
        &self,
        message_id: Uuid,
        refund_id: Uuid,
        attempt: u32,
    ) -> Result<(), Error> {
        let Some((refund, settlement)) = self.send_refund(refund_id).await? else {
            return self.forget(message_id).await;
        };
        let paid = payment::payment(&mut self.database.clone(), settlement.payment_id).await?;
        let reference = paid.map(|paid| paid.reference).unwrap_or_default();
        let outcome = self.ask_for_refund(&refund, &settlement, &reference).await;
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        if !outbox::first_time(&mut tx, "payments", message_id, now).await? {
            return tx.commit().await;
        }
        let current = refund::refund_locked(&mut tx, refund_id).await?;
        let Some(current) = current.filter(|current| current.status.is_open()) else {
            return tx.commit().await;
        };
        let (event, failure_code) = match outcome {
            Ok(RefundOutcome::Done) => (Some(RefundEvent::Done), None),
            Ok(RefundOutcome::NotSupported { code }) => (Some(RefundEvent::NeedsOperator), Some(code)),
            _ if attempt >= ATTEMPTS_MAX => (Some(RefundEvent::NeedsOperator), Some("UNANSWERED".to_owned())),
            _ => (None, None),
        };
        match event.map(|event| current.status.after(event)) {
            Some(status) => {
                refund::move_refund(&mut tx, refund_id, status, failure_code.as_deref(), now).await?;
                if status == RefundStatus::Refunded {
                    let paid_from = Account::Clearing { provider: settlement.provider.clone() };
                    self.record_refunded(&mut tx, &current, &settlement, paid_from).await?;
                } else {
                    tracing::error!(refund = %refund_id, code = failure_code, "a refund needs an officer");
                }
            }
            None => {
                let again = json!({ "refund_id": refund_id, "attempt": attempt + 1 });
                let again = Message::new(topic::REFUND, again).not_before(now + back_off(attempt));
                self.outbox.publish(&mut tx, again).await?;
            }
        }
        tx.commit().await
    }

    /// Marks a refund as sent before it is sent: from here on it may have been paid.
    async fn send_refund(&self, refund_id: Uuid) -> Result<Option<(Refund, Settlement)>, Error> {
        let mut tx = self.database.begin().await?;
        let found = refund::refund_locked(&mut tx, refund_id).await?;
        let Some(refund) = found.filter(|refund| refund.status.is_open()) else { return Ok(None) };
        let status = refund.status.after(RefundEvent::Sent);
        if status != refund.status {
            refund::move_refund(&mut tx, refund_id, status, None, self.clock.now()).await?;
        }
        tx.commit().await?;
        let settlement = settlement::settlement(&self.database, refund.settlement_id).await?;
        Ok(settlement.map(|settlement| (refund, settlement)))
    }

    async fn ask_for_refund(
        &self,
        refund: &Refund,
        settlement: &Settlement,
        reference: &str,
    ) -> Result<RefundOutcome, ProviderError> {
        let Some(provider) = self.providers.with_code(&settlement.provider) else {
            return Ok(RefundOutcome::NotSupported { code: "NO_PROVIDER".into() });
        };
        let order = RefundOrder {
            refund_id: refund.id.hyphenated().to_string(),
            provider_txn_id: settlement.provider_txn_id.clone(),
            reference: reference.to_owned(),
            received_satang: settlement.amount_satang,
            amount_satang: refund.amount_satang,
        };
        let outcome = self.within(provider.refund(&order, self.clock.now())).await;
        if let Err(error) = &outcome {
            tracing::warn!(refund = %refund.id, provider = settlement.provider, %error, "refund unanswered");
        }
        outcome
    }

    /// Writes into the books that the payer has the money back, and tells.
    pub(super) async fn record_refunded(
        &self,
        tx: &mut Tx,
        refund: &Refund,
        settlement: &Settlement,
        paid_from: Account,
    ) -> Result<(), Error> {
        let posting = Posting {
            settlement,
            refund_id: Some(refund.id),
            kind: TransferKind::RefundPaid,
            debit: Account::Refundable,
            credit: paid_from,
            amount_satang: refund.amount_satang,
        };
        self.post(tx, posting).await?;
        let Some(bill) = bill::bill_locked(tx, refund.bill_id).await? else { return Ok(()) };
        let refunded = json!({
            "bill_id": bill.id,
            "application_id": bill.application_id,
            "refund_id": refund.id,
            "amount_satang": refund.amount_satang,
            "reason": refund.reason.code(),
        });
        self.outbox.publish(tx, Message::new("payments.refunded", refunded)).await?;
        Ok(())
    }

    /// Ends a message about something that needs nothing more.
    pub(super) async fn forget(&self, message_id: Uuid) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        outbox::first_time(&mut tx, "payments", message_id, self.clock.now()).await?;
        tx.commit().await
    }
}
