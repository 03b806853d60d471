//! How many requests may be sent again: a share of all, so that retries never multiply the load on a
//! subgraph that has too much of it already.

use tokio::time::Instant;

/// Of a hundred requests, how many may be sent again.
const PERCENT: f64 = 10.0;
/// However few requests there are, one retry in each second.
const PER_SECOND: f64 = 1.0;
/// What a quiet time saves up.
const SAVED_MAX: f64 = 10.0;

#[derive(Debug)]
pub(super) struct Budget {
    saved: f64,
    counted_at: Instant,
}

impl Budget {
    pub fn new(now: Instant) -> Self {
        Budget { saved: SAVED_MAX, counted_at: now }
    }

    /// A request was sent for the first time.
    pub fn earn(&mut self) {
        self.saved = (self.saved + PERCENT / 100.0).min(SAVED_MAX);
    }

    /// Whether one may be sent again.
    pub fn spend(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.counted_at);
        self.counted_at = now;
        self.saved = (self.saved + passed.as_secs_f64() * PER_SECOND).min(SAVED_MAX);
        if self.saved < 1.0 {
            return false;
        }
        self.saved -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_in_ten_requests_may_be_sent_again_and_few_more() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
        let mut spent = 0;
        for _ in 0..1_000 {
            budget.earn();
            spent += i32::from(budget.spend(now));
        }
        assert!((100..=111).contains(&spent), "{spent}");
    }

    #[test]
    fn a_quiet_time_saves_up_a_few_and_no_more() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
        while budget.spend(now) {}
        assert!(!budget.spend(now + Duration::from_millis(900)));
        assert!(budget.spend(now + Duration::from_secs(2)));
        let later = now + Duration::from_secs(3_600);
        assert_eq!((0..100).filter(|_| budget.spend(later)).count(), 10);
    }
}
