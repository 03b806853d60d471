//! Whom a citizen may act for: themselves first, then companies by a mandate (อำนาจกระทำการแทน).

use chrono::{DateTime, Duration, NaiveDate, Utc};
use uuid::Uuid;

/// Parties one token may name; a director of more companies chooses in a later version.
pub const PARTIES_MAX: usize = 20;

/// How long the registry's word holds without being asked again.
pub const CONFIRMED_HOURS_MAX: i64 = 24;

/// A company or other juristic person (นิติบุคคล). The registry's data is public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JuristicPerson {
    pub id: Uuid,
    pub registration_number: String,
    pub name_th: String,
    pub name_en: Option<String>,
}

/// The right of one citizen to act for one juristic person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mandate {
    pub id: Uuid,
    pub juristic_person: JuristicPerson,
    pub basis: Basis,
    pub valid_from: NaiveDate,
    pub valid_until: Option<NaiveDate>,
    /// When the registry last said so.
    pub confirmed_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Why somebody may act for a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    Director,
}

impl Basis {
    pub fn code(self) -> &'static str {
        match self {
            Self::Director => "director",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        (code == "director").then_some(Self::Director)
    }
}

impl Mandate {
    /// Whether it can be used now.
    pub fn in_force(&self, now: DateTime<Utc>, today: NaiveDate) -> bool {
        self.revoked_at.is_none()
            && self.valid_from <= today
            && self.valid_until.is_none_or(|until| today <= until)
            && !self.is_stale(now)
    }

    /// Whether the registry should be asked again before it is relied on.
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        now - self.confirmed_at > Duration::hours(CONFIRMED_HOURS_MAX)
    }
}

/// The mandates a token may carry: those in force, oldest first, leaving room for oneself.
pub fn usable(mandates: Vec<Mandate>, now: DateTime<Utc>, today: NaiveDate) -> Vec<Mandate> {
    mandates.into_iter().filter(|mandate| mandate.in_force(now, today)).take(PARTIES_MAX - 1).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mandate() -> Mandate {
        Mandate {
            id: Uuid::nil(),
            juristic_person: JuristicPerson {
                id: Uuid::nil(),
                registration_number: "0105550000113".into(),
                name_th: "บริษัท ครัวอุดม จำกัด".into(),
                name_en: None,
            },
            basis: Basis::Director,
            valid_from: day("2019-06-03"),
            valid_until: None,
            confirmed_at: now(),
            revoked_at: None,
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-11-21T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_mandate_holds_on_its_last_day_and_not_after() {
        let ending = Mandate { valid_until: Some(day("2026-11-21")), ..mandate() };
        assert!(ending.in_force(now(), day("2026-11-21")));
        assert!(!ending.in_force(now(), day("2026-11-22")));
    }

    #[test]
    fn a_revoked_or_long_unconfirmed_mandate_is_of_no_use() {
        let revoked = Mandate { revoked_at: Some(now()), ..mandate() };
        assert!(!revoked.in_force(now(), day("2026-11-21")));
        let later = now() + Duration::hours(CONFIRMED_HOURS_MAX + 1);
        assert!(!mandate().in_force(later, day("2026-11-22")));
    }

    proptest! {
        #[test]
        fn a_token_never_names_more_parties_than_it_may(count in 0_usize..60) {
            let usable = usable(vec![mandate(); count], now(), day("2026-11-21"));
            prop_assert!(usable.len() < PARTIES_MAX);
        }
    }
}
