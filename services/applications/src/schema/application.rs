//! The application as its applicant and its agency see it.

use std::sync::Arc;

use async_graphql::{Context, Enum, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use graphql::{
    ApplicationId, Date, ErrorCode, Failure, LocalizedText, OfferingId, Page, PageConnection, PartyId,
};

use super::event::ApplicationEvent;
use super::evidence::Evidence;
use super::foreign::{Agency, Offering, Party, PublicService};
use super::{failed, key_of, loads, service};
use crate::loader::{DocumentsOf, EventsOf, EvidenceOf};
use crate::model::next_action::{Action, Actor, next_action};
use crate::model::{ApplicationStatus, EventKind};
use crate::store::application as stored;

/// An application for a public service (คำขอ).
#[derive(Clone)]
pub struct Application(pub Arc<stored::Application>);

impl From<stored::Application> for Application {
    fn from(stored: stored::Application) -> Self {
        Self(Arc::new(stored))
    }
}

/// An answer that came from a state register; the citizen is not asked for it and cannot change it.
#[derive(SimpleObject)]
pub struct AnswerSource {
    /// Which answer: a JSON pointer into `answers`.
    pointer: String,
    /// Which register field it is, such as `profile.name_th`.
    source: String,
    /// When it was read.
    fetched_at: DateTime<Utc>,
}

/// The agency's decision (คำสั่ง).
pub struct Decision {
    application: Arc<stored::Application>,
    decision: stored::Decision,
}

/// What was decided.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum DecisionOutcome {
    /// Approved (อนุมัติ).
    Approved,
    /// Rejected (ไม่อนุมัติ).
    Rejected,
}

/// What is expected of whom next.
#[derive(SimpleObject)]
pub struct NextAction {
    /// Whose turn it is.
    actor: Actor,
    /// What is to be done.
    action: Action,
    /// The same in words.
    description: LocalizedText,
    /// By when, where the law or the agency says so.
    due_at: Option<DateTime<Utc>>,
    /// Whether that, or the legal time for the decision, is over.
    overdue: bool,
}

/// A document the agency asked for.
#[derive(SimpleObject)]
pub struct DocumentWanted {
    /// Its code among the service's evidence.
    evidence_code: String,
    /// Whether it has come.
    received: bool,
}

/// An application for a public service (คำขอ).
#[Object]
impl Application {
    /// Its id.
    async fn id(&self) -> ApplicationId {
        self.0.id.into()
    }

    /// The receipt number (เลขรับ), from submission on: agency, year of the Buddhist era, number.
    async fn receipt_number(&self) -> Option<&str> {
        self.0.receipt_number.as_deref()
    }

    /// Where it stands.
    async fn status(&self) -> ApplicationStatus {
        self.0.status
    }

    /// The offering it is filed against.
    async fn offering(&self) -> Option<Offering> {
        Some(Offering { id: OfferingId::from(self.0.offering_id) })
    }

    /// The offering's revision in force when the draft was begun: its form, fee and legal days hold.
    async fn offering_revision(&self) -> i32 {
        self.0.offering_revision
    }

    /// The public service applied for.
    async fn public_service(&self) -> Option<PublicService> {
        Some(PublicService { code: self.0.service_code.clone() })
    }

    /// The agency that decides.
    async fn agency(&self) -> Option<Agency> {
        Some(Agency { code: self.0.agency_code.clone() })
    }

    /// For whom it is. Null to officers, who see `applicantName`.
    async fn applicant(&self, ctx: &Context<'_>) -> Option<Party> {
        auth::citizen(ctx).ok().map(|_| Party { id: PartyId::from(self.0.applicant_party_id) })
    }

    /// The applicant's name when the draft was begun. Null when the applicant's data was erased.
    async fn applicant_name(&self, ctx: &Context<'_>) -> Result<Option<LocalizedText>, Failure> {
        let key = key_of(ctx, self.0.applicant_party_id).await?;
        Ok(key.map(|key| self.0.applicant_name(&key)).transpose()?)
    }

    /// The answers to the form: an object by field name.
    async fn answers(&self, ctx: &Context<'_>) -> Result<Option<Json<serde_json::Value>>, Failure> {
        let key = key_of(ctx, self.0.applicant_party_id).await?;
        let answers = key.map(|key| self.0.answers(&key)).transpose()?;
        // Empty when the applicant was erased.
        Ok(Some(Json(answers.unwrap_or_else(|| serde_json::json!({})))))
    }

    /// Which answers came from state registers.
    async fn answer_sources(&self) -> Vec<AnswerSource> {
        let sources = self.0.answer_sources.iter().cloned();
        let shown = sources.map(|from| AnswerSource {
            pointer: from.pointer,
            source: from.source,
            fetched_at: from.fetched_at,
        });
        shown.collect()
    }

    /// The evidence attached (หลักฐาน), the newest file of each kind.
    async fn evidence(&self, ctx: &Context<'_>) -> Result<Vec<Evidence>, Failure> {
        let files = loads(ctx).load_one(EvidenceOf(self.0.id)).await.map_err(|refusal| failed(&refusal))?;
        Ok(files.unwrap_or_default().into_iter().map(Evidence).collect())
    }

    /// Counts up with each save; a save names the revision it began from.
    async fn revision(&self) -> i32 {
        self.0.revision
    }

    /// What happened, in order.
    async fn timeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the last one seen.")] after: Option<String>,
    ) -> Result<PageConnection<ApplicationEvent>, Failure> {
        let page = Page::parse(first, after)?;
        let after = page.after.as_ref().map_or(Ok(0), |after| after.parse());
        let after = after.map_err(|_| Failure::new(ErrorCode::BadUserInput, "`after` is not a cursor."))?;
        let part = EventsOf { application_id: self.0.id, after, limit: page.limit() };
        let events = loads(ctx).load_one(part).await.map_err(|refusal| failed(&refusal))?;
        let events = events.unwrap_or_default().into_iter().map(ApplicationEvent).collect();
        Ok(page.connection(events, |event: &ApplicationEvent| event.0.sequence.to_string()))
    }

    /// The decision, once there is one.
    async fn decision(&self) -> Option<Decision> {
        let decision = self.0.decision.clone()?;
        Some(Decision { application: Arc::clone(&self.0), decision })
    }

    /// What is expected of whom next.
    async fn next_action(&self, ctx: &Context<'_>) -> NextAction {
        let next = next_action(self.0.status, self.0.deadlines(), service(ctx).store.clock.now());
        NextAction {
            actor: next.actor,
            action: next.action,
            description: next.description,
            due_at: next.due_at,
            overdue: next.overdue,
        }
    }

    /// The documents the agency asked for, once it did.
    async fn documents_wanted(&self, ctx: &Context<'_>) -> Result<Vec<DocumentWanted>, Failure> {
        if self.0.document_requests == 0 {
            return Ok(Vec::new());
        }
        let wanted = loads(ctx).load_one(DocumentsOf(self.0.id)).await.map_err(|refusal| failed(&refusal))?;
        let shown = wanted.unwrap_or_default().into_iter().map(|wanted| DocumentWanted {
            evidence_code: wanted.evidence_code,
            received: wanted.evidence_id.is_some(),
        });
        Ok(shown.collect())
    }

    /// The last day for the documents asked for.
    async fn documents_due_on(&self) -> Option<Date> {
        self.0.documents_due_on.map(Date::from)
    }

    /// When the draft was begun.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was submitted.
    async fn submitted_at(&self) -> Option<DateTime<Utc>> {
        self.0.submitted_at
    }

    /// When it reached the agency's channel.
    async fn received_at(&self) -> Option<DateTime<Utc>> {
        self.0.received_at
    }

    /// When it counts as received by law: outside working time, the next working time (E-government
    /// Act B.E. 2565, section 10).
    async fn legally_received_at(&self) -> Option<DateTime<Utc>> {
        self.0.legally_received_at
    }

    /// The last day for the decision: the legal days, counted in the agency's working days. Null while
    /// the legal time stands still, because it is the applicant's turn.
    async fn due_on(&self) -> Option<Date> {
        self.0.due_on.map(Date::from)
    }

    /// The legal days left, while the legal time stands still.
    async fn legal_days_left(&self) -> Option<i32> {
        self.0.legal_days_left.and_then(|days| i32::try_from(days).ok())
    }

    /// How many notices of lateness the agency's silence has caused (Licensing Facilitation Act B.E. 2558,
    /// section 10: one every seven days until it decides).
    async fn lateness_notices(&self) -> i32 {
        i32::try_from(self.0.lateness_notices).unwrap_or(i32::MAX)
    }

    /// When a draft that nobody touches runs out.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// The set of legal rules in force on the day of receipt.
    async fn rule_set(&self) -> Option<&str> {
        self.0.rule_set.as_deref()
    }
}

/// The agency's decision (คำสั่ง).
#[Object]
impl Decision {
    /// What was decided.
    async fn outcome(&self) -> DecisionOutcome {
        match self.decision.outcome {
            EventKind::Rejected => DecisionOutcome::Rejected,
            _ => DecisionOutcome::Approved,
        }
    }

    /// Whether the rules decided, without an officer.
    async fn automatic(&self) -> bool {
        self.decision.automatic
    }

    /// Why.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>, Failure> {
        let key = key_of(ctx, self.application.applicant_party_id).await?;
        Ok(key.map(|key| self.application.decision_reason(&key)).transpose()?.flatten())
    }

    /// When.
    async fn decided_at(&self) -> DateTime<Utc> {
        self.decision.decided_at
    }
}
