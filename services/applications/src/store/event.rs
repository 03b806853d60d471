//! What happened to applications: events that never change, and the moves they record.

use chrono::{DateTime, Utc};
use database::{ROWS_MAX, Row, Tx, args};
use outbox::Message;
use sealing::{Place, SubjectKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::application::{Application, Decision, unreadable};
use super::{Refusal, Store};
use crate::model::offering::{FeeOnRejection, Offering};
use crate::model::{ApplicationStatus, EventKind, FeeDue, stored_as_word};

/// Events read in one go by a subscription.
pub const EVENTS_READ_MAX: i64 = 100;

/// One event of an application.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Uuid,
    pub application_id: Uuid,
    pub sequence: i32,
    pub kind: EventKind,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    pub mandate_id: Option<Uuid>,
    pub party_id: Uuid,
    pub status_after: ApplicationStatus,
    pub detail: Json,
    /// Sealed.
    pub message: Option<Vec<u8>>,
    /// When it counts as received by law: of what the applicant sent to the agency.
    pub legally_received_at: Option<DateTime<Utc>>,
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<Uuid>,
}

/// What kind of actor it was.
#[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "ActorKind")]
pub enum ActorKind {
    /// The applicant, or someone acting for the applicant.
    Applicant,
    /// An officer of the agency.
    Officer,
    /// The rules themselves.
    System,
}

stored_as_word!(ActorKind { Applicant = "APPLICANT", Officer = "OFFICER", System = "SYSTEM" });

/// What an officer wrote to the applicant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Words {
    pub message: Option<String>,
    #[serde(default)]
    pub documents: Vec<RequestedDocument>,
}

/// A document asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestedDocument {
    pub evidence_code: String,
    pub message: Option<String>,
}

/// Something about to happen: what, by whom, with which words.
pub struct Entry {
    pub kind: EventKind,
    pub actor: Actor,
    pub mandate_id: Option<Uuid>,
    pub detail: Json,
    pub words: Option<Words>,
}

impl Event {
    /// The words in the clear, where there are any.
    pub fn words(&self, key: &SubjectKey) -> Result<Option<Words>, sealing::Error> {
        self.message.as_ref().map(|sealed| key.open_json(message_place(self.id), sealed)).transpose()
    }
}

impl Entry {
    pub fn by(kind: EventKind, actor: Actor) -> Self {
        Self { kind, actor, mandate_id: None, detail: json!({}), words: None }
    }

    pub fn by_system(kind: EventKind) -> Self {
        Self::by(kind, Actor { kind: ActorKind::System, id: None })
    }
}

impl Store {
    /// Moves an application, records it, does what follows by itself, and writes the row once.
    pub(super) async fn advance(
        &self,
        tx: &mut Tx,
        application: &mut Application,
        offering: &Offering,
        entry: Entry,
    ) -> Result<(), Refusal> {
        let due_before = application.due_on;
        self.step(tx, application, offering, entry).await?;
        while let Some(next) = application.status.follow_up(application.facts(offering)) {
            self.step(tx, application, offering, Entry::by_system(next)).await?;
        }
        if application.status.clock_runs() && application.due_on != due_before {
            self.watch_legal_time(tx, application).await?;
        }
        self.update_application(tx, application).await?;
        self.wake_after_commit(tx, application.id);
        Ok(())
    }

    async fn step(
        &self,
        tx: &mut Tx,
        application: &mut Application,
        offering: &Offering,
        entry: Entry,
    ) -> Result<(), Refusal> {
        let (kind, now) = (entry.kind, self.clock.now());
        let before = application.status;
        application.status = before.after(kind, application.facts(offering))?;
        self.turn_clock(application, before, offering);
        self.append(tx, application, &entry, now).await?;
        match kind {
            EventKind::Taken => application.taken_by = entry.actor.id,
            EventKind::DocumentsRequested => application.document_requests += 1,
            EventKind::FeeSettled => application.fee_settled_at = Some(now),
            EventKind::FeeFellDue => self.publish_fee(tx, application, offering).await?,
            EventKind::Submitted | EventKind::Resubmitted => {
                self.publish(tx, "applications.submitted", json!({ "application_id": application.id }))
                    .await?;
            }
            EventKind::Approved | EventKind::ApprovedAutomatically | EventKind::Rejected => {
                self.decide(tx, application, &entry, now).await?;
                self.publish(tx, "applications.decided", json!({ "application_id": application.id })).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn decide(
        &self,
        tx: &mut Tx,
        application: &mut Application,
        entry: &Entry,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let reason = match entry.words.as_ref().and_then(|words| words.message.as_ref()) {
            Some(reason) => Some(self.seal(tx, application, "decision_reason", reason).await?),
            None => None,
        };
        let outcome =
            if entry.kind == EventKind::Rejected { EventKind::Rejected } else { EventKind::Approved };
        let automatic = entry.kind == EventKind::ApprovedAutomatically;
        application.decision = Some(Decision { outcome, automatic, reason, decided_at: now });
        let decision = entry.kind.word();
        tx.after_commit(move || {
            metrics::counter!("applications_decided_total", "decision" => decision).increment(1);
        });
        Ok(())
    }

    async fn append(
        &self,
        tx: &mut Tx,
        application: &mut Application,
        entry: &Entry,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let id = self.clock.uuid();
        application.last_sequence += 1;
        let message = match &entry.words {
            Some(words) => {
                let party = application.applicant_party_id;
                Some(self.sealer.seal_json(tx, party, message_place(id), words, now).await?)
            }
            None => None,
        };
        let sent = entry.actor.kind == ActorKind::Applicant && application.submitted_at.is_some();
        let legally = || application.rules().legally_received_at(application.calendar(), now);
        tx.execute(
            "insert into application_event (id, application_id, sequence, kind, at, actor_kind, actor_id,
                mandate_id, party_id, status_after, detail, message, legally_received_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            args![
                id,
                application.id,
                application.last_sequence,
                entry.kind.word(),
                now,
                entry.actor.kind.word(),
                entry.actor.id,
                entry.mandate_id,
                application.applicant_party_id,
                application.status.word(),
                &entry.detail,
                message,
                sent.then(legally)
            ],
        )
        .await?;
        Ok(())
    }

    /// Events of applications after a sequence number, at most `limit` of each, in order.
    pub async fn events_after(
        &self,
        application_ids: &[Uuid],
        after: i32,
        limit: i64,
    ) -> Result<Vec<Event>, Refusal> {
        let sql = format!(
            "select * from (
                select application_event.*,
                    row_number() over (partition by application_id order by sequence) as place
                from application_event where application_id in {} and sequence > $2
             ) as numbered where place <= $3 order by application_id, sequence",
            self.database.engine().in_uuids("$1")
        );
        let mut events = Vec::new();
        let ids_max = usize::try_from(limit).map_or(1, |limit| ROWS_MAX / limit.max(1)).max(1);
        for ids in application_ids.chunks(ids_max) {
            let rows = self.database.rows(&sql, args![json!(ids), after, limit]).await?;
            for row in &rows {
                events.push(event_from_row(row)?);
            }
        }
        Ok(events)
    }

    pub(super) async fn publish(
        &self,
        tx: &mut Tx,
        topic: &'static str,
        payload: Json,
    ) -> Result<(), Refusal> {
        self.outbox.publish(tx, Message::new(topic, payload)).await?;
        Ok(())
    }

    async fn publish_fee(
        &self,
        tx: &mut Tx,
        application: &Application,
        offering: &Offering,
    ) -> Result<(), Refusal> {
        let payload = json!({
            "application_id": application.id,
            "party_id": application.applicant_party_id,
            "agency_code": offering.agency_code,
            "agency_name": offering.agency_name,
            "offering_id": offering.offering_id,
            "offering_revision": offering.revision,
            "service_code": offering.service_code,
            "service_title": offering.service_title,
            "amount_satang": offering.fee_satang,
            "on_rejection": offering.fee_on_rejection,
            "due": offering.fee_due,
        });
        self.publish(tx, "applications.fee_fell_due", payload).await
    }

    /// Tells payments that an application is closed and whether money that arrived goes back.
    pub(super) async fn publish_closed(
        &self,
        tx: &mut Tx,
        application: &Application,
        outcome: &'static str,
        refund: bool,
    ) -> Result<(), Refusal> {
        let payload = json!({ "application_id": application.id, "outcome": outcome, "refund": refund });
        self.publish(tx, "applications.closed", payload).await
    }
}

/// Whether money that arrived goes back: always while it was still owed, else as the offering says.
pub(super) fn refunds(before: ApplicationStatus, offering: &Offering) -> bool {
    before == ApplicationStatus::AwaitingPayment
        || (offering.fee_due() == FeeDue::Submission && offering.fee_on_rejection == FeeOnRejection::Refund)
}

fn message_place(event_id: Uuid) -> Place<'static> {
    Place { table: "application_event", column: "message", row: event_id }
}

fn event_from_row(row: &Row) -> Result<Event, Refusal> {
    let word = |column: &str| row.get::<String>(column);
    Ok(Event {
        id: row.get("id")?,
        application_id: row.get("application_id")?,
        sequence: row.get("sequence")?,
        kind: EventKind::from_word(&word("kind")?).ok_or_else(|| unreadable("kind"))?,
        at: row.get("at")?,
        actor: Actor {
            kind: ActorKind::from_word(&word("actor_kind")?).ok_or_else(|| unreadable("actor_kind"))?,
            id: row.get("actor_id")?,
        },
        mandate_id: row.get("mandate_id")?,
        party_id: row.get("party_id")?,
        status_after: ApplicationStatus::from_word(&word("status_after")?)
            .ok_or_else(|| unreadable("status_after"))?,
        detail: row.get("detail")?,
        message: row.get("message")?,
        legally_received_at: row.get("legally_received_at")?,
    })
}
