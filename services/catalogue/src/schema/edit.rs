//! Editing an offering without a file: by officers of its agency, recorded for good.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject, Union};
use auth::{Officer, Role};
use graphql::{
    ConflictProblem, Failure, FieldProblem, InvalidInput, LocalizedText, NotFoundProblem, OfferingId,
};

use super::offering::Offering;
use super::problem::OfferingRevisionConflict;
use crate::Service;
use crate::model::{
    Contact, DaysCounted, FactStatus, Fee, FeeDue, FeeOnRejection, LegalDays, OfferingEdit, fault, satang_of,
};
use crate::store::{Edit, EditRefusal};

/// The scope that editing and reading the record of edits needs.
const SCOPE: &str = "catalogue:edit";
const REASON_CHARS_MAX: usize = 2_000;

/// Which offering to change, and into what. What is left out stays as it is.
#[derive(InputObject)]
pub struct EditOfferingInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The offering.
    offering_id: OfferingId,
    /// The revision you read: an edit of an older one is refused.
    revision: i32,
    /// Its fee, all of it.
    fee: Option<OfferingFeeInput>,
    /// The days allowed for the decision, all that is said of them.
    legal_days: Option<OfferingLegalDaysInput>,
    /// Where to go at this agency; an empty list for where the service says.
    contacts: Option<Vec<OfferingContactInput>>,
    /// Whether applications can be started.
    accepting: Option<bool>,
    /// Why, for the record: at most 2,000 characters, such as the ordinance that sets the fee.
    reason: String,
}

/// A text in both languages.
#[derive(InputObject)]
pub struct LocalizedTextInput {
    /// In Thai (ภาษาไทย).
    th: String,
    /// In English.
    en: String,
}

/// A fee (ค่าธรรมเนียม).
#[derive(InputObject)]
pub struct OfferingFeeInput {
    /// In baht with two decimals, `"505.00"`; left out when an officer assesses it, as the note tells.
    amount: Option<String>,
    /// When it falls due.
    due: FeeDue,
    /// What happens to a fee already paid when the application is rejected.
    on_rejection: FeeOnRejection,
    /// Whether it was read in a source. Production takes no samples.
    fact_status: FactStatus,
    /// Where it was read.
    source: Option<String>,
    /// What else there is to know of it.
    note: Option<LocalizedTextInput>,
}

/// The days allowed for the decision.
#[derive(InputObject)]
pub struct OfferingLegalDaysInput {
    /// How many; 0 means at once.
    days: i32,
    /// Which days count.
    #[graphql(default)]
    counted: DaysCounted,
    /// Whether they were read in a source.
    fact_status: FactStatus,
    /// Where they were read.
    source: Option<String>,
    /// What else there is to know of them.
    note: Option<LocalizedTextInput>,
}

/// Where to go or to call.
#[derive(InputObject)]
pub struct OfferingContactInput {
    /// The place, the site or the line.
    name: LocalizedTextInput,
    /// Its address on the web, beginning with `https://`.
    url: Option<String>,
    /// Its telephone number.
    phone: Option<String>,
    /// Whether this was read in a source.
    fact_status: FactStatus,
    /// Where it was read.
    source: Option<String>,
}

/// The offering has what was asked for.
#[derive(SimpleObject)]
pub struct OfferingEdited {
    /// The offering, at its new revision; at the one it had when nothing was different.
    offering: Offering,
}

/// What came of `editOffering`.
#[derive(Union)]
pub enum EditOfferingPayload {
    OfferingEdited(OfferingEdited),
    InvalidInput(InvalidInput),
    OfferingRevisionConflict(OfferingRevisionConflict),
    NotFoundProblem(NotFoundProblem),
    ConflictProblem(ConflictProblem),
}

/// Writes on offerings.
#[derive(Default)]
pub struct OfferingMutation;

#[Object]
impl OfferingMutation {
    /// Changes an offering of the officer's agency: a new revision, recorded with who made it and why.
    /// Applications keep the revision they began with. A file that is published later has the last word.
    #[graphql(requires_scopes = "catalogue:edit")]
    async fn edit_offering(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which offering, and into what.")] input: EditOfferingInput,
    ) -> Result<Option<EditOfferingPayload>, Failure> {
        let officer = editor(context)?;
        let (change, reason) = match read(&input) {
            Ok(read) => read,
            Err(fields) => return Ok(Some(invalid(fields))),
        };
        let service = context.data_unchecked::<Service>();
        let edit = Edit {
            officer,
            subject: &auth::principal(context).subject(),
            key: &input.idempotency_key,
            offering: input.offering_id.uuid(),
            revision: i64::from(input.revision),
            change: &change,
            reason,
        };
        let edited = service.store().edit_offering(&edit, service.refuses_sample_fees()).await;
        Ok(Some(match edited {
            Ok(record) => OfferingEdited { offering: Offering(Arc::new(record)) }.into(),
            Err(EditRefusal::Failed(error)) => return Err(error.into()),
            Err(EditRefusal::Invalid(fields)) => invalid(fields),
            Err(EditRefusal::OldRevision(record)) => {
                OfferingRevisionConflict::new(Offering(Arc::new(*record))).into()
            }
            Err(EditRefusal::NotFound) => {
                NotFoundProblem::new("There is no such offering, or it is not your agency's.").into()
            }
            Err(EditRefusal::KeyReused) => ConflictProblem::new(
                "The idempotency key was used for something else, or is empty or too long.",
            )
            .into(),
        }))
    }
}

/// The officer who may edit: one who decides for the agency.
fn editor<'a>(context: &Context<'a>) -> Result<&'a Officer, Failure> {
    let officer = reader(context)?;
    officer.require_role(Role::Approver)?;
    Ok(officer)
}

/// The officer who may read the record.
pub fn reader<'a>(context: &Context<'a>) -> Result<&'a Officer, Failure> {
    let officer = auth::officer(context)?;
    auth::principal(context).require_scope(SCOPE)?;
    Ok(officer)
}

fn invalid(fields: Vec<FieldProblem>) -> EditOfferingPayload {
    InvalidInput::new("Some parts were refused.", fields).into()
}

/// The change and the reason, or what of them cannot be read.
fn read(input: &EditOfferingInput) -> Result<(OfferingEdit, &str), Vec<FieldProblem>> {
    let mut faults = Vec::new();
    let reason = input.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        let en = format!("Must have 1 to {REASON_CHARS_MAX} characters.");
        faults.push(fault("/reason", "ระบุเหตุผลไม่เกิน 2,000 ตัวอักษร", en));
    }
    let amount = input.fee.as_ref().and_then(|fee| fee.amount.as_deref()).map(satang_of).transpose();
    let satang = amount.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    if !faults.is_empty() {
        return Err(faults);
    }
    let fee = input.fee.as_ref().map(|fee| Fee {
        satang,
        due: fee.due,
        on_rejection: fee.on_rejection,
        status: fee.fact_status,
        source: fee.source.clone(),
        note: fee.note.as_ref().map(text),
    });
    let legal_days = input.legal_days.as_ref().map(|legal_days| LegalDays {
        days: legal_days.days,
        counted: legal_days.counted,
        status: legal_days.fact_status,
        source: legal_days.source.clone(),
        note: legal_days.note.as_ref().map(text),
    });
    let contacts = input.contacts.as_ref().map(|contacts| contacts.iter().map(contact).collect());
    Ok((OfferingEdit { fee, legal_days, contacts, accepting: input.accepting }, reason))
}

fn contact(contact: &OfferingContactInput) -> Contact {
    Contact {
        name: text(&contact.name),
        url: contact.url.clone(),
        phone: contact.phone.clone(),
        status: contact.fact_status,
        source: contact.source.clone(),
    }
}

fn text(text: &LocalizedTextInput) -> LocalizedText {
    LocalizedText::new(text.th.as_str(), text.en.as_str())
}
