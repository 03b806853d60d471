//! Legal rules as versioned data: the rule set in force, legal receipt, the legal clock and its last day.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeZone, Utc};
use serde::Deserialize;

use super::calendar::{Calendar, Counting};

/// Years within which anything can have been submitted.
const YEARS: RangeInclusive<i32> = 2000..=9999;

/// The rules of one time; an application pins the set in force on its day of receipt.
#[derive(Debug, Deserialize)]
pub struct RuleSet {
    pub id: String,
    effective_from: NaiveDate,
    #[serde(deserialize_with = "clock_time")]
    opens: NaiveTime,
    #[serde(deserialize_with = "clock_time")]
    closes: NaiveTime,
    /// Working days within which the agency checks what was filed.
    pub check_days: u32,
    /// How often an agency may ask for more documents.
    pub document_requests_max: i64,
    /// Working days an applicant has for them when the officer names no day, and the bounds of that day.
    pub documents_days: u32,
    pub documents_days_min: u32,
    pub documents_days_max: u32,
    /// Days from one notice of lateness to the next.
    pub lateness_notice_every_days: u32,
    /// Who gets a copy of each.
    pub lateness_copy_to: String,
}

#[derive(Deserialize)]
struct RuleFile {
    rule_set: Vec<RuleSet>,
}

static RULE_SETS: LazyLock<Vec<RuleSet>> = LazyLock::new(|| {
    let file: RuleFile = toml::from_str(include_str!("../rules.toml")).expect("rules.toml is tested");
    file.rule_set
});

impl RuleSet {
    /// The set in force at an instant: the latest that has begun, or the first of all before any has.
    pub fn in_force(at: DateTime<Utc>) -> &'static Self {
        let day = thai_day(at);
        let begun = RULE_SETS.iter().filter(|set| set.effective_from <= day);
        begun.max_by_key(|set| set.effective_from).unwrap_or(&RULE_SETS[0])
    }

    /// The set an application pinned; one that is no longer in the file falls back to the first.
    pub fn pinned(id: &str) -> &'static Self {
        RULE_SETS.iter().find(|set| set.id == id).unwrap_or(&RULE_SETS[0])
    }

    /// The legal time of receipt: outside working time it is the next working time's beginning.
    pub fn legally_received_at(&self, calendar: Calendar, received_at: DateTime<Utc>) -> DateTime<Utc> {
        let local = thai(received_at);
        let (day, time) = (local.date_naive(), local.time());
        if !calendar.is_working_day(day) || time >= self.closes {
            self.opening(calendar.next_working_day(day))
        } else if time < self.opens {
            self.opening(day)
        } else {
            received_at
        }
    }

    /// The last day for the decision: so many days after the day of legal receipt.
    pub fn due_on(
        &self,
        calendar: Calendar,
        legally_received_at: DateTime<Utc>,
        days: u32,
        counting: Counting,
    ) -> NaiveDate {
        calendar.after(thai_day(legally_received_at), days, counting)
    }

    /// The days that are left when the legal clock stops at an instant: that day counts as used, but
    /// never the day of receipt.
    pub fn days_left(
        &self,
        calendar: Calendar,
        stopped_at: DateTime<Utc>,
        legally_received_at: DateTime<Utc>,
        due_on: NaiveDate,
        counting: Counting,
    ) -> u32 {
        let from = thai_day(stopped_at).max(thai_day(legally_received_at));
        calendar.left(from, due_on, counting)
    }

    /// By when the agency has checked what was filed.
    pub fn checked_by(&self, calendar: Calendar, legally_received_at: DateTime<Utc>) -> DateTime<Utc> {
        let day = calendar.after(thai_day(legally_received_at), self.check_days, Counting::Working);
        self.closing(day)
    }

    /// The day by which documents are to come, when the officer names none.
    pub fn documents_due_on(&self, calendar: Calendar, asked_at: DateTime<Utc>) -> NaiveDate {
        calendar.after(thai_day(asked_at), self.documents_days, Counting::Working)
    }

    /// Whether a day the officer names gives the applicant enough time, and not for ever.
    pub fn allows_documents_on(&self, calendar: Calendar, asked_at: DateTime<Utc>, day: NaiveDate) -> bool {
        let today = thai_day(asked_at);
        let bound = |days| calendar.after(today, days, Counting::Working);
        let bounds = bound(self.documents_days_min)..=bound(self.documents_days_max);
        bounds.contains(&day) && calendar.is_working_day(day)
    }

    /// When the next notice of lateness falls due.
    pub fn next_lateness_notice_at(&self, last: DateTime<Utc>) -> DateTime<Utc> {
        last + chrono::Duration::days(self.lateness_notice_every_days.into())
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

/// The day in Thailand.
pub fn thai_day(at: DateTime<Utc>) -> NaiveDate {
    thai(at).date_naive()
}

/// The first instant of a day in Thailand. A day outside `YEARS` counts as the first of the nearest year
/// within: not every engine knows such days, and the calendar's very first has no instant at all.
pub fn beginning_of(day: NaiveDate) -> DateTime<Utc> {
    let year = day.year().clamp(*YEARS.start(), *YEARS.end());
    instant(if year == day.year() { day } else { first_of(year) }, NaiveTime::MIN)
}

/// The first last day that is not over: today, and from its closing on tomorrow.
pub fn first_day_not_over(now: DateTime<Utc>) -> NaiveDate {
    let today = thai_day(now);
    let over = RuleSet::in_force(now).closing(today) <= now;
    if over { today.succ_opt().unwrap_or(today) } else { today }
}

fn first_of(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).expect("every year has a first day")
}

fn thai(at: DateTime<Utc>) -> DateTime<chrono::FixedOffset> {
    at.with_timezone(&clock::thailand())
}

fn instant(day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let local = clock::thailand().from_local_datetime(&day.and_time(time));
    local.single().expect("a fixed offset has no gaps").with_timezone(&Utc)
}

fn clock_time<'de, D: serde::Deserializer<'de>>(from: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(from)?;
    NaiveTime::parse_from_str(&text, "%H:%M").map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar::of("nonthaburi")
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse::<DateTime<chrono::FixedOffset>>().unwrap().with_timezone(&Utc)
    }

    #[test]
    fn what_arrives_in_working_time_is_received_at_once() {
        let received = at("2026-11-20T10:00:00+07:00");
        assert_eq!(RuleSet::in_force(received).legally_received_at(calendar(), received), received);
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
            assert_eq!(rules.legally_received_at(calendar(), at(received)), at(legal), "{received}");
        }
    }

    #[test]
    fn the_clock_goes_on_with_the_days_it_stopped_with() {
        let rules = RuleSet::pinned("e-gov-2565/1");
        let received = at("2026-11-20T10:00:00+07:00"); // a Friday
        let due_on = rules.due_on(calendar(), received, 7, Counting::Working);
        assert_eq!(due_on.to_string(), "2026-12-01");
        // Asked on Wednesday, the third day: four are left.
        let left = |asked: &str| rules.days_left(calendar(), at(asked), received, due_on, Counting::Working);
        assert_eq!(left("2026-11-25T15:00:00+07:00"), 4);
        assert_eq!(left("2026-11-20T11:00:00+07:00"), 7);
        assert_eq!(left("2026-12-24T11:00:00+07:00"), 0, "late already");
        // Filed on a Sunday and stopped at once: all days are left.
        let sunday = at("2026-11-22T12:00:00+07:00");
        let legal = rules.legally_received_at(calendar(), sunday);
        let due_on = rules.due_on(calendar(), legal, 7, Counting::Working);
        assert_eq!(rules.days_left(calendar(), sunday, legal, due_on, Counting::Working), 7);
    }

    #[test]
    fn the_day_for_documents_is_a_working_day_within_bounds() {
        let rules = RuleSet::pinned("e-gov-2565/1");
        let asked = at("2026-11-20T10:00:00+07:00");
        let allows = |day: &str| rules.allows_documents_on(calendar(), asked, day.parse().unwrap());
        assert!(allows("2026-11-25") && allows("2026-12-11"));
        for day in ["2026-11-24", "2026-11-28", "2026-12-10", "2027-12-01"] {
            assert!(!allows(day), "{day}");
        }
        assert!(allows(&rules.documents_due_on(calendar(), asked).to_string()));
    }

    #[test]
    fn the_year_of_a_receipt_is_thailands() {
        assert_eq!(buddhist_year(at("2026-12-31T23:59:00+07:00")), 2569);
        assert_eq!(buddhist_year(at("2026-12-31T17:00:00+00:00")), 2570);
    }
}
