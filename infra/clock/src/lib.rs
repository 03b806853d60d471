//! Time and fresh ids, passed in; the sandbox can move the clock.
//!
//! Legal clocks, expiry and back-off all read this clock, so that they can be tested and
//! demonstrated without waiting: the sandbox adds an offset (`POST /sandbox/clock`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use chrono::{DateTime, Duration, DurationRound, FixedOffset, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

/// A clock shared by everything in one process. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Clock {
    base: Base,
    offset_us: Arc<AtomicI64>,
    /// Ids made so far by a clock that stands still.
    ids: Arc<AtomicU32>,
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
        Self { base: Base::System, offset_us: Arc::default(), ids: Arc::default() }
    }

    /// A clock that shows `instant` until it is moved.
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self { base: Base::Fixed(instant), offset_us: Arc::default(), ids: Arc::default() }
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

    /// Moves the clock to where another one is that was moved by `offset`, unless it is there or beyond.
    pub fn move_to(&self, offset: Duration) {
        self.offset_us.fetch_max(offset.num_microseconds().unwrap_or(0), Ordering::Relaxed);
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
                let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
                // The count keeps ids of one standing instant in order; the rest tells clocks apart.
                let mut rest = *Uuid::now_v7().as_bytes().last_chunk::<10>().expect("a uuid has 16 bytes");
                let count = self.ids.fetch_add(1, Ordering::Relaxed);
                rest[..3].fill(0);
                rest[3..7].copy_from_slice(&count.to_be_bytes());
                uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
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
        clock.move_to(Duration::minutes(9));
        assert_eq!(shared.now(), DateTime::UNIX_EPOCH + Duration::minutes(10));
    }

    #[test]
    fn ids_of_one_instant_sort_in_the_order_they_were_made() {
        let clock = Clock::at("2026-11-20T17:00:00Z".parse().unwrap());
        let ids: Vec<Uuid> = (0..300).map(|_| clock.uuid()).collect();
        assert!(ids.is_sorted());
        assert_ne!(clock.uuid(), Clock::at(clock.now()).uuid());
    }

    #[test]
    fn the_day_in_thailand_begins_seven_hours_early() {
        let clock = Clock::at("2026-11-20T17:00:00Z".parse().unwrap());
        assert_eq!(clock.today_in_thailand().to_string(), "2026-11-21");
    }
}
