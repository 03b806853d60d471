//! Times that run: the legal days, the time for documents, the life of a draft. Their ends come as timers.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use database::{Tx, args};
use outbox::Message;
use serde::{Deserialize, Serialize};
use serde_json::json;
use switches::{Kind, Target};
use uuid::Uuid;

use super::application::Application;
use super::event::{Entry, refunds};
use super::{Refusal, Store};
use crate::model::offering::Offering;
use crate::model::{ApplicationStatus, EventKind};

/// Days in which a draft can be submitted after its service was opened again.
const DRAFT_GRACE_DAYS: i64 = 7;

/// Timers: messages to ourselves.
pub mod topic {
    /// The legal time is over, or the next notice is due.
    pub const LATENESS: &str = "applications.lateness";
    /// The day by which documents had to come is over.
    pub const DOCUMENTS_DUE: &str = "applications.documents_due";
    /// A draft may have run out.
    pub const DRAFT: &str = "applications.draft_runs_out";
}

/// `applications.lateness`: it holds only while the last day is still this one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lateness {
    application_id: Uuid,
    due_on: NaiveDate,
    /// The number of the notice, from 1.
    notice: i64,
    at: DateTime<Utc>,
}

/// `applications.documents_due`.
#[derive(Debug, Serialize, Deserialize)]
pub struct DocumentsDue {
    application_id: Uuid,
    due_on: NaiveDate,
}

/// `applications.draft_runs_out`.
#[derive(Debug, Serialize, Deserialize)]
pub struct OfDraft {
    application_id: Uuid,
}

impl Store {
    /// Stops the legal clock where it becomes the applicant's turn, and starts it where it ends. After
    /// the decision it is left as it stood.
    pub(super) fn turn_clock(
        &self,
        application: &mut Application,
        before: ApplicationStatus,
        offering: &Offering,
    ) {
        let (rules, calendar, now) = (application.rules(), application.calendar(), self.clock.now());
        let (counting, status) = (offering.legal_days_counted, application.status);
        if !before.clock_runs() && status.clock_runs() {
            let days = application.legal_days_left.take().and_then(|days| u32::try_from(days).ok());
            let received_at = rules.legally_received_at(calendar, now);
            let days = days.unwrap_or(offering.legal_days);
            application.due_on = Some(rules.due_on(calendar, received_at, days, counting));
        } else if matches!(status, ApplicationStatus::Returned | ApplicationStatus::AwaitingPayment)
            && before.clock_runs()
            && let Some(due_on) = application.due_on.take()
        {
            let received_at = application.legally_received_at.unwrap_or(now);
            let left = rules.days_left(calendar, now, received_at, due_on, counting);
            // Stopped again in the night it went on in, the day it would go on with is not one more.
            application.legal_days_left = Some(left.min(offering.legal_days).into());
        }
    }

    /// Sets the timer for the end of the legal days.
    pub(super) async fn watch_legal_time(&self, tx: &mut Tx, of: &Application) -> Result<(), Refusal> {
        let Some(due_on) = of.due_on else { return Ok(()) };
        let at = of.rules().closing(due_on);
        self.expect_lateness(tx, of, due_on, at).await
    }

    async fn expect_lateness(
        &self,
        tx: &mut Tx,
        of: &Application,
        due_on: NaiveDate,
        at: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let lateness = Lateness { application_id: of.id, due_on, notice: of.lateness_notices + 1, at };
        self.set_timer(tx, topic::LATENESS, &lateness, at).await
    }

    /// Sets the timer for the documents asked for.
    pub(super) async fn watch_documents(&self, tx: &mut Tx, of: &Application) -> Result<(), Refusal> {
        let (Some(due_on), Some(at)) = (of.documents_due_on, of.documents_due_at()) else { return Ok(()) };
        self.set_timer(tx, topic::DOCUMENTS_DUE, &DocumentsDue { application_id: of.id, due_on }, at).await
    }

    /// Sets the timer for a draft.
    pub(super) async fn watch_draft(
        &self,
        tx: &mut Tx,
        application_id: Uuid,
        at: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        self.set_timer(tx, topic::DRAFT, &OfDraft { application_id }, at).await
    }

    pub(super) async fn set_timer(
        &self,
        tx: &mut Tx,
        topic: &'static str,
        payload: &impl Serialize,
        at: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        self.outbox.publish(tx, Message::new(topic, serde_json::to_value(payload)?).not_before(at)).await?;
        Ok(())
    }

    /// A notice of lateness fell due: it is recorded and told once, and the next one is expected. Where
    /// time leaped, each notice the law asks for is still made.
    pub async fn notify_lateness(&self, message_id: Uuid, timer: Lateness) -> Result<(), Refusal> {
        let mut tx = self.database.begin().await?;
        let Some(mut application) = self.timed(&mut tx, message_id, timer.application_id).await? else {
            return Ok(tx.commit().await?);
        };
        let holds = application.status.clock_runs()
            && application.due_on == Some(timer.due_on)
            && application.lateness_notices + 1 == timer.notice;
        if holds {
            let offering =
                self.pinned_offering(&mut tx, application.offering_id, application.offering_revision).await?;
            let rules = application.rules();
            application.lateness_notices = timer.notice;
            let detail = json!({
                "notice": timer.notice,
                "reason_in_event": self.delay_explained_in(&mut tx, application.id).await?,
                "due_on": timer.due_on,
                "fell_due_at": timer.at,
                "copy_to": rules.lateness_copy_to,
            });
            let mut told = detail.clone();
            told["application_id"] = json!(application.id);
            told["agency_code"] = json!(application.agency_code);
            told["service_code"] = json!(application.service_code);
            let entry = Entry { detail, ..Entry::by_system(EventKind::LatenessNotified) };
            self.advance(&mut tx, &mut application, &offering, entry).await?;
            self.publish(&mut tx, "applications.decision_late", told).await?;
            let next = rules.next_lateness_notice_at(timer.at);
            self.expect_lateness(&mut tx, &application, timer.due_on, next).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The event in which the agency last said why it takes longer.
    async fn delay_explained_in(&self, tx: &mut Tx, application_id: Uuid) -> Result<Option<i64>, Refusal> {
        let sql = "select max(sequence) as sequence from application_event
                   where application_id = $1 and kind = 'DELAY_EXPLAINED'";
        let row = tx.row(sql, args![application_id]).await?;
        Ok(row.map(|row| row.get("sequence")).transpose()?.flatten())
    }

    /// The time for documents is over: an application that is still returned is given back.
    pub async fn end_documents_time(&self, message_id: Uuid, timer: DocumentsDue) -> Result<(), Refusal> {
        let mut tx = self.database.begin().await?;
        let application = self.timed(&mut tx, message_id, timer.application_id).await?;
        let returned = |application: &Application| {
            application.status == ApplicationStatus::Returned
                && application.documents_due_on == Some(timer.due_on)
        };
        if let Some(application) = application.filter(returned) {
            self.lapse(&mut tx, application).await?;
        }
        Ok(tx.commit().await?)
    }

    /// A draft may have run out; one that was touched meanwhile, or that could not be submitted because its
    /// service was closed, is looked at again later.
    pub async fn end_draft(&self, message_id: Uuid, timer: OfDraft) -> Result<(), Refusal> {
        let closures = self.switches.closures().await?;
        let mut tx = self.database.begin().await?;
        let application = self.timed(&mut tx, message_id, timer.application_id).await?;
        let draft = application.filter(|application| application.status == ApplicationStatus::Draft);
        if let Some(draft) = draft {
            let now = self.clock.now();
            let opens_at = match closures.of(Kind::PublicService, &draft.service_code) {
                Some(closure) => Some(closure.until.unwrap_or(now)),
                None => {
                    let service = Target::new(Kind::PublicService, draft.service_code.clone());
                    self.switches.open_since(&mut tx, &service).await?
                }
            };
            let grace_ends_at = opens_at.map(|at| at + Duration::days(DRAFT_GRACE_DAYS));
            match draft.expires_at.max(grace_ends_at) {
                Some(at) if at > now => self.watch_draft(&mut tx, draft.id, at).await?,
                _ => self.lapse(&mut tx, draft).await?,
            }
        }
        Ok(tx.commit().await?)
    }

    async fn lapse(&self, tx: &mut Tx, mut application: Application) -> Result<(), Refusal> {
        let before = application.status;
        let offering =
            self.pinned_offering(tx, application.offering_id, application.offering_revision).await?;
        if before == ApplicationStatus::Draft {
            self.clear_draft(tx, &mut application).await?;
        }
        let entry = Entry::by_system(EventKind::Lapsed);
        self.advance(tx, &mut application, &offering, entry).await?;
        if application.submitted_at.is_some() {
            let refund = refunds(before, &offering);
            self.publish_closed(tx, &application, "lapsed", refund).await?;
        }
        Ok(())
    }

    /// The application a timer is about, held; `None` when the timer came before.
    async fn timed(
        &self,
        tx: &mut Tx,
        message_id: Uuid,
        application_id: Uuid,
    ) -> Result<Option<Application>, Refusal> {
        if !outbox::first_time(tx, crate::events::CONSUMER, message_id, self.clock.now()).await? {
            return Ok(None);
        }
        self.locked_by_system(tx, application_id).await
    }
}
