//! What payments tells: bills issued, settled and refunded, taken in once each.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::event::Entry;
use super::{Refusal, Store};
use crate::model::offering::Offering;
use crate::model::{EventKind, NotAllowed};

/// The reason of a refund that is the fee's own.
const APPLICATION_CLOSED: &str = "APPLICATION_CLOSED";

/// `payments.bill_issued`.
#[derive(Debug, Deserialize)]
pub struct BillIssued {
    pub bill_id: Uuid,
    pub application_id: Uuid,
    pub amount_satang: i64,
}

/// `payments.bill_settled`.
#[derive(Debug, Deserialize)]
pub struct BillSettled {
    pub bill_id: Uuid,
    pub application_id: Uuid,
    pub payment_id: Uuid,
    pub receipt_number: String,
    pub settled_at: DateTime<Utc>,
}

/// `payments.refunded`.
#[derive(Debug, Deserialize)]
pub struct Refunded {
    pub bill_id: Uuid,
    pub application_id: Uuid,
    pub refund_id: Uuid,
    pub amount_satang: i64,
    /// Only the fee of a closed application goes back as the fee.
    #[serde(default = "of_closed_application")]
    pub reason: String,
}

/// Something another service tells, about one application.
pub struct News {
    pub application_id: Uuid,
    pub kind: EventKind,
    pub detail: Json,
}

impl From<BillIssued> for News {
    fn from(told: BillIssued) -> Self {
        let detail = json!({ "bill_id": told.bill_id, "amount_satang": told.amount_satang });
        Self { application_id: told.application_id, kind: EventKind::BillIssued, detail }
    }
}

impl From<BillSettled> for News {
    fn from(told: BillSettled) -> Self {
        let detail = json!({
            "bill_id": told.bill_id,
            "payment_id": told.payment_id,
            "receipt_number": told.receipt_number,
            "settled_at": told.settled_at,
        });
        Self { application_id: told.application_id, kind: EventKind::FeeSettled, detail }
    }
}

impl From<Refunded> for News {
    fn from(told: Refunded) -> Self {
        let detail = json!({
            "bill_id": told.bill_id,
            "refund_id": told.refund_id,
            "amount_satang": told.amount_satang,
            "reason": told.reason,
        });
        let of_the_fee = told.reason == APPLICATION_CLOSED;
        let kind = if of_the_fee { EventKind::FeeRefunded } else { EventKind::PaymentReturned };
        Self { application_id: told.application_id, kind, detail }
    }
}

/// Messages of the version before do not say.
fn of_closed_application() -> String {
    APPLICATION_CLOSED.to_owned()
}

impl Store {
    /// Takes in an offering's revision once.
    pub async fn hear_of_offering(&self, message_id: Uuid, offering: &Offering) -> Result<(), Refusal> {
        let mut tx = self.database.begin().await?;
        if outbox::first_time(&mut tx, crate::events::CONSUMER, message_id, self.clock.now()).await? {
            self.keep_offering(&mut tx, offering).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Takes in what payments tells, once; what the rules refuse is logged and left.
    pub async fn hear_of_payment(&self, message_id: Uuid, news: News) -> Result<(), Refusal> {
        let mut tx = self.database.begin().await?;
        if !outbox::first_time(&mut tx, crate::events::CONSUMER, message_id, self.clock.now()).await? {
            tx.commit().await?;
            return Ok(());
        }
        let Some(mut application) = self.locked_by_system(&mut tx, news.application_id).await? else {
            tracing::warn!(kind = news.kind.word(), "news of an application that is not here");
            tx.commit().await?;
            return Ok(());
        };
        let offering =
            self.pinned_offering(&mut tx, application.offering_id, application.offering_revision).await?;
        let entry = Entry { detail: news.detail, ..Entry::by_system(news.kind) };
        match self.advance(&mut tx, &mut application, &offering, entry).await {
            Ok(()) => {}
            // Refused before anything was written; it will be refused every time.
            Err(Refusal::NotAllowed(NotAllowed::WrongStatus | NotAllowed::Closed)) => {
                tracing::warn!(
                    kind = news.kind.word(),
                    status = application.status.word(),
                    "news that moves nothing"
                );
            }
            Err(other) => return Err(other),
        }
        tx.commit().await?;
        Ok(())
    }
}
