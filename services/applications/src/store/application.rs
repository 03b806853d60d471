//! The application's row: reading as its applicant or agency, locking, writing.

use chrono::{DateTime, NaiveDate, Utc};
use database::{Engine, Row, Tx, Value, args};
use graphql::LocalizedText;
use sealing::{Place, SubjectKey};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Reader, Refusal, Store};
use crate::model::offering::Offering;
use crate::model::prefill::Source;
use crate::model::rules::RuleSet;
use crate::model::{ApplicationStatus, EventKind, Facts};

const COLUMNS: &str = "id, applicant_party_id, offering_id, offering_revision, service_code, agency_code,
    status, revision, receipt_number, rule_set, applicant_name, answers, answer_sources, last_sequence,
    document_requests, taken_by, fee_settled_at, decision, decision_automatic, decision_reason, decided_at,
    created_at, submitted_at, received_at, legally_received_at, due_on";

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
    pub due_on: Option<NaiveDate>,
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

/// Which applications to list: newest first, unless asked otherwise.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub status: Option<ApplicationStatus>,
    pub party_id: Option<Uuid>,
    pub service_code: Option<String>,
    /// The id the previous page ended with.
    pub beyond: Option<Uuid>,
    pub oldest_first: bool,
    pub limit: i64,
}

impl Application {
    /// What the rules need to know.
    pub fn facts(&self, offering: &Offering) -> Facts {
        let rules =
            self.rule_set.as_deref().map_or_else(|| RuleSet::in_force(self.created_at), RuleSet::pinned);
        Facts {
            fee_settled: self.fee_settled_at.is_some(),
            taken: self.taken_by.is_some(),
            document_requests: self.document_requests,
            document_requests_max: rules.document_requests_max,
            ..offering.facts()
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

    fn from_row(row: &Row) -> Result<Self, Refusal> {
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

    /// Applications someone may see.
    pub async fn applications(
        &self,
        reader: &Reader,
        listing: &Listing,
    ) -> Result<Vec<Application>, Refusal> {
        let (theirs, reader) = visible(reader, self.database.engine());
        let mut sql = format!("select {COLUMNS} from application where {theirs}");
        // `$1` is left to the id elsewhere: here it carries the limit.
        let mut bound = vec![Value::from(listing.limit), reader];
        let mut also = |condition: &str, value: Value| {
            bound.push(value);
            sql.push_str(&format!(" and {condition} ${}", bound.len()));
        };
        if let Some(status) = listing.status {
            also("status =", status.word().into());
        }
        if let Some(party_id) = listing.party_id {
            also("applicant_party_id =", party_id.into());
        }
        if let Some(code) = &listing.service_code {
            also("service_code =", code.into());
        }
        let (beyond, order) = if listing.oldest_first { ("id >", "asc") } else { ("id <", "desc") };
        if let Some(id) = listing.beyond {
            also(beyond, id.into());
        }
        // Ids are uuids of version 7: they sort by the time the draft was begun.
        sql.push_str(&format!(" order by id {order} limit $1"));
        self.database.rows(&sql, bound).await?.iter().map(Application::from_row).collect()
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

    pub(super) async fn insert_application(&self, tx: &mut Tx, new: &Application) -> Result<(), Refusal> {
        tx.execute(
            "insert into application (id, applicant_party_id, offering_id, offering_revision, service_code,
                agency_code, status, revision, applicant_name, answers, answer_sources, last_sequence,
                document_requests, decision_automatic, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12, $13)",
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
                new.created_at
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
                submitted_at = $15, received_at = $16, legally_received_at = $17, due_on = $18
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
                now.due_on
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

    /// The next receipt number of an agency and year, without gaps: it is taken in the caller's transaction.
    pub(super) async fn next_receipt_number(
        &self,
        tx: &mut Tx,
        agency: &str,
        year_be: i32,
    ) -> Result<String, Refusal> {
        let row = tx
            .row(
                "insert into receipt_series (agency_code, year_be, last_number) values ($1, $2, 1)
                 on conflict (agency_code, year_be) do update set last_number = receipt_series.last_number + 1
                 returning last_number",
                args![agency, year_be],
            )
            .await?
            .ok_or_else(|| unreadable("receipt_series"))?;
        let number: i64 = row.get("last_number")?;
        Ok(format!("{agency}-{year_be}-{number:06}"))
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
