//! Money that came: one transaction says what it was, and does all that follows.

use chrono::{DateTime, Datelike, Utc};
use database::{Error, Tx};
use outbox::Message;
use serde_json::json;
use uuid::Uuid;

use super::topic;
use crate::Service;
use crate::model::{
    Account, BillStatus, Classification, Evidence, RefundReason, Transfer, TransferKind, arrival,
};
use crate::store::bill::{self, Bill};
use crate::store::ledger;
use crate::store::payment::{self, Payment};
use crate::store::receipt::{self, Receipt};
use crate::store::settlement::{self, Place, Settlement};

/// Thailand counts years from the Buddha's passing.
const BUDDHIST_ERA: i64 = 543;

/// A row to write into the books, and what caused it.
pub(super) struct Posting<'a> {
    pub settlement: &'a Settlement,
    /// The refund that caused it; otherwise the settlement itself did.
    pub refund_id: Option<Uuid>,
    pub kind: TransferKind,
    pub debit: Account,
    pub credit: Account,
    pub amount_satang: i64,
}

impl Service {
    /// Takes in money that came by a payment of a bill whose row the caller holds. The same transfer
    /// changes nothing the second time, whoever tells of it.
    pub(super) async fn settle(
        &self,
        tx: &mut Tx,
        bill: &mut Bill,
        payment_id: Uuid,
        evidence: &Evidence,
    ) -> Result<(), Error> {
        let Some(payment) = payment::payment(tx, payment_id).await? else { return Ok(()) };
        if !evidence.trust.moves_money() || evidence.reference != payment.reference {
            return Ok(());
        }
        let now = self.clock.now();
        let arrival = arrival(bill.status, payment.status, bill.amount_satang, evidence.amount_satang);
        let place = Place {
            id: self.clock.uuid(),
            payment_id: payment.id,
            bill_id: bill.id,
            provider: &payment.provider,
        };
        if !settlement::insert_settlement(tx, place, evidence, &arrival, now).await? {
            return self.compare_with_known(tx, bill, &payment, evidence).await;
        }
        let status = payment.status.after(arrival.payment_event);
        if status != payment.status {
            payment::move_payment(tx, payment.id, status, None, now).await?;
        }
        let settlement = Settlement {
            id: place.id,
            payment_id: payment.id,
            bill_id: bill.id,
            provider: payment.provider.clone(),
            provider_txn_id: evidence.provider_txn_id.clone(),
            classification: arrival.classification,
            amount_satang: evidence.amount_satang,
            kept_satang: arrival.kept_satang,
            returned_satang: arrival.returned_satang,
            occurred_at: evidence.occurred_at,
        };
        metrics::counter!("payments_settlement_total", "classification" => arrival.classification.code())
            .increment(1);
        if arrival.settles() {
            settlement::insert_success(tx, place).await?;
            self.settle_bill(tx, bill, &payment, &settlement, now).await?;
        }
        if arrival.returned_satang > 0 {
            let reason = match arrival.classification {
                Classification::Under => RefundReason::Under,
                Classification::Over => RefundReason::Over,
                Classification::Late => RefundReason::Late,
                Classification::Duplicate | Classification::Settles => RefundReason::Duplicate,
            };
            self.owe_refund(tx, bill, &settlement, reason, arrival.returned_satang).await?;
        }
        Ok(())
    }

    async fn settle_bill(
        &self,
        tx: &mut Tx,
        bill: &mut Bill,
        payment: &Payment,
        settlement: &Settlement,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        bill::settle_bill(tx, bill.id, now).await?;
        bill.status = BillStatus::Settled;
        let posting = Posting {
            settlement,
            refund_id: None,
            kind: TransferKind::Settlement,
            debit: Account::Clearing { provider: settlement.provider.clone() },
            credit: Account::Payable { agency_code: bill.agency_code.clone() },
            amount_satang: settlement.kept_satang,
        };
        self.post(tx, posting).await?;
        let receipt = self.issue_receipt(tx, bill, now).await?;
        for sibling in payment::live_payments(tx, bill.id).await? {
            if sibling.id != payment.id {
                let withdraw = Message::new(topic::WITHDRAW, json!({ "payment_id": sibling.id }));
                self.outbox.publish(tx, withdraw).await?;
            }
        }
        let settled = json!({
            "bill_id": bill.id,
            "application_id": bill.application_id,
            "payment_id": payment.id,
            "receipt_number": receipt.number_text(),
            "settled_at": now,
        });
        self.outbox.publish(tx, Message::new("payments.bill_settled", settled)).await?;
        Ok(())
    }

    async fn issue_receipt(&self, tx: &mut Tx, bill: &Bill, now: DateTime<Utc>) -> Result<Receipt, Error> {
        let year = i64::from(now.with_timezone(&clock::thailand()).year()) + BUDDHIST_ERA;
        let receipt = Receipt {
            id: self.clock.uuid(),
            bill_id: bill.id,
            agency_code: bill.agency_code.clone(),
            year,
            number: receipt::next_number(tx, &bill.agency_code, year).await?,
            amount_satang: bill.amount_satang,
            issued_at: now,
        };
        receipt::insert_receipt(tx, &receipt).await?;
        Ok(receipt)
    }

    /// Writes one row of the books.
    pub(super) async fn post(&self, tx: &mut Tx, posting: Posting<'_>) -> Result<(), Error> {
        let now = self.clock.now();
        let came_in = matches!(posting.kind, TransferKind::Settlement | TransferKind::Unapplied);
        let cause = match posting.refund_id {
            Some(refund_id) => format!("refund/{refund_id}"),
            None => format!("{}/{}", posting.settlement.provider, posting.settlement.provider_txn_id),
        };
        let transfer = Transfer {
            id: self.clock.uuid(),
            debit: posting.debit,
            credit: posting.credit,
            amount_satang: posting.amount_satang,
            kind: posting.kind,
            external_reference: format!("{cause}/{}", posting.kind.code()),
            bill_id: posting.settlement.bill_id,
            occurred_at: if came_in { posting.settlement.occurred_at } else { now },
            posted_at: now,
        };
        ledger::insert_transfer(tx, &transfer).await
    }
}
