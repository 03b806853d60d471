//! The next working day: the sandbox's own copy of the holidays, for moving the clock to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};

/// Agencies open at 8.30.
const OPENS_H: u32 = 8;
const OPENS_MIN: u32 = 30;
/// No run of days off is as long.
const DAYS_OFF_MAX: u64 = 30;

/// A system test sees to it that these are the holidays the legal clocks go by.
static HOLIDAYS: LazyLock<BTreeSet<NaiveDate>> = LazyLock::new(|| {
    let years: BTreeMap<String, Vec<NaiveDate>> =
        toml::from_str(include_str!("holidays.toml")).expect("holidays.toml is tested");
    years.into_values().flatten().collect()
});

/// How long it is until the agencies open on the next working day after today in Thailand.
pub fn until_next(now: DateTime<Utc>) -> Duration {
    let today = now.with_timezone(&clock::thailand()).date_naive();
    let later = (1..=DAYS_OFF_MAX).filter_map(|days| today.checked_add_days(Days::new(days)));
    let day = later.into_iter().find(|day| is_working_day(*day)).unwrap_or(today);
    let opens = NaiveTime::from_hms_opt(OPENS_H, OPENS_MIN, 0).unwrap_or_default();
    let opening = clock::thailand().from_local_datetime(&day.and_time(opens)).single();
    opening.map_or(Duration::zero(), |opening| opening.with_timezone(&Utc) - now).max(Duration::zero())
}

/// Neither a Saturday, a Sunday nor a holiday.
pub fn is_working_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !HOLIDAYS.contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(now: &str) -> String {
        let now: DateTime<Utc> = now.parse().unwrap();
        (now + until_next(now)).with_timezone(&clock::thailand()).to_rfc3339()
    }

    #[test]
    fn the_next_working_day_leaves_out_weekends_and_holidays() {
        assert_eq!(next("2026-11-23T03:00:00Z"), "2026-11-24T08:30:00+07:00");
        // A Friday before Constitution Day's and the King's birthday's weeks.
        assert_eq!(next("2026-12-04T03:00:00Z"), "2026-12-08T08:30:00+07:00");
        // Half past midnight on Saturday in Thailand is still Friday in UTC.
        assert_eq!(next("2026-11-27T17:30:00Z"), "2026-11-30T08:30:00+07:00");
        assert_eq!(next("2026-04-10T03:00:00Z"), "2026-04-16T08:30:00+07:00");
    }
}
