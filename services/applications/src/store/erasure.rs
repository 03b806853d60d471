//! What an erasure needs of this service: whether an application is open, and a key to shred.

use database::{Tx, args};
use serde_json::json;
use uuid::Uuid;

use super::event::{Entry, refunds};
use super::{Refusal, Store};
use crate::erasure::{Asked, CONSUMER};
use crate::model::{ApplicationStatus, EventKind};

/// With an agency, or waiting for money.
const OPEN: &str = "('SUBMITTED', 'AWAITING_PAYMENT', 'UNDER_REVIEW', 'RETURNED')";

impl Store {
    /// Answers whether an application of this citizen is with an agency, or waits for money.
    pub async fn answer_erasure(&self, message_id: Uuid, asked: &Asked) -> Result<(), Refusal> {
        let mut tx = self.database.begin().await?;
        if outbox::first_time(&mut tx, CONSUMER, message_id, self.clock.now()).await? {
            let sql = format!(
                "select 1 as one from application where applicant_party_id = $1 and status in {OPEN} limit 1"
            );
            let is_open = tx.row(&sql, args![asked.citizen_id]).await?.is_some();
            let obstacles: &[&str] = if is_open { &["OPEN_APPLICATION"] } else { &[] };
            let answer = json!({
                "erasure_id": asked.erasure_id,
                "round": asked.round,
                "service": "applications",
                "obstacles": obstacles,
            });
            self.publish(&mut tx, "applications.erasure_answered", answer).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Makes everything sealed for this applicant unreadable: answers, names, reasons, files. What the
    /// register says of each application stays: number, agency, dates, outcome.
    pub async fn forget_applicant(&self, message_id: Uuid, citizen_id: Uuid) -> Result<(), Refusal> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        if outbox::first_time(&mut tx, CONSUMER, message_id, now).await? {
            // A draft that is just being begun is ended as well, and none is begun after it.
            match self.sealer.hold(&mut tx, citizen_id, now).await {
                Ok(_) | Err(sealing::Error::Shredded) => {}
                Err(error) => return Err(error.into()),
            }
            let sql =
                format!("select id from application where applicant_party_id = $1 and status in {OPEN}");
            let open = tx.rows(&sql, args![citizen_id]).await?;
            let sql = "select id from application where applicant_party_id = $1 and status = 'DRAFT'";
            let drafts = tx.rows(sql, args![citizen_id]).await?;
            for row in open.iter().chain(&drafts) {
                self.end(&mut tx, row.get("id")?).await?;
            }
            self.sealer.shred(&mut tx, citizen_id, now).await?;
            // By its index a number could still be recognised.
            let sql = "update application set applicant_index = null where applicant_party_id = $1";
            tx.execute(sql, args![citizen_id]).await?;
        }
        tx.commit().await?;
        self.database.scrub().await?;
        Ok(())
    }

    /// Ends what nobody can go on with: a draft, or what was filed in the very moment of the erasure.
    async fn end(&self, tx: &mut Tx, id: Uuid) -> Result<(), Refusal> {
        let Some(mut application) = self.locked_by_system(tx, id).await? else { return Ok(()) };
        let offering =
            self.pinned_offering(tx, application.offering_id, application.offering_revision).await?;
        let before = application.status;
        if before == ApplicationStatus::Draft {
            self.clear_draft(tx, &mut application).await?;
            return self.advance(tx, &mut application, &offering, Entry::by_system(EventKind::Lapsed)).await;
        }
        self.advance(tx, &mut application, &offering, Entry::by_system(EventKind::Withdrawn)).await?;
        self.publish_closed(tx, &application, "withdrawn", refunds(before, &offering)).await
    }
}
