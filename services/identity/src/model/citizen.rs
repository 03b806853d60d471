//! A citizen (ประชาชน) and what we keep of one: all of it sealed.

use auth::Ial;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The proofing at which a provider's 13-digit number is believed (ขมธอ. 18-2564: chip or DOPA check).
pub const PID_IAL_MIN: Ial = Ial::Ial2_1;

/// A natural person who logged in at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citizen {
    pub id: Uuid,
    pub profile: Profile,
}

/// Personal data as the best proofing so far gave it. Stored sealed, as JSON.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    pub pid: Option<String>,
    pub name_th: Option<String>,
    pub name_en: Option<String>,
    pub birth_date: Option<NaiveDate>,
    pub address: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(…)")
    }
}

impl Profile {
    /// The profile after another login: what a proofing at least as good says replaces what was
    /// there, and what it leaves out stays; a weaker one only fills gaps.
    #[must_use]
    pub fn updated(self, newer: Self, newer_is_as_good: bool) -> Self {
        let (first, second) = if newer_is_as_good { (newer, self) } else { (self, newer) };
        Self {
            pid: first.pid.or(second.pid),
            name_th: first.name_th.or(second.name_th),
            name_en: first.name_en.or(second.name_en),
            birth_date: first.birth_date.or(second.birth_date),
            address: first.address.or(second.address),
        }
    }
}

/// Whether a proofing is good enough for its 13-digit number to be believed.
pub fn believes_pid(proofing: Ial) -> bool {
    proofing >= PID_IAL_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Profile {
        Profile { name_th: Some(name.to_owned()), ..Profile::default() }
    }

    #[test]
    fn a_weaker_proofing_fills_gaps_and_changes_nothing() {
        let kept = named("เดิม").updated(Profile { address: Some("บ้าน".into()), ..named("ใหม่") }, false);
        assert_eq!(kept.name_th.as_deref(), Some("เดิม"));
        assert_eq!(kept.address.as_deref(), Some("บ้าน"));
    }

    #[test]
    fn a_changed_name_replaces_the_old_one_when_the_proofing_is_as_good() {
        assert_eq!(named("เดิม").updated(named("ใหม่"), true).name_th.as_deref(), Some("ใหม่"));
    }
}
