//! How fast, and what comes of asking: the arithmetic alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So many units in a span of time, spent at once or spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Units that may be taken at once by who took none for a while; also what is shown as the limit.
    pub units: u32,
    /// The time in which as many come back.
    pub per_s: u32,
}

/// What came of asking, as `RateLimit` and `Retry-After` tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: bool,
    pub limit: u32,
    /// Units that could be taken now.
    pub remaining: u32,
    /// Until all units are there again.
    pub reset: Duration,
    /// When refused: until these units could be taken. `None` when allowed, or when they never can.
    pub retry_after: Option<Duration>,
}

impl Rate {
    pub const fn new(units: u32, per_s: u32) -> Self {
        Self { units, per_s }
    }

    /// The time in which one unit comes back, at least a microsecond.
    pub(crate) fn unit_us(self) -> i64 {
        (i64::from(self.per_s) * 1_000_000 / i64::from(self.units.max(1))).max(1)
    }

    pub(crate) fn cost_us(self, units: u32) -> i64 {
        self.unit_us().saturating_mul(i64::from(units))
    }

    pub(crate) fn allowance_us(self) -> i64 {
        self.cost_us(self.units)
    }

    /// Whether `units` may be taken when the allowance is used up to `used_until_us`, and up to where it is then.
    pub(crate) fn judge(self, used_until_us: i64, now_us: i64, units: u32) -> (bool, i64) {
        let used = used_until_us.max(now_us);
        let next = used.saturating_add(self.cost_us(units));
        if next.saturating_sub(now_us) > self.allowance_us() { (false, used) } else { (true, next) }
    }

    /// `used_us` is the part of the allowance that is in use now.
    pub(crate) fn verdict(self, allowed: bool, used_us: i64, units: u32) -> Verdict {
        let left_us = (self.allowance_us() - used_us).max(0);
        let missing_us = self.cost_us(units) - left_us;
        let retry = !allowed && units <= self.units;
        Verdict {
            allowed,
            limit: self.units,
            remaining: u32::try_from(left_us / self.unit_us()).unwrap_or(u32::MAX).min(self.units),
            reset: span(used_us),
            retry_after: retry.then(|| span(missing_us)),
        }
    }
}

impl Verdict {
    /// `retry_after` in whole seconds, as the header wants it: never too early.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after.map(whole_seconds)
    }

    /// `reset` in whole seconds.
    pub fn reset_s(&self) -> u64 {
        whole_seconds(self.reset)
    }
}

fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

fn span(us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}
