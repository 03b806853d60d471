//! Who is asking, as the graph shows it.

use async_graphql::{Context, Enum, Object, SimpleObject};
use auth::{Principal, Role};
use chrono::{DateTime, Utc};
use graphql::{AuthenticatorAssuranceLevel, Date, Failure, IdentityAssuranceLevel, PartyId};

use super::party::{self, Party};
use super::{batches, inner};
use crate::loader::CitizenWithId;
use crate::model::citizen::Profile;
use crate::model::national_id::NationalId;

/// Who is asking.
pub struct Viewer(pub Principal);

#[Object]
impl Viewer {
    /// The citizen, if it is one; their own data, from the best proofing so far.
    #[graphql(requires_scopes = "profile:read")]
    async fn citizen(&self, ctx: &Context<'_>) -> Result<Option<Citizen>, Failure> {
        let Principal::Citizen(citizen) = &self.0 else { return Ok(None) };
        self.0.require_scope("profile:read")?;
        let found = batches(ctx).load_one(CitizenWithId(citizen.citizen_id)).await?;
        Ok(found.map(|citizen| Citizen::of(citizen.id.into(), citizen.profile, ctx)))
    }

    /// The officer, if it is one.
    async fn officer(&self) -> Option<Officer> {
        match &self.0 {
            Principal::Officer(officer) => Some(Officer {
                agency: Agency { code: officer.agency.clone() },
                roles: officer.roles.iter().map(|role| (*role).into()).collect(),
            }),
            _ => None,
        }
    }

    /// How surely it is known who it is.
    async fn identity_assurance_level(&self) -> Option<IdentityAssuranceLevel> {
        self.level().map(|level| level.ial.into())
    }

    /// How surely they logged in.
    async fn authenticator_assurance_level(&self) -> Option<AuthenticatorAssuranceLevel> {
        self.level().map(|level| level.aal.into())
    }

    /// When they logged in.
    async fn authenticated_at(&self) -> Option<DateTime<Utc>> {
        match &self.0 {
            Principal::Citizen(citizen) => Some(citizen.authenticated_at),
            Principal::Officer(officer) => Some(officer.authenticated_at),
            Principal::Nobody => None,
        }
    }

    /// The parties they may act for with this login: first themselves, then companies by mandate;
    /// at most 20. Empty for officers.
    async fn parties(&self, ctx: &Context<'_>) -> Result<Vec<Party>, Failure> {
        match &self.0 {
            Principal::Citizen(citizen) => party::all(ctx, citizen).await,
            _ => Ok(Vec::new()),
        }
    }
}

impl Viewer {
    fn level(&self) -> Option<auth::Level> {
        match &self.0 {
            Principal::Citizen(citizen) => Some(citizen.level),
            Principal::Officer(officer) => Some(officer.level),
            Principal::Nobody => None,
        }
    }
}

/// A citizen (ประชาชน). A field is null when no Digital ID of theirs told us.
#[derive(SimpleObject)]
pub struct Citizen {
    /// Their id as a party.
    id: PartyId,
    /// Name in Thai, with title (ชื่อ-นามสกุล).
    name_th: Option<String>,
    /// Name in English.
    name_en: Option<String>,
    /// Date of birth (วันเกิด).
    birth_date: Option<Date>,
    /// Registered address (ที่อยู่ตามทะเบียนบ้าน).
    address: Option<String>,
    /// The national number (เลขประจำตัวประชาชน) with all but three digits hidden: `x-xxxx-xxxxx-01-5`.
    national_id_masked: Option<String>,
    /// A keyed digest of the national number, the same in every service: by it things are found, and
    /// nothing is learnt from it.
    national_id_index: Option<String>,
}

impl Citizen {
    fn of(id: PartyId, profile: Profile, ctx: &Context<'_>) -> Self {
        let pid = profile.pid.as_deref().and_then(|pid| NationalId::parse(pid, inner(ctx).numbers()));
        Self {
            id,
            name_th: profile.name_th,
            name_en: profile.name_en,
            birth_date: profile.birth_date.map(Date::from),
            address: profile.address,
            national_id_index: pid.as_ref().map(|pid| inner(ctx).store.national_id_index(pid)),
            national_id_masked: pid.map(|pid| pid.masked()),
        }
    }
}

/// An officer (เจ้าหน้าที่).
#[derive(SimpleObject)]
pub struct Officer {
    /// The agency they work for.
    agency: Agency,
    /// What they may do there.
    roles: Vec<OfficerRole>,
}

/// What an officer may do within the agency.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum OfficerRole {
    /// Takes cases and asks for more documents.
    Reviewer,
    /// Decides cases.
    Approver,
    /// Sees to persons' rights over their data (เจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล).
    DataProtection,
    /// Runs this platform (ผู้ดูแลระบบ): closes and opens what is on it.
    Operator,
}

impl From<Role> for OfficerRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Reviewer => Self::Reviewer,
            Role::Approver => Self::Approver,
            Role::DataProtection => Self::DataProtection,
            Role::Operator => Self::Operator,
        }
    }
}

/// An agency (หน่วยงาน).
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Agency {
    /// Its code.
    code: String,
}
