//! What can be closed, and what a closure says.

use chrono::{DateTime, Utc};
use graphql::LocalizedText;
use serde::{Deserialize, Serialize};

/// What kind of thing a switch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    PublicService,
    IdentityProvider,
    PaymentProvider,
    PaymentMethod,
}

impl Kind {
    pub const ALL: [Self; 4] =
        [Self::PublicService, Self::IdentityProvider, Self::PaymentProvider, Self::PaymentMethod];

    /// As it is stored, and typed at the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublicService => "public_service",
            Self::IdentityProvider => "identity_provider",
            Self::PaymentProvider => "payment_provider",
            Self::PaymentMethod => "payment_method",
        }
    }

    /// The service whose database has its record.
    pub fn service(self) -> &'static str {
        match self {
            Self::PublicService => "catalogue",
            Self::IdentityProvider => "identity",
            Self::PaymentProvider | Self::PaymentMethod => "payments",
        }
    }

    /// What that service's outbox tells everyone when a switch is moved.
    pub fn topic(self) -> &'static str {
        match self {
            Self::PublicService => "catalogue.availability_changed",
            Self::IdentityProvider => "identity.availability_changed",
            Self::PaymentProvider | Self::PaymentMethod => "payments.availability_changed",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// A word that is no kind.
#[derive(Debug, thiserror::Error)]
#[error("it is none of public_service, identity_provider, payment_provider and payment_method")]
pub struct UnknownKind;

/// One thing that can be closed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    pub kind: Kind,
    /// Its code: of a public service, a provider or a method.
    pub name: String,
}

impl Target {
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

/// A closure, in force or planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closure {
    pub from: DateTime<Utc>,
    /// When it opens again by itself; unknown when none.
    pub until: Option<DateTime<Utc>>,
    /// Why, for citizens.
    pub text: LocalizedText,
}

impl Closure {
    pub fn in_force(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && !self.is_over(now)
    }

    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_holds_from_its_beginning_until_its_end() {
        let at = |minute| DateTime::UNIX_EPOCH + chrono::Duration::minutes(minute);
        let closure =
            Closure { from: at(10), until: Some(at(20)), text: LocalizedText::new("ปิด", "Closed") };
        let in_force: Vec<bool> = [9, 10, 19, 20].into_iter().map(|m| closure.in_force(at(m))).collect();
        assert_eq!(in_force, [false, true, true, false]);
        assert!(Closure { until: None, ..closure }.in_force(at(100_000)));
    }

    #[test]
    fn kinds_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>().ok(), Some(kind));
        }
        assert!("door".parse::<Kind>().is_err());
    }
}
