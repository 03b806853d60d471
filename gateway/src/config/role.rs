//! The roles that the system is made of: each can run in a process of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A part of the system that a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The public door: the graph, and the way to everything else that is public.
    Gateway,
    Catalogue,
    Identity,
    Applications,
    Payments,
    /// The pretended outside world; there is none in production.
    Sandbox,
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::Gateway, Self::Catalogue, Self::Identity, Self::Applications, Self::Payments, Self::Sandbox];
    /// Those that have a subgraph.
    pub const SERVICES: [Self; 4] = [Self::Catalogue, Self::Identity, Self::Applications, Self::Payments];

    /// Its name in settings, and that of its subgraph.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Catalogue => "catalogue",
            Self::Identity => "identity",
            Self::Applications => "applications",
            Self::Payments => "payments",
            Self::Sandbox => "sandbox",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such role.
#[derive(Debug, thiserror::Error)]
#[error("there is no such role; there are gateway, catalogue, identity, applications, payments and sandbox")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or(UnknownRole)
    }
}
