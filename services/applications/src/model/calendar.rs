//! The working calendar of an agency: weekends, Thai holidays and days the agency declared, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// How the days of a legal time are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counting {
    /// Working days of the agency.
    #[default]
    Working,
    /// Every day; a last day on which the agency does not work moves to its next working day
    /// (Civil and Commercial Code, section 193/8).
    Calendar,
}

/// The days on which one agency works.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    declared: Option<&'static BTreeSet<NaiveDate>>,
}

#[derive(Deserialize)]
struct HolidayFile {
    holiday: Vec<Holiday>,
    agency: BTreeMap<String, Vec<Holiday>>,
}

#[derive(Deserialize)]
struct Holiday {
    on: NaiveDate,
}

struct Holidays {
    national: BTreeSet<NaiveDate>,
    by_agency: BTreeMap<String, BTreeSet<NaiveDate>>,
}

static HOLIDAYS: LazyLock<Holidays> = LazyLock::new(|| {
    let file: HolidayFile =
        toml::from_str(include_str!("../holidays.toml")).expect("holidays.toml is tested");
    let days = |list: Vec<Holiday>| list.into_iter().map(|holiday| holiday.on).collect();
    let by_agency = file.agency.into_iter().map(|(code, list)| (code, days(list))).collect();
    Holidays { national: days(file.holiday), by_agency }
});

impl Calendar {
    /// The calendar of an agency, by its code.
    pub fn of(agency_code: &str) -> Self {
        Self { declared: HOLIDAYS.by_agency.get(agency_code) }
    }

    /// Whether the agency works on this day.
    pub fn is_working_day(self, day: NaiveDate) -> bool {
        let declared = self.declared.is_some_and(|days| days.contains(&day));
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
            && !HOLIDAYS.national.contains(&day)
            && !declared
    }

    /// The first working day after this day.
    pub fn next_working_day(self, day: NaiveDate) -> NaiveDate {
        let mut next = day;
        loop {
            match next.checked_add_days(Days::new(1)) {
                Some(following) => next = following,
                None => return next, // the calendar ends in the year 262143
            }
            if self.is_working_day(next) {
                return next;
            }
        }
    }

    /// The last of so many days after `day`.
    pub fn after(self, day: NaiveDate, days: u32, counting: Counting) -> NaiveDate {
        match counting {
            Counting::Working => (0..days).fold(day, |day, _| self.next_working_day(day)),
            Counting::Calendar => {
                let last = day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX);
                if days == 0 || self.is_working_day(last) { last } else { self.next_working_day(last) }
            }
        }
    }

    /// How many days are left after `day` until `last`, that day included; none when it is over.
    pub fn left(self, day: NaiveDate, last: NaiveDate, counting: Counting) -> u32 {
        if last <= day {
            return 0;
        }
        let days = match counting {
            Counting::Working => {
                let later = day.iter_days().skip(1).take_while(|later| *later <= last);
                later.filter(|later| self.is_working_day(*later)).count()
            }
            Counting::Calendar => usize::try_from((last - day).num_days()).unwrap_or(0),
        };
        u32::try_from(days).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn working_days_leave_out_weekends_holidays_and_days_in_lieu() {
        let calendar = Calendar::of("nonthaburi");
        // Saturday 5 December is Father's Day, Monday in lieu; Thursday is Constitution Day.
        assert_eq!(calendar.after(day("2026-12-04"), 3, Counting::Working), day("2026-12-11"));
        assert_eq!(calendar.after(day("2026-12-04"), 0, Counting::Working), day("2026-12-04"));
        assert!(!calendar.is_working_day(day("2027-12-06")));
    }

    #[test]
    fn calendar_days_end_on_a_working_day() {
        let calendar = Calendar::of("nonthaburi");
        assert_eq!(calendar.after(day("2026-12-01"), 4, Counting::Calendar), day("2026-12-08"));
        assert_eq!(calendar.after(day("2026-12-01"), 3, Counting::Calendar), day("2026-12-04"));
    }

    #[test]
    fn an_agency_has_days_of_its_own() {
        let day = day("2027-04-16");
        assert!(Calendar::of("nonthaburi").is_working_day(day));
        assert!(!Calendar::of("chiang-mai").is_working_day(day));
    }

    #[test]
    fn every_holiday_is_a_weekday_and_every_day_in_lieu_stands_for_a_weekend() {
        let file: toml::Table = include_str!("../holidays.toml").parse().unwrap();
        for holiday in file["holiday"].as_array().unwrap() {
            let on = day(holiday["on"].as_str().unwrap());
            assert!(!matches!(on.weekday(), Weekday::Sat | Weekday::Sun), "{on} needs a day in lieu");
            if let Some(of) = holiday.get("in_lieu_of") {
                assert!(matches!(day(of.as_str().unwrap()).weekday(), Weekday::Sat | Weekday::Sun), "{on}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_left_leads_to_the_same_last_day(start in 0_u64..900, days in 0_u32..120) {
            let from = day("2026-01-01") + Days::new(start);
            let calendar = Calendar::of("nonthaburi");
            let last = calendar.after(from, days, Counting::Working);
            prop_assert_eq!(calendar.left(from, last, Counting::Working), days);
            prop_assert!(days == 0 || calendar.is_working_day(last));
        }
    }
}
