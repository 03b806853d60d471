//! Assurance levels, compared by rank; the list of values is that of ETDA's ขมธอ. 18/19/20 and NDID.

use std::fmt;
use std::str::FromStr;

use graphql::{AuthenticatorAssuranceLevel, IdentityAssuranceLevel};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! levels {
    ($(#[$doc:meta])* $name:ident, $graphql:ident { $($variant:ident $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($variant,)+ }

        impl $name {
            /// The value of the standard, such as `2.3`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownLevel;

            fn from_str(text: &str) -> Result<Self, UnknownLevel> {
                match text { $($text => Ok(Self::$variant),)+ _ => Err(UnknownLevel) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl From<$name> for $graphql {
            fn from(level: $name) -> Self {
                match level { $($name::$variant => Self::$variant,)+ }
            }
        }

        impl From<$graphql> for $name {
            fn from(level: $graphql) -> Self {
                match level { $($graphql::$variant => Self::$variant,)+ }
            }
        }
    };
}

levels! {
    /// Identity assurance level: how surely it is known who somebody is.
    Ial, IdentityAssuranceLevel {
        Ial1_1 "1.1",
        Ial1_2 "1.2",
        Ial1_3 "1.3",
        Ial2_1 "2.1",
        Ial2_2 "2.2",
        Ial2_3 "2.3",
        Ial3 "3",
    }
}

levels! {
    /// Authenticator assurance level: how surely somebody logged in.
    Aal, AuthenticatorAssuranceLevel {
        Aal1 "1",
        Aal2_1 "2.1",
        Aal2_2 "2.2",
        Aal3 "3",
    }
}

/// A level that no standard lists.
#[derive(Debug, thiserror::Error)]
#[error("not an assurance level")]
pub struct UnknownLevel;

/// Both levels of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Level {
    pub ial: Ial,
    pub aal: Aal,
}

impl Level {
    /// As an authentication context class reference: `urn:th:ial:2.3:aal:2.2`.
    pub fn acr(self) -> String {
        format!("urn:th:ial:{}:aal:{}", self.ial, self.aal)
    }

    /// Reads an `acr` value of ours; the authenticator level may be left out and is then the lowest.
    pub fn from_acr(acr: &str) -> Option<Self> {
        let rest = acr.strip_prefix("urn:th:ial:")?;
        let (ial, aal) = rest.split_once(":aal:").unwrap_or((rest, "1"));
        Some(Self { ial: ial.parse().ok()?, aal: aal.parse().ok()? })
    }

    /// Whether both levels are at least those of `other`.
    pub fn reaches(self, other: Self) -> bool {
        self.ial >= other.ial && self.aal >= other.aal
    }
}

/// What a service asks of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub level: Level,
    /// How long ago the login may have been.
    pub age_max_s: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_compare_by_rank_and_read_back() {
        assert!(Ial::Ial3 > Ial::Ial2_3 && Ial::Ial2_1 > Ial::Ial1_3);
        let level = Level { ial: Ial::Ial2_3, aal: Aal::Aal2_2 };
        assert_eq!(Level::from_acr(&level.acr()), Some(level));
        assert_eq!(Level::from_acr("urn:th:ial:9.9"), None);
        assert!(!Level { ial: Ial::Ial3, aal: Aal::Aal1 }.reaches(level));
    }
}
