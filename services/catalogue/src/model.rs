//! What the catalogue's files say: agencies, public services with their offerings, life events.

mod edit;
mod file;
mod finding;
mod form;
mod money;
mod offering;
mod rules;

use async_graphql::{Enum, SimpleObject};
use auth::{Aal, Ial};
use graphql::{LocalizedText, cache_control};
use serde::{Deserialize, Serialize};

pub use edit::{OfferingEdit, fault, satang_of};
pub use file::{Catalogue, FILE_BYTES_MAX, SourceFile};
pub use finding::{Finding, Findings};
pub use form::{Form, Layout, Section};
pub use offering::{OfferingContent, PublishedForm, fingerprint, offering_id};

/// An agency (หน่วยงาน) that gives public services.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Agency {
    pub name: LocalizedText,
    pub kind: AgencyKind,
    /// Where it is in charge; none for the whole country.
    #[serde(default)]
    pub area: Option<Area>,
}

/// An area by its official code: two digits for a province, four for a district, six for a subdistrict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
#[graphql(directive = cache_control::apply(None, None, Some(true)))]
pub struct Area {
    /// The official code.
    pub code: String,
    /// Its name.
    pub name: LocalizedText,
}

/// One public service (บริการภาครัฐ) with its offerings: one file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PublicService {
    pub title: LocalizedText,
    pub summary: LocalizedText,
    pub keywords: Keywords,
    /// The code of the agency that answers for the service as such.
    pub agency: String,
    pub audience: Vec<Audience>,
    pub channels: Vec<Channel>,
    pub delivery_mode: DeliveryMode,
    pub identity: IdentityLevel,
    pub steps: Vec<Step>,
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    #[serde(default)]
    pub legal_basis: Vec<LegalBasis>,
    pub contacts: Vec<Contact>,
    /// None: the service is a guide and is filed elsewhere.
    #[serde(default)]
    pub form: Option<Form>,
    /// Left out of the stored content of a service: each offering has revisions of its own.
    #[serde(default)]
    pub offerings: Vec<Offering>,
}

/// Words that people search by and the title does not hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Keywords {
    pub th: Vec<String>,
    pub en: Vec<String>,
}

/// The identity level that filing needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IdentityLevel {
    pub ial: Ial,
    pub aal: Aal,
    pub status: FactStatus,
    #[serde(default)]
    pub source: Option<String>,
}

/// A step of the way through the service.
#[derive(Clone, Debug, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ServiceStep", directive = cache_control::apply(None, None, Some(true)))]
pub struct Step {
    /// What is done.
    pub title: LocalizedText,
}

/// Something that must be shown (เอกสารหรือหลักฐาน): held by the state, or given by the applicant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evidence {
    pub code: String,
    pub title: LocalizedText,
    pub required: bool,
    /// The agency that already holds it. It is fetched there and never asked for.
    #[serde(default)]
    pub held_by: Option<LocalizedText>,
    #[serde(default)]
    pub upload: Option<Upload>,
}

/// What an evidence file may be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    pub media_types: Vec<String>,
    pub bytes_max: i64,
}

/// A law that the service stands on.
#[derive(Clone, Debug, Serialize, Deserialize, SimpleObject)]
#[graphql(directive = cache_control::apply(None, None, Some(true)))]
pub struct LegalBasis {
    /// The law's name and year.
    pub title: LocalizedText,
    /// Whether this was read in a source.
    #[graphql(name = "factStatus")]
    pub status: FactStatus,
    /// Where it was read.
    #[serde(default)]
    pub source: Option<String>,
}

/// Where to go or to call.
#[derive(Clone, Debug, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ServiceContact", directive = cache_control::apply(None, None, Some(true)))]
pub struct Contact {
    /// The place, the site or the line.
    pub name: LocalizedText,
    /// Its address on the web.
    #[serde(default)]
    pub url: Option<String>,
    /// Its telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Whether this was read in a source.
    #[graphql(name = "factStatus")]
    pub status: FactStatus,
    /// Where it was read.
    #[serde(default)]
    pub source: Option<String>,
}

/// The service as one agency gives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offering {
    pub agency: String,
    pub decision: DecisionMode,
    pub fee: Fee,
    pub legal_days: LegalDays,
    /// False pauses filing without taking the offering out of the catalogue.
    #[serde(default = "yes")]
    pub accepting: bool,
    /// Where to go at this agency, when it is not where the service says. Left out when empty: revisions
    /// published before there were any keep their fingerprint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
}

/// The fee (ค่าธรรมเนียม) of an offering.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fee {
    /// None when an officer assesses it case by case; written in baht with two decimals.
    #[serde(default, rename = "amount_baht", with = "money::baht")]
    pub satang: Option<i64>,
    pub due: FeeDue,
    #[serde(default)]
    pub on_rejection: FeeOnRejection,
    pub status: FactStatus,
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    pub note: Option<LocalizedText>,
}

/// The days that the citizen's manual (คู่มือประชาชน) allows the agency for its decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LegalDays {
    pub days: i32,
    /// Left out when they are working days: revisions published before it could be said keep their fingerprint.
    #[serde(default, skip_serializing_if = "DaysCounted::are_working")]
    pub counted: DaysCounted,
    pub status: FactStatus,
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    pub note: Option<LocalizedText>,
}

/// Which days count towards the days allowed for a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum DaysCounted {
    /// The agency's working days (วันทำการ).
    #[default]
    Working,
    /// Every day (วันตามปฏิทิน).
    Calendar,
}

impl DaysCounted {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    fn are_working(&self) -> bool {
        *self == DaysCounted::Working
    }
}

/// A bundle of services for one event in a life (เหตุการณ์ในชีวิต), in the order to take them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LifeEvent {
    pub title: LocalizedText,
    pub summary: LocalizedText,
    pub services: Vec<String>,
}

/// Whether a fact was read in a source or stands in for one (ข้อมูลตัวอย่าง).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum FactStatus {
    /// A sample, not to be shown as a real figure. Production refuses sample fees.
    Sample,
    /// Read in a source that the file names.
    Verified,
}

/// Who a service is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Natural persons (ประชาชน).
    Citizen,
    /// Businesses (ผู้ประกอบการ), persons or companies.
    Business,
}

/// A way to reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A mobile application.
    App,
    /// A web site of the agency.
    Web,
    /// Biz Portal, the government's door for businesses.
    BizPortal,
    /// The telephone.
    Phone,
    /// An office, after making an appointment.
    Appointment,
    /// An office.
    Office,
}

/// How much of the service needs no visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// All of it is done online.
    Online,
    /// Part of it is done online, the rest at an office.
    PartlyOnline,
    /// The law wants the citizen in person at the end: prefill and an appointment at most.
    InPersonFinal,
}

/// What kind of agency it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum AgencyKind {
    /// A department (กรม) or what ranks with it.
    Department,
    /// A local government (องค์กรปกครองส่วนท้องถิ่น): a municipality, Bangkok.
    LocalGovernment,
    /// A public body outside the departments (หน่วยงานของรัฐ).
    PublicBody,
    /// An independent body under the constitution (องค์กรอิสระ).
    IndependentBody,
}

/// When a fee falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum FeeDue {
    /// Never: the service is free.
    None,
    /// When the application is submitted.
    Submission,
    /// When the application is approved, which is the law's order of processes.
    Approval,
}

/// What happens to a fee that was paid when the application is rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum FeeOnRejection {
    /// It is paid back.
    #[default]
    Refund,
    /// The agency keeps it.
    Keep,
}

/// Who decides an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "snake_case")]
pub enum DecisionMode {
    /// An officer of the agency.
    Officer,
    /// A rule, at once.
    Automatic,
}

impl PublicService {
    /// Whether it can be filed here, if an offering accepts.
    pub fn has_form(&self) -> bool {
        self.form.is_some()
    }

    /// The weakest of the facts about the service itself: verified only when all are.
    pub fn fact_status(&self) -> FactStatus {
        let basis = self.legal_basis.iter().map(|basis| basis.status);
        let contacts = self.contacts.iter().map(|contact| contact.status);
        basis.chain(contacts).fold(self.identity.status, FactStatus::min)
    }
}

fn yes() -> bool {
    true
}
