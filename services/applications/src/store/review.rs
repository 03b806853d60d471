//! The agency's side: taking a case, asking once for documents, deciding.

use auth::Officer;
use chrono::NaiveDate;
use database::{Tx, args};
use graphql::{FieldProblem, LocalizedText};
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
    RequestDocuments {
        words: Words,
        /// By when they have to come; the rules say when the officer does not.
        due_on: Option<NaiveDate>,
    },
    /// Says why it takes longer: the law wants the reason in each notice of lateness.
    ExplainDelay {
        reason: String,
    },
    Approve {
        reason: Option<String>,
    },
    Reject {
        reason: String,
    },
}

impl Review {
    fn operation(&self) -> &'static str {
        match self {
            Self::Take => "takeApplication",
            Self::RequestDocuments { .. } => "requestMoreDocuments",
            Self::ExplainDelay { .. } => "explainDelay",
            Self::Approve { .. } => "approveApplication",
            Self::Reject { .. } => "rejectApplication",
        }
    }

    fn event(&self) -> EventKind {
        match self {
            Self::Take => EventKind::Taken,
            Self::RequestDocuments { .. } => EventKind::DocumentsRequested,
            Self::ExplainDelay { .. } => EventKind::DelayExplained,
            Self::Approve { .. } => EventKind::Approved,
            Self::Reject { .. } => EventKind::Rejected,
        }
    }

    fn due_on(&self) -> Option<NaiveDate> {
        match self {
            Self::RequestDocuments { due_on, .. } => *due_on,
            _ => None,
        }
    }

    fn words(&self) -> Option<Words> {
        let said = |message: &String| Words { message: Some(message.clone()), ..Words::default() };
        match self {
            Self::Take => None,
            Self::RequestDocuments { words, .. } => Some(words.clone()),
            Self::Approve { reason } => reason.as_ref().map(said),
            Self::Reject { reason } | Self::ExplainDelay { reason } => Some(said(reason)),
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
        let fingerprint = json!({ "id": id, "words": words, "due_on": review.due_on() });
        if let Some(id) = self.begin(&mut tx, &once, &fingerprint).await? {
            return self.locked(&mut tx, &reader, id).await;
        }
        let mut application = self.locked(&mut tx, &reader, id).await?;
        let offering =
            self.pinned_offering(&mut tx, application.offering_id, application.offering_revision).await?;
        if let Review::RequestDocuments { words, due_on } = review {
            check_documents(&offering, words)?;
            self.expect_documents(&mut tx, &mut application, words, *due_on).await?;
        }
        let before = application.status;
        let actor = Actor { kind: ActorKind::Officer, id: Some(officer.officer_id) };
        let detail = match application.documents_due_on {
            Some(due_on) if matches!(review, Review::RequestDocuments { .. }) => json!({ "due_on": due_on }),
            _ => json!({}),
        };
        let entry = Entry { words, detail, ..Entry::by(review.event(), actor) };
        self.advance(&mut tx, &mut application, &offering, entry).await?;
        if matches!(review, Review::Reject { .. }) {
            let refund = refunds(before, &offering);
            self.publish_closed(&mut tx, &application, "rejected", refund).await?;
        }
        self.complete(&mut tx, &once, id).await?;
        tx.commit().await?;
        Ok(application)
    }

    /// Writes down what has to come and by when. The move itself is checked afterwards: a refusal there
    /// takes all of this back.
    async fn expect_documents(
        &self,
        tx: &mut Tx,
        application: &mut Application,
        words: &Words,
        due_on: Option<NaiveDate>,
    ) -> Result<(), Refusal> {
        let (rules, calendar, now) = (application.rules(), application.calendar(), self.clock.now());
        if due_on.is_some_and(|day| !rules.allows_documents_on(calendar, now, day)) {
            let (least, most) = (rules.documents_days_min, rules.documents_days_max);
            return Err(Refusal::Invalid(vec![answers::fault(
                "/dueOn",
                format!("ต้องเป็นวันทำการ และให้เวลาผู้ยื่น {least} ถึง {most} วันทำการ"),
                format!("Must be a working day that gives the applicant {least} to {most} working days."),
            )]));
        }
        application.documents_due_on = Some(due_on.unwrap_or_else(|| rules.documents_due_on(calendar, now)));
        for document in &words.documents {
            tx.execute(
                "insert into requested_document (application_id, evidence_code) values ($1, $2)
                 on conflict (application_id, evidence_code) do update set evidence_id = null",
                args![application.id, &document.evidence_code],
            )
            .await?;
        }
        self.watch_documents(tx, application).await
    }

    /// The documents an agency asked for, and whether each has come.
    pub async fn requested_documents(
        &self,
        application_ids: &[Uuid],
    ) -> Result<Vec<DocumentWanted>, Refusal> {
        let sql = format!(
            "select application_id, evidence_code, evidence_id from requested_document
             where application_id in {} order by application_id, evidence_code",
            self.database.engine().in_uuids("$1")
        );
        let rows = self.database.rows(&sql, args![json!(application_ids)]).await?;
        let wanted = rows.iter().map(|row| {
            Ok(DocumentWanted {
                application_id: row.get("application_id")?,
                evidence_code: row.get("evidence_code")?,
                evidence_id: row.get("evidence_id")?,
            })
        });
        wanted.collect()
    }

    /// One fault for each document that was asked for and has not come.
    pub(super) async fn missing_documents(
        &self,
        tx: &mut Tx,
        application: &Application,
        offering: &Offering,
    ) -> Result<Vec<FieldProblem>, Refusal> {
        let sql = "select evidence_code from requested_document
                   where application_id = $1 and evidence_id is null order by evidence_code";
        let mut faults = Vec::new();
        for row in tx.rows(sql, args![application.id]).await? {
            let code: String = row.get("evidence_code")?;
            let title = offering.requirement(&code).map(|asked| asked.title.clone());
            let title = title.unwrap_or_else(|| LocalizedText::new(code.as_str(), code.as_str()));
            faults.push(answers::fault(
                &format!("/evidence/{code}"),
                format!("หน่วยงานขอเอกสารนี้และยังไม่ได้รับ: {}", title.th),
                format!("The agency asked for this and it has not come: {}.", title.en.unwrap_or(title.th)),
            ));
        }
        Ok(faults)
    }
}

/// A document an agency asked for.
#[derive(Clone, Debug)]
pub struct DocumentWanted {
    pub application_id: Uuid,
    pub evidence_code: String,
    /// The file that came.
    pub evidence_id: Option<Uuid>,
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
