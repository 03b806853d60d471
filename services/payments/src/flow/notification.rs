//! A provider says that money came.

use chrono::Duration;
use database::Error;
use outbox::Message;
use serde_json::json;

use super::topic;
use crate::Service;
use crate::model::{Evidence, Trust};
use crate::store::payment::Payment;
use crate::store::{bill, payment};

/// Unsigned notifications make us ask at most this often per payment, in seconds: anyone can send them.
const ASK_GAP_S: i64 = 5;

impl Service {
    /// Takes in a notification. Signed evidence may settle; unsigned only makes us ask. A reference we
    /// do not know changes nothing, and the sender is not told.
    pub(crate) async fn take_notification(&self, provider: &str, evidence: &Evidence) -> Result<(), Error> {
        let Some(found) =
            payment::payment_by_reference(&self.database, provider, &evidence.reference).await?
        else {
            metrics::counter!("payments_notification_unknown_total").increment(1);
            let signed = evidence.trust == Trust::Signed;
            tracing::warn!(provider, signed, "a notification of a payment that is not ours");
            return Ok(());
        };
        let same_order = found.provider_ref.as_ref().is_none_or(|known| *known == evidence.provider_txn_id);
        if evidence.trust == Trust::Signed && same_order {
            self.settle_signed(&found, evidence).await
        } else {
            self.ask_soon(&found).await
        }
    }

    async fn settle_signed(&self, found: &Payment, evidence: &Evidence) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        if let Some(mut bill) = bill::bill_locked(&mut tx, found.bill_id).await? {
            self.settle(&mut tx, &mut bill, found.id, evidence).await?;
        }
        tx.commit().await
    }

    /// Asks now, or as soon as the gap allows; one inquiry waits at most.
    async fn ask_soon(&self, found: &Payment) -> Result<(), Error> {
        let now = self.clock.now();
        let free_at = found.inquiry_due_at.map(|last| last + Duration::seconds(ASK_GAP_S));
        if found.inquiry_due_at.is_some_and(|due_at| due_at > now) {
            return Ok(());
        }
        let due_at = free_at.map_or(now, |free_at| free_at.max(now));
        let mut tx = self.database.begin().await?;
        if payment::reserve_inquiry(&mut tx, found.id, due_at).await? {
            let ask = Message::new(topic::ASK, json!({ "payment_id": found.id })).not_before(due_at);
            self.outbox.publish(&mut tx, ask).await?;
        }
        tx.commit().await
    }
}
