//! Identity and authenticator assurance levels, compared by rank (never as numbers or text).

use std::fmt;

use serde::Deserialize;

const IALS: [&str; 7] = ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "3"];
const AALS: [&str; 4] = ["1", "2.1", "2.2", "3"];

macro_rules! level {
    ($(#[$doc:meta])* $name:ident, $table:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(usize);

        impl $name {
            /// The level of that name, if there is one.
            pub fn parse(text: &str) -> Option<Self> {
                $table.iter().position(|known| *known == text).map(Self)
            }

            /// Its name in the standards.
            pub fn as_str(self) -> &'static str {
                $table[self.0]
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).ok_or_else(|| format!("{text} is not a level"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

level!(
    /// How well the person was proven (IAL).
    Ial,
    IALS
);
level!(
    /// How strong the login is (AAL).
    Aal,
    AALS
);

/// What one Digital ID provider has proven of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    pub ial: Ial,
    pub aal: Aal,
}

impl Level {
    /// The `acr` claim. No Thai provider documents one, so this is a private URN.
    pub fn acr(self) -> String {
        format!("urn:th:ial:{}:aal:{}", self.ial, self.aal)
    }

    /// The `amr` claim (RFC 8176): what such a login is made of.
    pub fn amr(self) -> &'static [&'static str] {
        match self.aal.as_str() {
            "1" => &["pwd"],
            "2.1" => &["pin", "swk"],
            _ => &["face", "hwk", "pin"],
        }
    }
}

/// What the relying party asked for with `acr_values`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub ial: Option<Ial>,
    pub aal: Option<Aal>,
}

impl Wanted {
    /// Reads `urn:th:ial:2.3`, `urn:th:aal:2.2` and `urn:th:ial:2.3:aal:2.2`, separated by spaces.
    /// Unknown values are ignored (OpenID Connect Core 3.1.2.1); of the known ones all must be met.
    pub fn parse(acr_values: &str) -> Self {
        let mut wanted = Self::default();
        for value in acr_values.split_whitespace() {
            let words: Vec<&str> = value.strip_prefix("urn:th:").unwrap_or_default().split(':').collect();
            for pair in words.chunks_exact(2) {
                match pair[0] {
                    "ial" => wanted.ial = wanted.ial.max(Ial::parse(pair[1])),
                    "aal" => wanted.aal = wanted.aal.max(Aal::parse(pair[1])),
                    _ => {}
                }
            }
        }
        wanted
    }

    /// Whether `level` is enough.
    pub fn met_by(self, level: Level) -> bool {
        self.ial.is_none_or(|ial| level.ial >= ial) && self.aal.is_none_or(|aal| level.aal >= aal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(ial: &str, aal: &str) -> Level {
        Level { ial: Ial::parse(ial).unwrap(), aal: Aal::parse(aal).unwrap() }
    }

    #[test]
    fn levels_compare_by_rank() {
        assert!(Ial::parse("3") > Ial::parse("2.3"));
        assert!(Aal::parse("2.1") > Aal::parse("1"));
        assert_eq!(Ial::parse("2.4"), None);
    }

    #[test]
    fn every_known_value_asked_must_be_met() {
        let wanted = Wanted::parse("urn:th:ial:2.1 urn:th:ial:2.3:aal:2.2 urn:mace:silver");
        assert!(wanted.met_by(level("2.3", "2.2")));
        assert!(!wanted.met_by(level("2.3", "2.1")));
        assert!(!wanted.met_by(level("2.1", "2.2")));
        assert!(Wanted::parse("").met_by(level("1.1", "1")));
    }

    #[test]
    fn the_acr_returned_is_understood_when_asked() {
        let level = level("2.3", "2.2");
        assert_eq!(Wanted::parse(&level.acr()), Wanted { ial: Some(level.ial), aal: Some(level.aal) });
    }
}
