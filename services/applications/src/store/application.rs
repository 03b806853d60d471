//! The application's row: reading as its applicant or agency, locking, writing.

use chrono::{DateTime, NaiveDate, Utc};
use database::{Engine, Row, Tx, Value, args};
use graphql::LocalizedText;
use sealing::{Place, SubjectKey};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Reader, Refusal, Store};
use crate::model::calendar::Calendar;
use crate::model::next_action::Deadlines;
use crate::model::offering::Offering;
use crate::model::prefill::Source;
use crate::model::rules::RuleSet;
use crate::model::{ApplicationStatus, EventKind, Facts};

pub(super) const COLUMNS: &str =
    "id, applicant_party_id, offering_id, offering_revision, service_code, agency_code,
    status, revision, receipt_number, rule_set, applicant_name, answers, answer_sources, last_sequence,
    document_requests, taken_by, fee_settled_at, decision, decision_automatic, decision_reason, decided_at,
    created_at, submitted_at, received_at, legally_received_at, due_on, legal_days_left, documents_due_on,
    lateness_notices, expires_at";

/// An application as it is kept; what is personal is sealed.
#[derive(Clone, Debug)]
pub struct Application {
    pub id: Uuid,
    pub applicant_party_id: Uuid,
    pub offering_id: Uuid,
    pub offering_revision: i32,
    pub service_code: String,
    pub agency_code: String,
    pub status: ApplicationStatus,
    pub revision: i32,
    pub receipt_number: Option<String>,
    pub rule_set: Option<String>,
    pub applicant_name: Vec<u8>,
    pub answers: Vec<u8>,
    pub answer_sources: Vec<Source>,
    pub last_sequence: i32,
    pub document_requests: i64,
    pub taken_by: Option<Uuid>,
    pub fee_settled_at: Option<DateTime<Utc>>,
    pub decision: Option<Decision>,
    pub created_at: DateTime<Utc>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub received_at: Option<DateTime<Utc>>,
    pub legally_received_at: Option<DateTime<Utc>>,
    /// The last day for the decision; none while the legal clock stands still.
    pub due_on: Option<NaiveDate>,
    /// The legal days left while it stands still.
    pub legal_days_left: Option<i64>,
    pub documents_due_on: Option<NaiveDate>,
    pub lateness_notices: i64,
    /// When a draft that nobody touches runs out.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The outcome (คำสั่ง).
#[derive(Clone, Debug)]
pub struct Decision {
    /// Approved or rejected, as the event that decided.
    pub outcome: EventKind,
    pub automatic: bool,
    /// Sealed.
    pub reason: Option<Vec<u8>>,
    pub decided_at: DateTime<Utc>,
}

impl Application {
    /// What the rules need to know.
    pub fn facts(&self, offering: &Offering) -> Facts {
        let rules = self.rules();
        Facts {
            fee_settled: self.fee_settled_at.is_some(),
            taken: self.taken_by.is_some(),
            document_requests: self.document_requests,
            document_requests_max: rules.document_requests_max,
            ..offering.facts()
        }
    }

    /// The legal rules that hold for it: pinned on the day of receipt.
    pub fn rules(&self) -> &'static RuleSet {
        self.rule_set.as_deref().map_or_else(|| RuleSet::in_force(self.created_at), RuleSet::pinned)
    }

    /// The working calendar of its agency.
    pub fn calendar(&self) -> Calendar {
        Calendar::of(&self.agency_code)
    }

    /// By when the documents asked for have to come.
    pub fn documents_due_at(&self) -> Option<DateTime<Utc>> {
        self.documents_due_on.map(|day| self.rules().closing(day))
    }

    /// The ends of the times that may run for it.
    pub fn deadlines(&self) -> Deadlines {
        let (rules, calendar) = (self.rules(), self.calendar());
        Deadlines {
            draft: self.expires_at,
            check: self.legally_received_at.map(|received| rules.checked_by(calendar, received)),
            decision: self.due_on.map(|day| rules.closing(day)),
            documents: self.documents_due_at(),
        }
    }

    /// The answers in the clear.
    pub fn answers(&self, key: &SubjectKey) -> Result<Json, sealing::Error> {
        key.open_json(place("answers", self.id), &self.answers)
    }

    /// The applicant's name in the clear.
    pub fn applicant_name(&self, key: &SubjectKey) -> Result<LocalizedText, sealing::Error> {
        key.open_json(place("applicant_name", self.id), &self.applicant_name)
    }

    /// The reason of the decision in the clear, where there is one.
    pub fn decision_reason(&self, key: &SubjectKey) -> Result<Option<String>, sealing::Error> {
        let sealed = self.decision.as_ref().and_then(|decision| decision.reason.as_ref());
        sealed.map(|sealed| key.open_json(place("decision_reason", self.id), sealed)).transpose()
    }

    pub(super) fn from_row(row: &Row) -> Result<Self, Refusal> {
        let status: String = row.get("status")?;
        let decision: Option<String> = row.get("decision")?;
        let decision = match decision.as_deref().and_then(EventKind::from_word) {
            Some(outcome) => Some(Decision {
                outcome,
                automatic: row.get("decision_automatic")?,
                reason: row.get("decision_reason")?,
                decided_at: row.get("decided_at")?,
            }),
            None => None,
        };
        Ok(Self {
            id: row.get("id")?,
            applicant_party_id: row.get("applicant_party_id")?,
            offering_id: row.get("offering_id")?,
            offering_revision: row.get("offering_revision")?,
            service_code: row.get("service_code")?,
            agency_code: row.get("agency_code")?,
            status: ApplicationStatus::from_word(&status).ok_or_else(|| unreadable("status"))?,
            revision: row.get("revision")?,
            receipt_number: row.get("receipt_number")?,
            rule_set: row.get("rule_set")?,
            applicant_name: row.get("applicant_name")?,
            answers: row.get("answers")?,
            answer_sources: serde_json::from_value(row.get::<Json>("answer_sources")?)?,
            last_sequence: row.get("last_sequence")?,
            document_requests: row.get("document_requests")?,
            taken_by: row.get("taken_by")?,
            fee_settled_at: row.get("fee_settled_at")?,
            decision,
            created_at: row.get("created_at")?,
            submitted_at: row.get("submitted_at")?,
            received_at: row.get("received_at")?,
            legally_received_at: row.get("legally_received_at")?,
            due_on: row.get("due_on")?,
            legal_days_left: row.get("legal_days_left")?,
            documents_due_on: row.get("documents_due_on")?,
            lateness_notices: row.get("lateness_notices")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

impl Store {
    /// An application, for someone who may see it.
    pub async fn application(&self, reader: &Reader, id: Uuid) -> Result<Application, Refusal> {
        let (theirs, reader) = visible(reader, self.database.engine());
        let sql = format!("select {COLUMNS} from application where id = $1 and {theirs}");
        let row = self.database.row(&sql, vec![Value::from(id), reader]).await?;
        Application::from_row(&row.ok_or(Refusal::NotFound)?)
    }

    /// Those of these applications that someone may see.
    pub async fn applications_with_ids(
        &self,
        reader: &Reader,
        ids: &[Uuid],
    ) -> Result<Vec<Application>, Refusal> {
        let engine = self.database.engine();
        let (theirs, reader) = visible(reader, engine);
        let named = engine.in_uuids("$1");
        let sql = format!("select {COLUMNS} from application where id in {named} and {theirs}");
        let rows = self.database.rows(&sql, vec![Value::from(json!(ids)), reader]).await?;
        rows.iter().map(Application::from_row).collect()
    }

    /// An application, held until the transaction ends.
    pub(super) async fn locked(
        &self,
        tx: &mut Tx,
        reader: &Reader,
        id: Uuid,
    ) -> Result<Application, Refusal> {
        let (theirs, reader) = visible(reader, tx.engine());
        let lock = tx.engine().for_update();
        let sql = format!("select {COLUMNS} from application where id = $1 and {theirs}{lock}");
        let row = tx.row(&sql, vec![Value::from(id), reader]).await?;
        Application::from_row(&row.ok_or(Refusal::NotFound)?)
    }

    /// Any application, held until the transaction ends: for messages of other services.
    pub(super) async fn locked_by_system(
        &self,
        tx: &mut Tx,
        id: Uuid,
    ) -> Result<Option<Application>, Refusal> {
        let lock = tx.engine().for_update();
        let sql = format!("select {COLUMNS} from application where id = $1{lock}");
        tx.row(&sql, args![id]).await?.as_ref().map(Application::from_row).transpose()
    }

    pub(super) async fn insert_application(
        &self,
        tx: &mut Tx,
        new: &Application,
        applicant_index: Option<Vec<u8>>,
    ) -> Result<(), Refusal> {
        tx.execute(
            "insert into application (id, applicant_party_id, offering_id, offering_revision, service_code,
                agency_code, status, revision, applicant_name, answers, answer_sources, last_sequence,
                document_requests, decision_automatic, created_at, expires_at, applicant_index)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12, $13, $14, $15)",
            args![
                new.id,
                new.applicant_party_id,
                new.offering_id,
                new.offering_revision,
                &new.service_code,
                &new.agency_code,
                new.status.word(),
                new.revision,
                &new.applicant_name,
                &new.answers,
                serde_json::to_value(&new.answer_sources)?,
                false,
                new.created_at,
                new.expires_at,
                applicant_index
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes everything about an application that may change.
    pub(super) async fn update_application(&self, tx: &mut Tx, now: &Application) -> Result<(), Refusal> {
        let decision = now.decision.as_ref();
        tx.execute(
            "update application set status = $2, revision = $3, receipt_number = $4, rule_set = $5,
                answers = $6, last_sequence = $7, document_requests = $8, taken_by = $9, fee_settled_at = $10,
                decision = $11, decision_automatic = $12, decision_reason = $13, decided_at = $14,
                submitted_at = $15, received_at = $16, legally_received_at = $17, due_on = $18,
                legal_days_left = $19, documents_due_on = $20, lateness_notices = $21, expires_at = $22
             where id = $1",
            args![
                now.id,
                now.status.word(),
                now.revision,
                now.receipt_number.as_deref(),
                now.rule_set.as_deref(),
                &now.answers,
                now.last_sequence,
                now.document_requests,
                now.taken_by,
                now.fee_settled_at,
                decision.map(|decision| decision.outcome.word()),
                decision.is_some_and(|decision| decision.automatic),
                decision.and_then(|decision| decision.reason.clone()),
                decision.map(|decision| decision.decided_at),
                now.submitted_at,
                now.received_at,
                now.legally_received_at,
                now.due_on,
                now.legal_days_left,
                now.documents_due_on,
                now.lateness_notices,
                now.expires_at
            ],
        )
        .await?;
        Ok(())
    }

    /// The answers in the clear, within a transaction; an empty object when the applicant was erased.
    pub(super) async fn answers(&self, tx: &mut Tx, of: &Application) -> Result<Json, Refusal> {
        let place = place("answers", of.id);
        let opened = self.sealer.open_json(tx, of.applicant_party_id, place, &of.answers).await?;
        Ok(opened.unwrap_or_else(|| json!({})))
    }

    /// Seals a value of an application's row for its applicant.
    pub(super) async fn seal(
        &self,
        tx: &mut Tx,
        of: &Application,
        column: &'static str,
        value: &impl serde::Serialize,
    ) -> Result<Vec<u8>, Refusal> {
        let place = place(column, of.id);
        Ok(self.sealer.seal_json(tx, of.applicant_party_id, place, value, self.clock.now()).await?)
    }
}

/// Ownership lives in the query: `$2` is the reader's parties or agency. Officers see nothing unsubmitted.
pub(super) fn visible(reader: &Reader, engine: Engine) -> (String, Value) {
    match reader {
        Reader::Parties(parties) => {
            (format!("applicant_party_id in {}", engine.in_uuids("$2")), Value::from(json!(parties)))
        }
        Reader::Agency(code) => {
            ("agency_code = $2 and submitted_at is not null".to_owned(), Value::from(code))
        }
    }
}

fn place(column: &'static str, id: Uuid) -> Place<'static> {
    Place { table: "application", column, row: id }
}

pub(super) fn unreadable(column: &str) -> database::Error {
    database::Error::Column { column: column.to_owned(), reason: "not a value this version knows".to_owned() }
}
