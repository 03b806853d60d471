//! A payment that is no longer wanted: its bill was settled another way, or cancelled.

use database::Error;
use outbox::Message;
use serde_json::json;
use uuid::Uuid;

use super::{back_off, intent_of, topic};
use crate::Service;
use crate::model::PaymentEvent;
use crate::provider::CancelOutcome;
use crate::store::{bill, payment};

/// Attempts before the payment is given up here all the same: money that still comes goes back.
const ATTEMPTS_MAX: u32 = 10;

impl Service {
    /// One attempt at withdrawing a payment at its provider.
    pub(crate) async fn withdraw_payment(
        &self,
        message_id: Uuid,
        payment_id: Uuid,
        attempt: u32,
    ) -> Result<(), Error> {
        let found = payment::payment(&mut self.database.clone(), payment_id).await?;
        let Some(found) = found.filter(|found| found.status.is_live()) else {
            return self.forget(message_id).await;
        };
        let now = self.clock.now();
        let provider = self.providers.of_payment(&found);
        let outcome = self.within(provider.cancel(&intent_of(&found, ""), now)).await;
        let mut tx = self.database.begin().await?;
        if !outbox::first_time(&mut tx, "payments", message_id, now).await? {
            return tx.commit().await;
        }
        let cancelled = match outcome {
            Ok(CancelOutcome::Cancelled) => true,
            Ok(CancelOutcome::Paid) => {
                let ask = Message::new(topic::ASK, json!({ "payment_id": payment_id }));
                self.outbox.publish(&mut tx, ask).await?;
                false
            }
            Err(_) if attempt >= ATTEMPTS_MAX => true,
            Err(error) => {
                tracing::warn!(payment = %payment_id, provider = found.provider, %error, "withdrawal unanswered");
                let again = json!({ "payment_id": payment_id, "attempt": attempt + 1 });
                let again = Message::new(topic::WITHDRAW, again).not_before(now + back_off(attempt));
                self.outbox.publish(&mut tx, again).await?;
                false
            }
        };
        if cancelled {
            bill::bill_locked(&mut tx, found.bill_id).await?;
            if let Some(current) = payment::payment(&mut tx, payment_id).await? {
                let status = current.status.after(PaymentEvent::Withdrawn);
                if status != current.status {
                    payment::move_payment(&mut tx, payment_id, status, None, now).await?;
                }
            }
        }
        tx.commit().await
    }
}
