//! What an erasure needs of this service: whether money of a payer is unsettled.

use database::{Error, args};
use outbox::Message;
use serde_json::json;
use uuid::Uuid;

use crate::Service;
use crate::erasure::{Asked, CONSUMER};

impl Service {
    /// Answers whether a bill of this party is open, a payment under way or a refund owed.
    pub(crate) async fn answer_erasure(&self, message_id: Uuid, asked: &Asked) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        if outbox::first_time(&mut tx, CONSUMER, message_id, self.clock.now()).await? {
            let unsettled = "select 1 as one from bill where party_id = $1 and (
                    status = 'OPEN'
                    or exists (select 1 from payment where payment.bill_id = bill.id
                        and payment.status in ('CREATED', 'PENDING', 'UNKNOWN'))
                    or exists (select 1 from refund where refund.bill_id = bill.id
                        and refund.status in ('CREATED', 'SUBMITTED', 'MANUAL'))
                ) limit 1";
            let is_unsettled = tx.row(unsettled, args![asked.citizen_id]).await?.is_some();
            let obstacles: &[&str] = if is_unsettled { &["UNSETTLED_MONEY"] } else { &[] };
            let answer = json!({
                "erasure_id": asked.erasure_id,
                "round": asked.round,
                "service": "payments",
                "obstacles": obstacles,
            });
            self.outbox.publish(&mut tx, Message::new("payments.erasure_answered", answer)).await?;
        }
        tx.commit().await
    }
}
