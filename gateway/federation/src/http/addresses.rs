//! The addresses of one subgraph: which of them is asked next.
//!
//! An address with a number is one process. Behind a name there may be several, of whom one is reached with each
//! new connection: what one of them refuses another may take, and says nothing yet of the name.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Uri;
use tokio::sync::watch;
use tokio::time::Instant;

use super::breaker::{Breaker, Leave};
use super::failure::Failure;
use super::meters;

/// A subgraph has as many; more are passed over.
const ADDRESSES_MAX: usize = 64;
/// What a client is told to wait for an address that answers nothing: until it is looked at again.
const SILENT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Where a subgraph is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Where it takes GraphQL.
    pub url: Uri,
    /// Where it says, with a status of 2xx, that it wants requests. Without it, it always does.
    pub ready: Option<Uri>,
}

/// What the last look at an address came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    NotYet,
    Ready,
    /// It answers, and wants nothing new: it drains, or lacks something.
    NotReady,
    Silent,
}

pub(super) struct Place {
    subgraph: Arc<str>,
    pub address: Address,
    /// Whether it is a name.
    pub several: bool,
    on_their_way: AtomicUsize,
    seen: watch::Sender<Seen>,
    breaker: Mutex<Breaker>,
}

/// All addresses of one subgraph.
pub(super) struct Places {
    places: Vec<Arc<Place>>,
    /// Those that are names.
    several: u64,
}

/// Leave to ask one address once.
pub(super) struct Pass {
    pub place: Arc<Place>,
    number: usize,
    leave: Leave,
    told: bool,
}

/// The addresses that were asked already.
#[derive(Clone, Copy, Default)]
pub(super) struct Tried(u64);

impl Tried {
    pub fn add(&mut self, pass: &Pass) {
        self.0 |= 1 << pass.number;
    }
}

impl Places {
    pub fn new(subgraph: &str, addresses: Vec<Address>, open_first: Duration) -> Self {
        let now = Instant::now();
        if addresses.len() > ADDRESSES_MAX {
            tracing::warn!(subgraph, "only the first {ADDRESSES_MAX} addresses of a subgraph are used");
        }
        let subgraph: Arc<str> = subgraph.into();
        let place = |address: Address| Place {
            subgraph: Arc::clone(&subgraph),
            several: is_name(&address.url),
            address,
            on_their_way: AtomicUsize::new(0),
            seen: watch::Sender::new(Seen::NotYet),
            breaker: Mutex::new(Breaker::new(now, open_first)),
        };
        let places: Vec<_> = addresses.into_iter().take(ADDRESSES_MAX).map(place).map(Arc::new).collect();
        let several = places.iter().rev().fold(0, |bits, place| (bits << 1) | u64::from(place.several));
        Places { places, several }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Place>> {
        self.places.iter()
    }

    pub fn has_others(&self) -> bool {
        self.places.len() > 1
    }

    /// The less busy of two that are ready; of those that are not, when none is: better a request that
    /// may fail than one that does.
    pub fn choose(&self, tried: Tried, now: Instant) -> Option<Pass> {
        let mut fit = [0_u64; 2];
        for (number, place) in self.places.iter().enumerate() {
            if tried.0 & (1 << number) == 0 && place.breaker().allows(now) {
                match *place.seen.borrow() {
                    Seen::NotYet | Seen::Ready => fit[0] |= 1 << number,
                    Seen::NotReady => fit[1] |= 1 << number,
                    Seen::Silent => {}
                }
            }
        }
        let mut fit = if fit[0] == 0 { fit[1] } else { fit[0] };
        while fit != 0 {
            let number = self.less_busy(any_of(fit), any_of(fit));
            fit &= !(1 << number);
            // Another request may just have taken the leave to try it.
            if let Some(pass) = self.places[number].enter(number, now) {
                return Some(pass);
            }
        }
        None
    }

    /// Those that were tried and are not worth another try: not the names.
    pub fn but_names(&self, tried: Tried) -> Tried {
        Tried(tried.0 & !self.several)
    }

    /// How long until one of them may be asked; `None` when one may now.
    pub fn closed_for(&self, now: Instant) -> Option<Duration> {
        let closed = self.places.iter().map(|place| match *place.seen.borrow() {
            Seen::Silent => Some(SILENT_RETRY_AFTER),
            _ => place.breaker().closed_for(now),
        });
        closed.collect::<Option<Vec<_>>>().map(|all| all.into_iter().min().unwrap_or(SILENT_RETRY_AFTER))
    }

    fn less_busy(&self, one: usize, other: usize) -> usize {
        let busy = |number: usize| self.places[number].on_their_way.load(Ordering::Relaxed);
        if busy(other) < busy(one) { other } else { one }
    }
}

fn is_name(url: &Uri) -> bool {
    url.host().is_none_or(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().is_err())
}

/// Any of the numbers whose bits are set.
fn any_of(bits: u64) -> usize {
    let mut rest = bits;
    if bits.count_ones() > 1 {
        for _ in 0..rand::random_range(0..bits.count_ones()) {
            rest &= rest - 1;
        }
    }
    rest.trailing_zeros() as usize
}

impl Place {
    fn enter(self: &Arc<Self>, number: usize, now: Instant) -> Option<Pass> {
        let leave = self.breaker().enter(now)?;
        self.on_their_way.fetch_add(1, Ordering::Relaxed);
        Some(Pass { place: Arc::clone(self), number, leave, told: false })
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn seen(&self) -> Seen {
        *self.seen.borrow()
    }

    /// Somebody looked.
    pub fn see(&self, seen: Seen) {
        let before = self.seen.send_replace(seen);
        if seen == Seen::Ready {
            self.breaker().may_be_tried(Instant::now());
        }
        let address = self.name();
        meters::ready(&self.subgraph, address, seen == Seen::Ready);
        if before != seen {
            tracing::info!(subgraph = %self.subgraph, address, ?seen, "an address of a subgraph changed");
        }
    }

    /// Waits until it is seen to be silent.
    pub async fn silent(&self) {
        // We hold the sender, so waiting never fails.
        let _ = self.seen.subscribe().wait_for(|seen| *seen == Seen::Silent).await;
    }

    /// An answer is a sign of life, whatever was seen: with too much to do, only the look came late.
    fn answered(&self) {
        if self.seen() == Seen::Silent {
            self.see(Seen::Ready);
        }
    }

    /// Without what stands before an `@`: a password is not for logs.
    fn name(&self) -> &str {
        let authority = self.address.url.authority().map_or("-", http::uri::Authority::as_str);
        authority.rsplit_once('@').map_or(authority, |(_, place)| place)
    }

    fn breaker_changed(&self, open: bool) {
        let address = self.name();
        meters::breaker(&self.subgraph, address, open);
        if open {
            tracing::warn!(subgraph = %self.subgraph, address, "an address of a subgraph fails: it is left alone");
        } else {
            tracing::info!(subgraph = %self.subgraph, address, "an address of a subgraph answers again");
        }
    }
}

impl Pass {
    /// Tells what came of it, which decides about those who come after. `had` is the time there was.
    pub fn tell(mut self, failure: Option<&Failure>, had: Duration) {
        self.told = true;
        if failure.is_none() {
            self.place.answered();
        }
        let now = Instant::now();
        let counted = failure.filter(|failure| failure.counts(had));
        let (changed, open) = match counted {
            // An answer too late or that is nonsense is a sign of life, but says nothing good.
            None if failure.is_some() && self.leave == Leave::Trial => {
                self.place.breaker().give_back(now);
                return;
            }
            None => (self.place.breaker().succeed(self.leave, now), false),
            Some(failure) => {
                let gone = matches!(failure, Failure::Refused(_) | Failure::Gone);
                let nobody_there = gone && !self.place.several;
                (self.place.breaker().fail(self.leave, nobody_there, now), true)
            }
        };
        if changed {
            self.place.breaker_changed(open);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.place.on_their_way.fetch_sub(1, Ordering::Relaxed);
        if !self.told && self.leave == Leave::Trial {
            self.place.breaker().give_back(Instant::now());
        }
    }
}
