//! Submitting, once, with a receipt number; and withdrawing.

use auth::{Citizen, Principal};
use database::{Tx, args};
use graphql::FieldProblem;
use serde_json::json;
use uuid::Uuid;

use super::application::{Application, unreadable};
use super::closure::check_open;
use super::draft::{by_applicant, check_editable};
use super::event::refunds;
use super::{Once, Reader, Refusal, Store};
use crate::model::answers::{self, Asked};
use crate::model::offering::Offering;
use crate::model::rules::{RuleSet, buddhist_year};
use crate::model::{ApplicationStatus, EventKind, NotAllowed};

/// What an applicant is told where an agency takes no applications.
pub const CLOSED: &str = "the agency takes no applications for this service at present";

impl Store {
    /// Submits, or submits again what was asked for: one transaction from the check to the message.
    pub async fn submit(
        &self,
        principal: &Principal,
        citizen: &Citizen,
        key: &str,
        id: Uuid,
        revision: i32,
    ) -> Result<Application, Refusal> {
        let reader = Reader::Parties(citizen.party_ids());
        let closures = self.switches.closures().await?;
        let mut tx = self.database.begin().await?;
        let once = Once::new(citizen.citizen_id, "submitApplication", key);
        if let Some(id) = self.begin(&mut tx, &once, &json!({ "id": id, "revision": revision })).await? {
            return self.locked(&mut tx, &reader, id).await;
        }
        let mut application = self.locked(&mut tx, &reader, id).await?;
        check_editable(&application, revision)?;
        let offering =
            self.pinned_offering(&mut tx, application.offering_id, application.offering_revision).await?;
        let required = offering.level_required();
        principal.require_level(required, self.clock.now()).map_err(Refusal::Failed)?;
        let faults = self.faults(&mut tx, &application, &offering).await?;
        if !faults.is_empty() {
            return Err(Refusal::Invalid(faults));
        }
        if application.status == ApplicationStatus::Returned
            && application.documents_due_at().is_some_and(|due_at| due_at <= self.clock.now())
        {
            return Err(NotAllowed::TooLate.into());
        }
        let acting = citizen.acting_for(application.applicant_party_id).ok_or(Refusal::NotFound)?;
        let kind = match application.status {
            ApplicationStatus::Returned => EventKind::Resubmitted,
            _ => EventKind::Submitted,
        };
        if kind == EventKind::Submitted {
            check_open(&closures, &application.service_code)?;
            let current = self.current_offering(&mut tx, application.offering_id).await?;
            if !current.accepting {
                return Err(Refusal::NotOffered(CLOSED));
            }
            self.receive(&mut tx, &mut application).await?;
        }
        application.revision += 1;
        let mut entry = by_applicant(kind, citizen, acting);
        entry.detail = json!({ "receipt_number": application.receipt_number });
        self.advance(&mut tx, &mut application, &offering, entry).await?;
        self.complete(&mut tx, &once, id).await?;
        if kind == EventKind::Submitted {
            tx.after_commit(|| metrics::counter!("applications_submitted_total").increment(1));
        }
        tx.commit().await?;
        Ok(application)
    }

    /// Withdraws, as long as nothing is decided.
    pub async fn withdraw(&self, citizen: &Citizen, key: &str, id: Uuid) -> Result<Application, Refusal> {
        let reader = Reader::Parties(citizen.party_ids());
        let mut tx = self.database.begin().await?;
        let once = Once::new(citizen.citizen_id, "withdrawApplication", key);
        if let Some(id) = self.begin(&mut tx, &once, &json!({ "id": id })).await? {
            return self.locked(&mut tx, &reader, id).await;
        }
        let mut application = self.locked(&mut tx, &reader, id).await?;
        let offering =
            self.pinned_offering(&mut tx, application.offering_id, application.offering_revision).await?;
        let acting = citizen.acting_for(application.applicant_party_id).ok_or(Refusal::NotFound)?;
        let before = application.status;
        let entry = by_applicant(EventKind::Withdrawn, citizen, acting);
        if before == ApplicationStatus::Draft {
            self.clear_draft(&mut tx, &mut application).await?;
        }
        self.advance(&mut tx, &mut application, &offering, entry).await?;
        if application.submitted_at.is_some() {
            let refund = refunds(before, &offering);
            self.publish_closed(&mut tx, &application, "withdrawn", refund).await?;
        }
        self.complete(&mut tx, &once, id).await?;
        tx.commit().await?;
        Ok(application)
    }

    /// Gives the receipt number and the time the law counts from, and pins the rules.
    async fn receive(&self, tx: &mut Tx, application: &mut Application) -> Result<(), Refusal> {
        let now = self.clock.now();
        let rules = RuleSet::in_force(now);
        let number = self.next_receipt_number(tx, &application.agency_code, buddhist_year(now)).await?;
        application.receipt_number = Some(number);
        application.rule_set = Some(rules.id.clone());
        application.submitted_at = Some(now);
        application.received_at = Some(now);
        application.legally_received_at = Some(rules.legally_received_at(application.calendar(), now));
        application.expires_at = None;
        Ok(())
    }

    /// The next receipt number of an agency and year, without gaps: it is taken in the caller's transaction.
    async fn next_receipt_number(&self, tx: &mut Tx, agency: &str, year_be: i32) -> Result<String, Refusal> {
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

    /// Everything that is missing or wrong, in answers and evidence, in one list.
    async fn faults(
        &self,
        tx: &mut Tx,
        application: &Application,
        offering: &Offering,
    ) -> Result<Vec<FieldProblem>, Refusal> {
        let answers = self.answers(tx, application).await?;
        let mut faults = match &offering.form {
            Some(form) => answers::faults(&form.schema, &answers, Asked::Submission)?,
            None => Vec::new(),
        };
        let stored = self.stored_evidence_codes(tx, application.id).await?;
        let asked = offering.evidence.iter().filter(|asked| asked.required && !asked.held_by_state);
        for asked in asked.filter(|asked| !stored.contains(&asked.code)) {
            let title = &asked.title;
            faults.push(answers::fault(
                &format!("/evidence/{}", asked.code),
                format!("กรุณาแนบเอกสาร: {}", title.th),
                format!("Please attach: {}.", title.en.as_ref().unwrap_or(&title.th)),
            ));
        }
        if application.status == ApplicationStatus::Returned {
            faults.extend(self.missing_documents(tx, application, offering).await?);
        }
        Ok(faults)
    }
}
