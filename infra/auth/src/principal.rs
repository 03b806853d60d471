//! Who is calling, as every layer sees it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use graphql::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Level, Requirement};

/// Who is calling.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    /// Nobody has logged in.
    #[default]
    Nobody,
    Citizen(Citizen),
    Officer(Officer),
}

/// A person who acts for themselves or for those who gave them a mandate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Citizen {
    pub citizen_id: Uuid,
    pub level: Level,
    pub authenticated_at: DateTime<Utc>,
    /// For whom they may act: first themselves.
    pub parties: Vec<Acting>,
    pub client_id: String,
    pub session_id: Uuid,
    pub scopes: BTreeSet<String>,
}

/// A party one may act for, and by which mandate; oneself needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acting {
    pub party_id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate_id: Option<Uuid>,
}

/// A person who works on an agency's cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Officer {
    pub officer_id: Uuid,
    /// The agency's code.
    pub agency: String,
    pub roles: BTreeSet<Role>,
    pub level: Level,
    pub authenticated_at: DateTime<Utc>,
    pub client_id: String,
    pub session_id: Uuid,
    pub scopes: BTreeSet<String>,
}

/// What an officer may do within the agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes cases and asks for more.
    Reviewer,
    /// Decides them.
    Approver,
    /// Sees to persons' rights over their data, whatever agency holds it.
    DataProtection,
    /// Runs this platform, whoever gives the services: closes and opens what is on it.
    Operator,
}

impl Principal {
    /// The name of the caller for idempotency and audit: an id, never a person's name.
    pub fn subject(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Citizen(citizen) => format!("citizen:{}", citizen.citizen_id),
            Self::Officer(officer) => format!("officer:{}", officer.officer_id),
        }
    }

    /// The scopes of the token.
    pub fn scopes(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::Nobody => None,
            Self::Citizen(citizen) => Some(&citizen.scopes),
            Self::Officer(officer) => Some(&officer.scopes),
        }
    }

    /// The session the token belongs to.
    pub fn session_id(&self) -> Option<Uuid> {
        match self {
            Self::Nobody => None,
            Self::Citizen(citizen) => Some(citizen.session_id),
            Self::Officer(officer) => Some(officer.session_id),
        }
    }

    /// Refuses a caller whose token does not have `scope`.
    pub fn require_scope(&self, scope: &str) -> Result<(), Failure> {
        match self.scopes() {
            None => Err(unauthenticated()),
            Some(scopes) if scopes.contains(scope) => Ok(()),
            Some(_) => Err(Failure::new(ErrorCode::Forbidden, format!("This needs the scope {scope}."))),
        }
    }

    /// Refuses a login that is too low or too old; the client then re-authorizes with `acr_values`
    /// and `max_age` (RFC 9470).
    pub fn require_level(&self, required: Requirement, now: DateTime<Utc>) -> Result<(), Failure> {
        let (level, authenticated_at) = match self {
            Self::Nobody => return Err(unauthenticated()),
            Self::Citizen(citizen) => (citizen.level, citizen.authenticated_at),
            Self::Officer(officer) => (officer.level, officer.authenticated_at),
        };
        let age_s = (now - authenticated_at).num_seconds();
        if level.reaches(required.level) && required.age_max_s.is_none_or(|max| age_s <= max) {
            return Ok(());
        }
        let details = serde_json::json!({
            "ial": required.level.ial,
            "aal": required.level.aal,
            "maxAge": required.age_max_s,
            "acrValues": required.level.acr(),
        });
        let details = async_graphql::Value::from_json(details).unwrap_or_default();
        let message = "This needs a login at a higher identity level.";
        Err(Failure::new(ErrorCode::IdentityLevelTooLow, message).with("required", details))
    }
}

impl Citizen {
    /// The mandate to act for `party_id`, oneself included; `None` where there is none.
    pub fn acting_for(&self, party_id: Uuid) -> Option<&Acting> {
        self.parties.iter().find(|acting| acting.party_id == party_id)
    }

    /// All parties one may act for.
    pub fn party_ids(&self) -> Vec<Uuid> {
        self.parties.iter().map(|acting| acting.party_id).collect()
    }
}

impl Officer {
    /// Refuses an officer who does not have `role`.
    pub fn require_role(&self, role: Role) -> Result<(), Failure> {
        if self.roles.contains(&role) {
            return Ok(());
        }
        Err(Failure::new(ErrorCode::Forbidden, "This needs a role in the agency that you do not have."))
    }
}

pub(crate) fn unauthenticated() -> Failure {
    Failure::new(ErrorCode::Unauthenticated, "Log in first.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Aal, Ial};

    fn citizen(level: Level) -> Principal {
        Principal::Citizen(Citizen {
            citizen_id: Uuid::from_u128(1),
            level,
            authenticated_at: DateTime::UNIX_EPOCH,
            parties: Vec::new(),
            client_id: "app".into(),
            session_id: Uuid::from_u128(2),
            scopes: BTreeSet::from(["applications:read".to_owned()]),
        })
    }

    #[test]
    fn a_login_that_is_too_low_or_too_old_must_step_up() {
        let low = Level { ial: Ial::Ial2_1, aal: Aal::Aal2_1 };
        let high = Level { ial: Ial::Ial2_3, aal: Aal::Aal2_1 };
        let now = DateTime::UNIX_EPOCH + chrono::Duration::seconds(301);
        let needs = |level, age_max_s| Requirement { level, age_max_s };
        assert!(citizen(high).require_level(needs(low, None), now).is_ok());
        let refused = citizen(low).require_level(needs(high, None), now).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::IdentityLevelTooLow);
        assert!(citizen(high).require_level(needs(high, Some(300)), now).is_err());
        let nobody = Principal::Nobody.require_level(needs(low, None), now).unwrap_err();
        assert_eq!(nobody.code(), ErrorCode::Unauthenticated);
    }

    #[test]
    fn a_scope_that_was_not_granted_is_refused() {
        let principal = citizen(Level { ial: Ial::Ial1_1, aal: Aal::Aal1 });
        assert!(principal.require_scope("applications:read").is_ok());
        assert_eq!(principal.require_scope("payments:write").unwrap_err().code(), ErrorCode::Forbidden);
    }
}
