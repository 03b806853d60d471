//! A bill is issued when a fee falls due, and cancelled or paid back when its application closes.

use database::Error;
use graphql::LocalizedText;
use outbox::Message;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::topic;
use crate::Service;
use crate::model::{BillStatus, RefundReason};
use crate::store::bill::{self, Bill};
use crate::store::{payment, settlement};

/// `applications.fee_fell_due`, as far as it is read here.
#[derive(Debug, Deserialize)]
pub struct FeeFellDue {
    application_id: Uuid,
    party_id: Uuid,
    agency_code: String,
    service_code: String,
    service_title: LocalizedText,
    amount_satang: i64,
}

/// `applications.closed`, as far as it is read here.
#[derive(Debug, Deserialize)]
pub struct Closed {
    application_id: Uuid,
    /// Whether a fee that was paid goes back.
    refund: bool,
}

impl Service {
    /// Issues the bill of an application: once, however often the message comes.
    pub(crate) async fn issue_bill(&self, message_id: Uuid, fee: FeeFellDue) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        if !outbox::first_time(&mut tx, "payments", message_id, now).await? {
            return tx.commit().await;
        }
        let closed = bill::application_locked(&mut tx, fee.application_id).await?;
        // A closed application owes nothing more, and nothing costs nothing.
        if closed || fee.amount_satang <= 0 {
            return tx.commit().await;
        }
        let bill = Bill {
            id: self.clock.uuid(),
            application_id: fee.application_id,
            party_id: fee.party_id,
            agency_code: fee.agency_code,
            service_code: fee.service_code,
            title_th: fee.service_title.th,
            title_en: fee.service_title.en,
            amount_satang: fee.amount_satang,
            status: BillStatus::Open,
            issued_at: now,
            settled_at: None,
        };
        if bill::insert_bill(&mut tx, &bill, self.clock.uuid()).await? {
            let issued = json!({
                "bill_id": bill.id,
                "application_id": bill.application_id,
                "amount_satang": bill.amount_satang,
            });
            self.outbox.publish(&mut tx, Message::new("payments.bill_issued", issued)).await?;
        }
        tx.commit().await
    }

    /// Ends the bills of a closed application: an open one is cancelled, a settled one paid back when
    /// the service's rules say so.
    pub(crate) async fn close_application(&self, message_id: Uuid, closed: Closed) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        if !outbox::first_time(&mut tx, "payments", message_id, now).await? {
            return tx.commit().await;
        }
        bill::application_locked(&mut tx, closed.application_id).await?;
        bill::close_application(&mut tx, closed.application_id, now).await?;
        for bill in bill::bills_of_application_locked(&mut tx, closed.application_id).await? {
            match bill.status {
                BillStatus::Open => {
                    bill::cancel_bill(&mut tx, bill.id, now).await?;
                    for live in payment::live_payments(&mut tx, bill.id).await? {
                        let withdraw = Message::new(topic::WITHDRAW, json!({ "payment_id": live.id }));
                        self.outbox.publish(&mut tx, withdraw).await?;
                    }
                }
                BillStatus::Settled if closed.refund => {
                    if let Some(success) = settlement::success_of(&mut tx, bill.id).await? {
                        let reason = RefundReason::ApplicationClosed;
                        self.owe_refund(&mut tx, &bill, &success, reason, success.kept_satang).await?;
                    }
                }
                BillStatus::Settled | BillStatus::Cancelled => {}
            }
        }
        tx.commit().await
    }
}
