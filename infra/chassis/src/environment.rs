//! Sandbox or production.

use serde::{Deserialize, Serialize};

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Personas, sandbox Digital ID and bank, demo data, GraphiQL, a clock that can be moved.
    #[default]
    Sandbox,
    /// Real citizens and real money: nothing of the sandbox, no default secrets, no sample fees.
    Production,
}

impl Environment {
    pub fn is_sandbox(self) -> bool {
        self == Self::Sandbox
    }
}
