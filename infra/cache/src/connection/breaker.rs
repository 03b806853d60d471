//! Leaves alone what fails: closed, open for a while, then one try.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A circuit breaker.
pub struct Breaker {
    failures_max: u32,
    pause: Duration,
    state: Mutex<State>,
}

enum State {
    /// Failures in a row so far.
    Closed(u32),
    /// Left alone until then.
    Open(Instant),
    /// One is trying.
    Trying,
}

/// May ask. Says afterwards how it went; one that is dropped, with its client, says nothing.
pub struct Permit<'a> {
    breaker: &'a Breaker,
    tries: bool,
}

/// Whether a failure opened the breaker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opened {
    No,
    Now,
    /// It was the one try.
    Again,
}

impl Breaker {
    pub fn new(failures_max: u32, pause: Duration) -> Self {
        Self { failures_max: failures_max.max(1), pause, state: Mutex::new(State::Closed(0)) }
    }

    pub fn admit(&self, now: Instant) -> Option<Permit<'_>> {
        let mut state = self.state();
        match *state {
            State::Closed(_) => Some(Permit { breaker: self, tries: false }),
            State::Open(until) if now >= until => {
                *state = State::Trying;
                Some(Permit { breaker: self, tries: true })
            }
            State::Open(_) | State::Trying => None,
        }
    }

    pub fn is_open(&self) -> bool {
        !matches!(*self.state(), State::Closed(_))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: &mut State, next: State) {
        metrics::gauge!("cache_redis_breaker_open").set(if matches!(next, State::Closed(_)) {
            0.0
        } else {
            1.0
        });
        *state = next;
    }
}

impl Permit<'_> {
    /// Whether this was the success that closed it.
    pub fn good(mut self) -> bool {
        let mut state = self.breaker.state();
        let closes = match *state {
            State::Closed(_) => {
                *state = State::Closed(0);
                false
            }
            State::Trying => self.tries,
            // An answer to a question of before.
            State::Open(_) => false,
        };
        if closes {
            self.breaker.set(&mut state, State::Closed(0));
        }
        self.tries = false;
        closes
    }

    pub fn bad(mut self, now: Instant) -> Opened {
        let mut state = self.breaker.state();
        let opened = match *state {
            State::Closed(failures) if failures + 1 < self.breaker.failures_max => {
                *state = State::Closed(failures + 1);
                Opened::No
            }
            State::Closed(_) => Opened::Now,
            State::Trying if self.tries => Opened::Again,
            State::Open(_) | State::Trying => Opened::No,
        };
        if opened != Opened::No {
            self.breaker.set(&mut state, State::Open(now + self.breaker.pause));
        }
        self.tries = false;
        opened
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.tries {
            // Its client left in the middle: the next may try.
            *self.breaker.state() = State::Open(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    #[test]
    fn failures_in_a_row_open_it_and_one_success_closes_it() {
        let (breaker, now) = (Breaker::new(3, PAUSE), Instant::now());
        let failed = || breaker.admit(now).expect("it is closed").bad(now);
        assert_eq!([failed(), failed()], [Opened::No; 2]);
        assert!(!breaker.admit(now).unwrap().good(), "it was closed all the time");
        assert_eq!([failed(), failed(), failed()], [Opened::No, Opened::No, Opened::Now]);
        assert!(breaker.is_open() && breaker.admit(now).is_none());
        let one = breaker.admit(now + PAUSE).expect("one may try");
        assert!(breaker.admit(now + PAUSE).is_none(), "only one");
        assert!(one.good());
        assert!(!breaker.is_open() && breaker.admit(now).is_some());
    }

    #[test]
    fn a_try_that_fails_opens_it_again_and_one_that_is_dropped_does_not_block() {
        let (breaker, now) = (Breaker::new(1, PAUSE), Instant::now());
        assert_eq!(breaker.admit(now).unwrap().bad(now), Opened::Now);
        assert_eq!(breaker.admit(now + PAUSE).unwrap().bad(now + PAUSE), Opened::Again);
        assert!(breaker.admit(now + PAUSE).is_none());
        drop(breaker.admit(now + 2 * PAUSE).unwrap());
        assert!(breaker.admit(now + 2 * PAUSE).is_some(), "the next may try at once");
    }
}
