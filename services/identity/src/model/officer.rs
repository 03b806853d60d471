//! Officers (เจ้าหน้าที่) and the agency and roles they have.

use std::collections::BTreeSet;

use auth::Role;
use serde::Deserialize;
use uuid::Uuid;

/// An officer of one agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officer {
    pub id: Uuid,
    pub agency: String,
    pub roles: BTreeSet<Role>,
}

impl Officer {
    /// Whether they still work for the agency: without any role nobody is an officer.
    pub fn has_roles(&self) -> bool {
        !self.roles.is_empty()
    }
}

/// The officers of the sandbox, `officers.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficersFile {
    pub officer: Vec<OfficerEntry>,
}

/// One officer in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficerEntry {
    /// A test person's number.
    pub pid: String,
    pub agency: String,
    pub roles: BTreeSet<Role>,
}

impl std::fmt::Debug for OfficerEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OfficerEntry({})", self.agency)
    }
}
