//! One making of a value at a time: who asks meanwhile waits for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::entry::Entry;
use crate::key::Key;
use crate::tiers::{Failed, Source};

/// What came of it, for everyone who waits.
#[derive(Clone)]
pub enum Landed<V> {
    Kept(Arc<Entry<V>>, Source),
    Shared(V),
    Failed(Failed),
}

pub type Waiting<V> = watch::Receiver<Option<Landed<V>>>;
pub type Landing<V> = watch::Sender<Option<Landed<V>>>;

/// The values that are being made.
pub struct Flights<V> {
    flying: Mutex<HashMap<Key, Flight<V>>>,
    numbers: AtomicU64,
}

struct Flight<V> {
    number: u64,
    /// The youngest epoch heard of when it began.
    begun: u64,
    waiting: Waiting<V>,
}

/// A place among them, given up when dropped, even by a panic.
pub struct Seat<V> {
    flights: Arc<Flights<V>>,
    key: Key,
    number: u64,
}

pub enum Boarded<V> {
    /// Has to make it.
    Leads(Seat<V>, Landing<V>, Waiting<V>),
    Follows(Waiting<V>),
}

impl<V> Default for Flights<V> {
    fn default() -> Self {
        Self { flying: Mutex::default(), numbers: AtomicU64::new(0) }
    }
}

impl<V> Flights<V> {
    /// Joins who makes it, or begins. Whoever comes after anything was invalidated (`now` is the youngest
    /// epoch heard of) joins nobody who began before: what they read may be what was changed.
    pub fn board(self: &Arc<Self>, key: &Key, now: u64) -> Boarded<V> {
        let mut flying = self.lock();
        if let Some(flight) = flying.get(key).filter(|flight| flight.begun >= now) {
            return Boarded::Follows(flight.waiting.clone());
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (landing, waiting) = watch::channel(None);
        flying.insert(*key, Flight { number, begun: now, waiting: waiting.clone() });
        let seat = Seat { flights: Arc::clone(self), key: *key, number };
        Boarded::Leads(seat, landing, waiting)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Flight<V>>> {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Drop for Seat<V> {
    fn drop(&mut self) {
        let mut flying = self.flights.lock();
        // A younger one may have taken the place.
        if flying.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            flying.remove(&self.key);
        }
    }
}

/// What comes of it, once it has.
pub async fn landed<V: Clone>(mut waiting: Waiting<V>) -> Landed<V> {
    match waiting.wait_for(Option::is_some).await {
        Ok(landed) => landed.clone().unwrap_or(Landed::Failed(Failed::Died)),
        Err(_) => Landed::Failed(Failed::Died),
    }
}
