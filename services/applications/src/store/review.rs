//! The agency's side: taking a case, asking once for documents, deciding.

use auth::Officer;
use serde_json::json;
use uuid::Uuid;

use super::application::Application;
use super::event::{Actor, ActorKind, Entry, Words, refunds};
use super::{Once, Reader, Refusal, Store};
use crate::model::EventKind;
use crate::model::answers;
use crate::model::offering::Offering;

/// One of an officer's moves.
#[derive(Debug)]
pub enum Review {
    Take,
    RequestDocuments(Words),
    Approve { reason: Option<String> },
    Reject { reason: String },
}

impl Review {
    fn operation(&self) -> &'static str {
        match self {
            Self::Take => "takeApplication",
            Self::RequestDocuments(_) => "requestMoreDocuments",
            Self::Approve { .. } => "approveApplication",
            Self::Reject { .. } => "rejectApplication",
        }
    }

    fn event(&self) -> EventKind {
        match self {
            Self::Take => EventKind::Taken,
            Self::RequestDocuments(_) => EventKind::DocumentsRequested,
            Self::Approve { .. } => EventKind::Approved,
            Self::Reject { .. } => EventKind::Rejected,
        }
    }

    fn words(&self) -> Option<Words> {
        let said = |message: &String| Words { message: Some(message.clone()), ..Words::default() };
        match self {
            Self::Take => None,
            Self::RequestDocuments(words) => Some(words.clone()),
            Self::Approve { reason } => reason.as_ref().map(said),
            Self::Reject { reason } => Some(said(reason)),
        }
    }
}

impl Store {
    /// Does an officer's move on a case of the officer's own agency.
    pub async fn review(
        &self,
        officer: &Officer,
        key: &str,
        id: Uuid,
        review: &Review,
    ) -> Result<Application, Refusal> {
        let reader = Reader::Agency(officer.agency.clone());
        let words = review.words();
        let mut tx = self.database.begin().await?;
        let once = Once::new(officer.officer_id, review.operation(), key);
        if let Some(id) = self.begin(&mut tx, &once, &json!({ "id": id, "words": words })).await? {
            return self.locked(&mut tx, &reader, id).await;
        }
        let mut application = self.locked(&mut tx, &reader, id).await?;
        let offering =
            self.pinned_offering(&mut tx, application.offering_id, application.offering_revision).await?;
        if let Review::RequestDocuments(words) = review {
            check_documents(&offering, words)?;
        }
        let before = application.status;
        let actor = Actor { kind: ActorKind::Officer, id: Some(officer.officer_id) };
        let entry = Entry { words, ..Entry::by(review.event(), actor) };
        self.advance(&mut tx, &mut application, &offering, entry).await?;
        if matches!(review, Review::Reject { .. }) {
            let refund = refunds(before, &offering);
            self.publish_closed(&mut tx, &application, "rejected", refund).await?;
        }
        self.complete(&mut tx, &once, id).await?;
        tx.commit().await?;
        Ok(application)
    }
}

/// Only documents of this offering may be asked for, and none that the state holds.
fn check_documents(offering: &Offering, words: &Words) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    for (index, document) in words.documents.iter().enumerate() {
        let at = format!("/items/{index}/evidenceCode");
        match offering.requirement(&document.evidence_code) {
            None => faults.push(answers::fault(
                &at,
                "บริการนี้ไม่มีเอกสารรหัสนี้".into(),
                "This service has no such document.".into(),
            )),
            Some(asked) if asked.held_by_state => faults.push(answers::fault(
                &at,
                "หน่วยงานของรัฐมีเอกสารนี้อยู่แล้ว จึงขอจากประชาชนไม่ได้".into(),
                "The state holds this document already, so the applicant is not asked for it.".into(),
            )),
            Some(_) => {}
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}
