//! The copy of an offering that applications are filed against, one per revision, as catalogue published it.

use auth::{Aal, Ial, Level, Requirement};
use graphql::LocalizedText;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::calendar::Counting;
use super::{DecisionMode, Facts, FeeDue};

/// One revision of an offering; an application pins the revision it was started on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offering {
    pub offering_id: Uuid,
    pub revision: i32,
    pub service_code: String,
    pub service_title: LocalizedText,
    pub agency_code: String,
    pub agency_name: LocalizedText,
    pub audience: Vec<Audience>,
    pub ial: Ial,
    pub aal: Aal,
    pub fee_satang: i64,
    pub fee_due: FeeDue,
    pub fee_on_rejection: FeeOnRejection,
    pub legal_days: u32,
    /// Working days unless the service's rules say otherwise.
    #[serde(default)]
    pub legal_days_counted: Counting,
    pub decision: DecisionMode,
    pub accepting: bool,
    pub form: Option<Form>,
    #[serde(default)]
    pub evidence: Vec<EvidenceRequirement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    Citizen,
    Business,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeeOnRejection {
    Refund,
    Keep,
}

/// The form (แบบคำขอ): a JSON Schema; its layout is the client's affair.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Form {
    pub revision: i32,
    pub schema: Json,
}

/// A document to be shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvidenceRequirement {
    pub code: String,
    pub title: LocalizedText,
    pub required: bool,
    #[serde(default)]
    pub media_types: Vec<String>,
    pub bytes_max: u64,
    /// The state holds it already, so nobody is asked for it.
    #[serde(default)]
    pub held_by_state: bool,
}

impl Offering {
    /// When a fee falls due; a fee of nothing never does.
    pub fn fee_due(&self) -> FeeDue {
        if self.fee_satang > 0 { self.fee_due } else { FeeDue::None }
    }

    /// What the rules ask about an application, before anything has happened to it.
    pub fn facts(&self) -> Facts {
        Facts {
            fee_due: self.fee_due(),
            fee_settled: false,
            decision: self.decision,
            taken: false,
            document_requests: 0,
            document_requests_max: 0,
        }
    }

    /// Whether it may be filed now: the agency accepts and there is a form.
    pub fn is_fileable(&self) -> bool {
        self.accepting && self.form.is_some()
    }

    /// Whether it is for this kind of party.
    pub fn serves(&self, is_juristic: bool) -> bool {
        let audience = if is_juristic { Audience::Business } else { Audience::Citizen };
        // A natural person may run a business without a company.
        self.audience.contains(&audience) || (!is_juristic && self.audience.contains(&Audience::Business))
    }

    /// The identity level it asks for; a recent login is not asked for.
    pub fn level_required(&self) -> Requirement {
        Requirement { level: Level { ial: self.ial, aal: self.aal }, age_max_s: None }
    }

    /// The document a code stands for.
    pub fn requirement(&self, code: &str) -> Option<&EvidenceRequirement> {
        self.evidence.iter().find(|requirement| requirement.code == code)
    }
}
