//! Time and fresh ids, passed in; the sandbox can move the clock.
//!
//! Legal clocks, expiry and back-off all read this clock, so that they can be tested and
//! demonstrated without waiting: the sandbox adds an offset (`POST /sandbox/clock`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, DurationRound, FixedOffset, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

/// A clock shared by everything in one process. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Clock {
    base: Base,
    offset_us: Arc<AtomicI64>,
}

#[derive(Clone, Copy, Debug)]
enum Base {
    System,
    /// Stands still until moved: for tests.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { base: Base::System, offset_us: Arc::default() }
    }

    /// A clock that shows `instant` until it is moved.
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self { base: Base::Fixed(instant), offset_us: Arc::default() }
    }

    /// Now, in whole microseconds: the precision both database engines keep.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        let base = match self.base {
            Base::System => Utc::now(),
            Base::Fixed(instant) => instant,
        };
        let moved = base + Duration::microseconds(self.offset_us.load(Ordering::Relaxed));
        moved.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(moved)
    }

    /// Moves the clock forward for everyone who shares it. Never backwards: negative spans are ignored.
    pub fn advance(&self, span: Duration) {
        let span_us = span.num_microseconds().unwrap_or(0).max(0);
        self.offset_us.fetch_add(span_us, Ordering::Relaxed);
    }

    /// How far the clock has been moved.
    pub fn offset(&self) -> Duration {
        Duration::microseconds(self.offset_us.load(Ordering::Relaxed))
    }

    /// Today's date in Thailand (UTC+7, no daylight saving).
    pub fn today_in_thailand(&self) -> NaiveDate {
        self.now().with_timezone(&thailand()).date_naive()
    }

    /// A fresh id (UUID version 7, so that ids sort by time).
    #[allow(clippy::disallowed_methods, reason = "the one place that makes ids")]
    pub fn uuid(&self) -> Uuid {
        match self.base {
            Base::System => Uuid::now_v7(),
            Base::Fixed(_) => {
                let now = self.now();
                let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
                let context = uuid::NoContext;
                Uuid::new_v7(uuid::Timestamp::from_unix(context, seconds, now.timestamp_subsec_nanos()))
            }
        }
    }
}

/// Thailand's offset from UTC.
pub fn thailand() -> FixedOffset {
    FixedOffset::east_opt(7 * 3600).expect("seven hours is a valid offset")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_forward_and_for_all_who_share_it() {
        let clock = Clock::at(DateTime::UNIX_EPOCH);
        let shared = clock.clone();
        clock.advance(Duration::minutes(10));
        clock.advance(Duration::minutes(-5));
        assert_eq!(shared.now(), DateTime::UNIX_EPOCH + Duration::minutes(10));
    }

    #[test]
    fn the_day_in_thailand_begins_seven_hours_early() {
        let clock = Clock::at("2026-11-20T17:00:00Z".parse().unwrap());
        assert_eq!(clock.today_in_thailand().to_string(), "2026-11-21");
    }
}
