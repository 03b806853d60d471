//! Legal rules as versioned data: the rule set in force, the working calendar, legal receipt and due days.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use serde::Deserialize;

/// The rules of one time; an application pins the set in force on its day of receipt.
#[derive(Debug, Deserialize)]
pub struct RuleSet {
    pub id: String,
    effective_from: NaiveDate,
    #[serde(deserialize_with = "clock_time")]
    opens: NaiveTime,
    #[serde(deserialize_with = "clock_time")]
    closes: NaiveTime,
    /// How often an agency may ask for more documents.
    pub document_requests_max: i64,
}

#[derive(Deserialize)]
struct RuleFile {
    rule_set: Vec<RuleSet>,
}

static RULE_SETS: LazyLock<Vec<RuleSet>> = LazyLock::new(|| {
    let file: RuleFile = toml::from_str(include_str!("../rules.toml")).expect("rules.toml is tested");
    file.rule_set
});

static HOLIDAYS: LazyLock<BTreeSet<NaiveDate>> = LazyLock::new(|| {
    let years: BTreeMap<String, Vec<NaiveDate>> =
        toml::from_str(include_str!("../holidays.toml")).expect("holidays.toml is tested");
    years.into_values().flatten().collect()
});

impl RuleSet {
    /// The set in force at an instant: the latest that has begun, or the first of all before any has.
    pub fn in_force(at: DateTime<Utc>) -> &'static Self {
        let day = thai(at).date_naive();
        let begun = RULE_SETS.iter().filter(|set| set.effective_from <= day);
        begun.max_by_key(|set| set.effective_from).unwrap_or(&RULE_SETS[0])
    }

    /// The set an application pinned; one that is no longer in the file falls back to the first.
    pub fn pinned(id: &str) -> &'static Self {
        RULE_SETS.iter().find(|set| set.id == id).unwrap_or(&RULE_SETS[0])
    }

    /// The legal time of receipt: outside working time it is the next working time's beginning.
    pub fn legally_received_at(&self, received_at: DateTime<Utc>) -> DateTime<Utc> {
        let local = thai(received_at);
        let (day, time) = (local.date_naive(), local.time());
        if is_working_day(day) && self.opens <= time && time < self.closes {
            return received_at;
        }
        let from = if is_working_day(day) && time < self.opens { day } else { next_working_day(day) };
        self.opening(from)
    }

    /// The last day for the decision: `legal_days` working days after the day of legal receipt.
    pub fn due_on(&self, legally_received_at: DateTime<Utc>, legal_days: u32) -> NaiveDate {
        let received_on = thai(legally_received_at).date_naive();
        (0..legal_days).fold(received_on, |day, _| next_working_day(day))
    }

    /// The end of a working day, as an instant.
    pub fn closing(&self, day: NaiveDate) -> DateTime<Utc> {
        instant(day, self.closes)
    }

    fn opening(&self, day: NaiveDate) -> DateTime<Utc> {
        instant(day, self.opens)
    }
}

/// The year of the Buddhist era in Thailand, as receipt numbers carry it.
pub fn buddhist_year(at: DateTime<Utc>) -> i32 {
    thai(at).year() + 543
}

fn thai(at: DateTime<Utc>) -> DateTime<chrono::FixedOffset> {
    at.with_timezone(&clock::thailand())
}

fn instant(day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let local = clock::thailand().from_local_datetime(&day.and_time(time));
    local.single().expect("a fixed offset has no gaps").with_timezone(&Utc)
}

fn is_working_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !HOLIDAYS.contains(&day)
}

fn next_working_day(day: NaiveDate) -> NaiveDate {
    let mut next = day;
    loop {
        match next.checked_add_days(Days::new(1)) {
            Some(following) => next = following,
            None => return next, // the calendar ends in the year 262143
        }
        if is_working_day(next) {
            return next;
        }
    }
}

fn clock_time<'de, D: serde::Deserializer<'de>>(from: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(from)?;
    NaiveTime::parse_from_str(&text, "%H:%M").map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse::<DateTime<chrono::FixedOffset>>().unwrap().with_timezone(&Utc)
    }

    #[test]
    fn what_arrives_in_working_time_is_received_at_once() {
        let received = at("2026-11-20T10:00:00+07:00");
        assert_eq!(RuleSet::in_force(received).legally_received_at(received), received);
    }

    #[test]
    fn what_arrives_at_night_counts_from_the_next_opening() {
        for (received, legal) in [
            ("2026-11-20T07:00:00+07:00", "2026-11-20T08:30:00+07:00"),
            ("2026-11-20T16:30:00+07:00", "2026-11-23T08:30:00+07:00"), // a Friday evening
            ("2026-11-22T12:00:00+07:00", "2026-11-23T08:30:00+07:00"), // a Sunday
            ("2026-12-30T20:00:00+07:00", "2027-01-04T08:30:00+07:00"), // New Year and a weekend
        ] {
            let rules = RuleSet::in_force(at(received));
            assert_eq!(rules.legally_received_at(at(received)), at(legal), "{received}");
        }
    }

    #[test]
    fn legal_days_are_working_days() {
        let rules = RuleSet::pinned("e-gov-2565/1");
        let friday = at("2026-12-04T10:00:00+07:00");
        // Monday the 7th and Thursday the 10th are holidays.
        assert_eq!(rules.due_on(friday, 3).to_string(), "2026-12-11");
        assert_eq!(rules.due_on(friday, 0).to_string(), "2026-12-04");
    }

    #[test]
    fn the_year_of_a_receipt_is_thailands() {
        assert_eq!(buddhist_year(at("2026-12-31T23:59:00+07:00")), 2569);
        assert_eq!(buddhist_year(at("2026-12-31T17:00:00+00:00")), 2570);
    }
}
