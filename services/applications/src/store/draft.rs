//! A draft: begun with what the state knows, saved as often as one likes.

use auth::{Acting, Citizen};
use chrono::{DateTime, Duration, Utc};
use database::{Tx, args};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::application::Application;
use super::event::{Actor, ActorKind, Entry};
use super::{Once, Reader, Refusal, Store};
use crate::model::answers::{self, Asked};
use crate::model::offering::Offering;
use crate::model::prefill::Profile;
use crate::model::{ApplicationStatus, EventKind, NotAllowed};

const START: &str = "startApplication";
/// Drafts one party may have at once.
pub const DRAFTS_MAX: i64 = 20;
/// Days after which a draft that nobody touches runs out.
const DRAFT_DAYS: i64 = 60;

/// What a new draft is made of.
pub struct Beginning<'a> {
    pub offering: &'a Offering,
    pub acting: &'a Acting,
    pub profile: &'a Profile,
}

impl Store {
    /// The draft an earlier call under this key began: given again without asking anyone anything.
    pub async fn started(
        &self,
        citizen: &Citizen,
        key: &str,
        offering_id: Uuid,
        party_id: Uuid,
    ) -> Result<Option<Application>, Refusal> {
        let mut tx = self.database.begin().await?;
        let once = Once::new(citizen.citizen_id, START, key);
        match self.begin(&mut tx, &once, &fingerprint(offering_id, party_id)).await? {
            Some(id) => Ok(Some(self.locked(&mut tx, &Reader::Parties(citizen.party_ids()), id).await?)),
            // Dropping the transaction gives the key back.
            None => Ok(None),
        }
    }

    /// Begins a draft; asked again under the same key it returns the same one.
    pub async fn start(
        &self,
        citizen: &Citizen,
        key: &str,
        beginning: &Beginning<'_>,
    ) -> Result<Application, Refusal> {
        let Beginning { offering, acting, profile } = beginning;
        let mut tx = self.database.begin().await?;
        let once = Once::new(citizen.citizen_id, START, key);
        let fingerprint = fingerprint(offering.offering_id, acting.party_id);
        if let Some(id) = self.begin(&mut tx, &once, &fingerprint).await? {
            return self.locked(&mut tx, &Reader::Parties(citizen.party_ids()), id).await;
        }
        let now = self.clock.now();
        // Of those that begin drafts for one party one goes on at a time, and none after an erasure.
        self.sealer.hold(&mut tx, acting.party_id, now).await?;
        self.check_drafts(&mut tx, acting.party_id).await?;
        let form = offering.form.as_ref().map_or(&Json::Null, |form| &form.schema);
        let (first_answers, answer_sources) = profile.answers(form, now);
        let mut application = Application {
            id: self.clock.uuid(),
            applicant_party_id: acting.party_id,
            offering_id: offering.offering_id,
            offering_revision: offering.revision,
            service_code: offering.service_code.clone(),
            agency_code: offering.agency_code.clone(),
            status: ApplicationStatus::Draft,
            revision: 1,
            receipt_number: None,
            rule_set: None,
            applicant_name: Vec::new(),
            answers: Vec::new(),
            answer_sources,
            last_sequence: 0,
            document_requests: 0,
            taken_by: None,
            fee_settled_at: None,
            decision: None,
            created_at: now,
            submitted_at: None,
            received_at: None,
            legally_received_at: None,
            due_on: None,
            legal_days_left: None,
            documents_due_on: None,
            lateness_notices: 0,
            expires_at: Some(runs_out_at(now)),
        };
        application.answers = self.seal(&mut tx, &application, "answers", &first_answers).await?;
        application.applicant_name =
            self.seal(&mut tx, &application, "applicant_name", &profile.applicant_name()).await?;
        let applicant_index = match &profile.party.registration_number {
            Some(number) => Some(self.applicant_index(number)),
            None => profile.number_index.clone(),
        };
        self.insert_application(&mut tx, &application, applicant_index).await?;
        self.watch_draft(&mut tx, application.id, runs_out_at(now)).await?;
        let entry = by_applicant(EventKind::Started, citizen, acting);
        self.advance(&mut tx, &mut application, offering, entry).await?;
        self.complete(&mut tx, &once, application.id).await?;
        tx.commit().await?;
        Ok(application)
    }

    /// Saves the answers, when nobody saved since `revision`.
    pub async fn save(
        &self,
        citizen: &Citizen,
        key: &str,
        id: Uuid,
        revision: i32,
        answers: Json,
    ) -> Result<Application, Refusal> {
        let reader = Reader::Parties(citizen.party_ids());
        let mut tx = self.database.begin().await?;
        let once = Once::new(citizen.citizen_id, "saveApplicationDraft", key);
        let fingerprint = json!({ "id": id, "revision": revision, "answers": answers });
        if let Some(id) = self.begin(&mut tx, &once, &fingerprint).await? {
            return self.locked(&mut tx, &reader, id).await;
        }
        let mut application = self.locked(&mut tx, &reader, id).await?;
        check_editable(&application, revision)?;
        let offering =
            self.pinned_offering(&mut tx, application.offering_id, application.offering_revision).await?;
        let mut answers = answers::without_nulls(answers);
        let kept = self.answers(&mut tx, &application).await?;
        let mut faults = answers::keep_sourced(&mut answers, &kept, &application.answer_sources);
        if let Some(form) = &offering.form {
            faults.extend(answers::faults(&form.schema, &answers, Asked::Draft)?);
        }
        if !faults.is_empty() {
            return Err(Refusal::Invalid(faults));
        }
        application.answers = self.seal(&mut tx, &application, "answers", &answers).await?;
        application.revision += 1;
        if application.status == ApplicationStatus::Draft {
            self.prolong(&mut tx, &mut application).await?;
        }
        self.update_application(&mut tx, &application).await?;
        self.complete(&mut tx, &once, id).await?;
        tx.commit().await?;
        Ok(application)
    }

    /// Whether the party, whose key is held, may begin another draft.
    async fn check_drafts(&self, tx: &mut Tx, party_id: Uuid) -> Result<(), Refusal> {
        let counted = "select count(*) as drafts from application
                       where applicant_party_id = $1 and status = 'DRAFT'";
        let row = tx.row(counted, args![party_id]).await?.ok_or(Refusal::NotFound)?;
        if row.get::<i64>("drafts")? < DRAFTS_MAX { Ok(()) } else { Err(Refusal::TooManyDrafts) }
    }

    /// Somebody touched a draft: it runs out later. Its timer looks again then; one begun before there
    /// were such timers gets its first.
    pub(super) async fn prolong(&self, tx: &mut Tx, draft: &mut Application) -> Result<(), Refusal> {
        let runs_out_at = runs_out_at(self.clock.now());
        if draft.expires_at.replace(runs_out_at).is_none() {
            self.watch_draft(tx, draft.id, runs_out_at).await?;
        }
        Ok(())
    }

    /// Forgets what was typed and attached, before a draft is closed: nobody else ever saw it.
    pub(super) async fn clear_draft(&self, tx: &mut Tx, draft: &mut Application) -> Result<(), Refusal> {
        draft.answers = self.seal(tx, draft, "answers", &json!({})).await?;
        draft.expires_at = None;
        self.discard_objects(tx, draft.id).await
    }
}

/// When a draft touched now runs out.
fn runs_out_at(touched_at: DateTime<Utc>) -> DateTime<Utc> {
    touched_at + Duration::days(DRAFT_DAYS)
}

fn fingerprint(offering_id: Uuid, party_id: Uuid) -> Json {
    json!({ "offering": offering_id, "party": party_id })
}

/// Refuses what is no longer the applicant's to change, and what was changed elsewhere meanwhile.
pub(super) fn check_editable(application: &Application, revision: i32) -> Result<(), Refusal> {
    if application.status.is_terminal() {
        return Err(NotAllowed::Closed.into());
    }
    if !application.status.is_editable() {
        return Err(NotAllowed::WrongStatus.into());
    }
    if application.revision != revision {
        return Err(Refusal::OldRevision(Box::new(application.clone())));
    }
    Ok(())
}

/// An entry of the applicant, or of who acts for the applicant by mandate.
pub(super) fn by_applicant(kind: EventKind, citizen: &Citizen, acting: &Acting) -> Entry {
    let actor = Actor { kind: ActorKind::Applicant, id: Some(citizen.citizen_id) };
    Entry { mandate_id: acting.mandate_id, ..Entry::by(kind, actor) }
}
