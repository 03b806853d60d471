//! What one revision of an offering pins: all that an application needs to know of it.

use auth::{Aal, Ial};
use graphql::LocalizedText;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Agency, Area, Audience, Contact, DecisionMode, Evidence, FactStatus, Fee, FeeDue, Layout, LegalDays,
    Offering, PublicService,
};

/// The content of an offering's revision: the offering with what its service and agency said at that time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfferingContent {
    pub service_code: String,
    pub service_title: LocalizedText,
    pub agency_code: String,
    pub agency_name: LocalizedText,
    pub area: Option<Area>,
    pub audience: Vec<Audience>,
    pub ial: Ial,
    pub aal: Aal,
    pub fee: Fee,
    pub legal_days: LegalDays,
    pub decision: DecisionMode,
    /// Whether it can be filed here now.
    pub accepting: bool,
    pub form: Option<PublishedForm>,
    pub evidence: Vec<Evidence>,
    /// Where to go at this agency, when it is not where the service says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
}

/// A form as it is published: its schema completed, under a number that rises with each change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PublishedForm {
    pub revision: i64,
    pub schema: Value,
    pub layout: Layout,
}

impl OfferingContent {
    /// Puts together what a service, an agency and the offering's own lines say.
    pub fn new(
        (service_code, service): (&str, &PublicService),
        form_revision: i64,
        (agency_code, agency): (&str, &Agency),
        offering: &Offering,
    ) -> Self {
        let form = service.form.as_ref();
        Self {
            service_code: service_code.to_owned(),
            service_title: service.title.clone(),
            agency_code: agency_code.to_owned(),
            agency_name: agency.name.clone(),
            area: agency.area.clone(),
            audience: service.audience.clone(),
            ial: service.identity.ial,
            aal: service.identity.aal,
            fee: offering.fee.clone(),
            legal_days: offering.legal_days.clone(),
            decision: offering.decision,
            accepting: offering.accepting && form.is_some(),
            form: form.map(|form| form.published(form_revision)),
            evidence: service.evidence.clone(),
            contacts: offering.contacts.clone(),
        }
    }

    /// The offering's own lines, as a file has them.
    pub fn offering(&self) -> Offering {
        Offering {
            agency: self.agency_code.clone(),
            decision: self.decision,
            fee: self.fee.clone(),
            legal_days: self.legal_days.clone(),
            // Without a form nothing is accepted, whatever the file says.
            accepting: self.accepting || self.form.is_none(),
            contacts: self.contacts.clone(),
        }
    }

    /// The area's code; none for the whole country.
    pub fn area_code(&self) -> Option<&str> {
        self.area.as_ref().map(|area| area.code.as_str())
    }
}

impl Fee {
    /// Whether the fee stands in for a real one.
    pub fn is_sample(&self) -> bool {
        self.status == FactStatus::Sample
    }

    /// What a bill would be written for: nothing when an officer assesses the fee outside this system.
    pub fn billed_satang(&self) -> i64 {
        self.satang.unwrap_or(0)
    }

    /// When a bill would be written: never when there is nothing to write it for.
    pub fn billed_due(&self) -> FeeDue {
        if self.billed_satang() == 0 { FeeDue::None } else { self.due }
    }
}

/// The id of an offering: the same on every installation, so that links and tests survive a new database.
pub fn offering_id(service_code: &str, agency_code: &str) -> Uuid {
    let digest = Sha256::digest(format!("pratu offering {service_code} {agency_code}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// A digest of content that does not depend on the order of its keys.
pub fn fingerprint(content: &impl Serialize) -> String {
    let mut content = serde_json::to_value(content).unwrap_or_default();
    content.sort_all_objects();
    let digest = Sha256::digest(content.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
