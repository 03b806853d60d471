//! When an address that fails is left alone, and when it is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// Failures are weighed against all that was asked in this time.
const WINDOW: Duration = Duration::from_secs(10);
/// Fewer failures than these say nothing.
const FAILURES_MIN: u32 = 5;
/// How many of a hundred requests have to fail.
const FAILURES_PERCENT: u32 = 50;
/// Each time that a trial fails, the next waits twice as long, up to this.
const OPEN_MAX: Duration = Duration::from_secs(10);
/// A trial that has not ended by then is forgotten, and another may begin.
const TRIAL_MAX: Duration = Duration::from_secs(10);

/// The breaker of one address. It is told the time, and has no clock of its own.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    open_first: Duration,
    /// How often it has opened without closing in between.
    opened: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed {
        since: Instant,
        asked: u32,
        failed: u32,
    },
    Open {
        until: Instant,
    },
    /// One request goes through, and decides.
    Trial {
        since: Instant,
    },
}

/// Leave to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    AsUsual,
    /// The one request that decides whether the breaker closes.
    Trial,
}

impl Breaker {
    pub fn new(now: Instant, open_first: Duration) -> Self {
        Breaker { state: closed(now), open_first, opened: 0 }
    }

    /// Whether a request may go through now.
    pub fn allows(&self, now: Instant) -> bool {
        match self.state {
            State::Closed { .. } => true,
            State::Open { until } => until <= now,
            State::Trial { since } => since + TRIAL_MAX <= now,
        }
    }

    /// Lets one request through, or nobody.
    pub fn enter(&mut self, now: Instant) -> Option<Leave> {
        if !self.allows(now) {
            return None;
        }
        if matches!(self.state, State::Closed { .. }) {
            return Some(Leave::AsUsual);
        }
        self.state = State::Trial { since: now };
        Some(Leave::Trial)
    }

    /// Says whether this closed it.
    pub fn succeed(&mut self, leave: Leave, now: Instant) -> bool {
        match &mut self.state {
            State::Closed { .. } => {
                self.count(now, false);
                false
            }
            // What was asked before it opened says nothing of today.
            _ if leave == Leave::AsUsual => false,
            State::Open { .. } | State::Trial { .. } => {
                (self.state, self.opened) = (closed(now), 0);
                true
            }
        }
    }

    /// `nobody_there`: another try would come to nothing either. Says whether this opened it.
    pub fn fail(&mut self, leave: Leave, nobody_there: bool, now: Instant) -> bool {
        let opens = match self.state {
            State::Closed { .. } => self.count(now, true) || nobody_there,
            State::Open { .. } | State::Trial { .. } => leave == Leave::Trial,
        };
        if opens {
            let doubled = self.open_first.saturating_mul(1 << self.opened.min(10));
            self.opened += 1;
            self.state = State::Open { until: now + doubled.min(OPEN_MAX) };
        }
        opens
    }

    /// A trial whose client went away decided nothing.
    pub fn give_back(&mut self, now: Instant) {
        if matches!(self.state, State::Trial { .. }) {
            self.state = State::Open { until: now };
        }
    }

    /// It was seen to live: one request may try it at once.
    pub fn may_be_tried(&mut self, now: Instant) {
        if let State::Open { until } = &mut self.state {
            *until = now.min(*until);
        }
    }

    /// How long until something may go through; `None` when it may now.
    pub fn closed_for(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Closed { .. } => None,
            State::Open { until } => until.checked_duration_since(now).filter(|left| !left.is_zero()),
            State::Trial { since } => (since + TRIAL_MAX > now).then_some(self.open_first),
        }
    }

    /// Counts one request; says whether too many have failed.
    fn count(&mut self, now: Instant, failure: bool) -> bool {
        if matches!(self.state, State::Closed { since, .. } if since + WINDOW <= now) {
            self.state = closed(now);
        }
        let State::Closed { asked, failed, .. } = &mut self.state else { return false };
        *asked += 1;
        *failed += u32::from(failure);
        *failed >= FAILURES_MIN && *failed * 100 >= *asked * FAILURES_PERCENT
    }
}

fn closed(now: Instant) -> State {
    State::Closed { since: now, asked: 0, failed: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(500);

    fn new() -> (Breaker, Instant) {
        let now = Instant::now();
        (Breaker::new(now, FIRST), now)
    }

    fn is_closed(breaker: &Breaker) -> bool {
        matches!(breaker.state, State::Closed { .. })
    }

    #[test]
    fn a_few_failures_among_many_answers_open_nothing() {
        let (mut breaker, now) = new();
        for _ in 0..100 {
            assert!(!breaker.succeed(Leave::AsUsual, now));
            assert!(!breaker.fail(Leave::AsUsual, false, now));
            breaker.succeed(Leave::AsUsual, now);
        }
        assert!(is_closed(&breaker));
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_one_good_trial_closes_it() {
        let (mut breaker, now) = new();
        for _ in 0..4 {
            assert!(!breaker.fail(Leave::AsUsual, false, now));
        }
        assert!(breaker.fail(Leave::AsUsual, false, now));
        assert_eq!((breaker.enter(now), breaker.closed_for(now)), (None, Some(FIRST)));
        let later = now + FIRST;
        assert_eq!(breaker.enter(later), Some(Leave::Trial));
        assert_eq!(breaker.enter(later), None, "one at a time");
        assert!(!breaker.succeed(Leave::AsUsual, later), "what was asked long ago decides nothing");
        assert!(breaker.succeed(Leave::Trial, later));
        assert_eq!(breaker.enter(later), Some(Leave::AsUsual));
    }

    #[test]
    fn each_failed_trial_doubles_the_wait_up_to_a_bound() {
        let (mut breaker, mut now) = new();
        assert!(breaker.fail(Leave::AsUsual, true, now), "nobody is there");
        for wait in [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000] {
            let wait = Duration::from_millis(wait);
            assert_eq!(breaker.closed_for(now), Some(wait));
            now += wait;
            assert_eq!(breaker.enter(now), Some(Leave::Trial));
            assert!(breaker.fail(Leave::Trial, false, now));
        }
    }

    #[test]
    fn a_trial_that_is_given_back_or_forgotten_is_followed_by_another() {
        let (mut breaker, now) = new();
        breaker.fail(Leave::AsUsual, true, now);
        let later = now + FIRST;
        assert_eq!(breaker.enter(later), Some(Leave::Trial));
        breaker.give_back(later);
        assert_eq!(breaker.enter(later), Some(Leave::Trial));
        assert_eq!(breaker.enter(later + TRIAL_MAX), Some(Leave::Trial));
    }

    #[test]
    fn one_that_is_seen_to_live_is_tried_at_once() {
        let (mut breaker, now) = new();
        breaker.fail(Leave::AsUsual, true, now);
        breaker.may_be_tried(now);
        assert_eq!((breaker.closed_for(now), breaker.enter(now)), (None, Some(Leave::Trial)));
    }

    #[test]
    fn failures_of_long_ago_are_forgotten() {
        let (mut breaker, now) = new();
        for _ in 0..4 {
            breaker.fail(Leave::AsUsual, false, now);
        }
        assert!(!breaker.fail(Leave::AsUsual, false, now + WINDOW));
    }
}
