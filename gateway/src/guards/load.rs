//! How much is executed at once, by all connections of this process together, and who goes first.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use federation::{OperationKind, Prepared};
use graphql::ErrorCode;

use crate::config::Overload;
use crate::pipeline::{Holder, Refusal};

/// The part of the room that one person may take, and one address of strangers, of whom there may be many.
const PERSON_PARTS: usize = 8;
const ADDRESS_PARTS: usize = 2;
/// However little room there is: an app asks for several things at once.
const HOLDER_MIN: usize = 8;

/// What is asked, in the order in which it is let in while there is little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Paying.
    Vital,
    /// A change by somebody who has logged in.
    Change,
    /// What somebody who has logged in reads.
    Reading,
    /// What everybody may ask.
    Public,
    /// Questions about the schema.
    Schema,
}

/// What runs, and how much may.
pub struct Load {
    running: AtomicUsize,
    limit: AtomicUsize,
    limit_max: usize,
    /// Those of whom something runs.
    held: Mutex<HashMap<Holder, usize>>,
    vital: HashSet<String>,
    retry_after_s: u64,
}

/// Leave to execute one operation, given back when it is dropped.
pub struct Turn {
    load: Arc<Load>,
    holder: Holder,
}

impl Class {
    /// The class of an operation: of its root fields the first that counts. A stranger can write down any
    /// mutation, so that naming one opens nothing to them.
    pub fn of(prepared: &Prepared, known_caller: bool, load: &Load) -> Self {
        let mut fields = prepared.root_fields();
        match prepared.kind() {
            OperationKind::Mutation if known_caller => {
                if fields.any(|field| load.vital.contains(field)) {
                    Self::Vital
                } else {
                    Self::Change
                }
            }
            _ if fields.any(|field| matches!(field, "__schema" | "__type")) => Self::Schema,
            _ if known_caller => Self::Reading,
            _ => Self::Public,
        }
    }

    /// How much of the room it may take, in percent: what is above is kept for those before it.
    fn share(self) -> usize {
        match self {
            Self::Vital => 100,
            Self::Change => 90,
            Self::Reading => 80,
            Self::Public => 65,
            Self::Schema => 40,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Vital => "vital",
            Self::Change => "change",
            Self::Reading => "reading",
            Self::Public => "public",
            Self::Schema => "schema",
        }
    }
}

impl Load {
    pub fn new(settings: &Overload) -> Self {
        let limit = settings.executions_max.max(1);
        Self {
            running: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            limit_max: limit,
            held: Mutex::default(),
            vital: settings.vital.iter().cloned().collect(),
            retry_after_s: settings.retry_after_s.max(1),
        }
    }

    /// Lets an operation of this class begin, or says at once that it cannot: there is no room for its class,
    /// or `holder` has taken a fair part of it already.
    pub fn admit(self: &Arc<Self>, class: Class, holder: Holder) -> Result<Turn, Refusal> {
        let (room, fair) = (self.room(class), self.fair(&holder));
        let mut held = self.held();
        let own = held.get(&holder).copied().unwrap_or(0);
        let taken = self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| {
            (own < fair && running < room).then_some(running + 1)
        });
        match taken {
            Ok(_) => {
                held.insert(holder.clone(), own + 1);
                Ok(Turn { load: Arc::clone(self), holder })
            }
            Err(running) => {
                drop(held);
                Err(self.refuse(class, running))
            }
        }
    }

    /// Refuses what is not known yet while there is no room for strangers: to judge and plan it is work too.
    pub fn check_new(&self) -> Result<(), Refusal> {
        let running = self.running.load(Ordering::Relaxed);
        if running < self.room(Class::Public) { Ok(()) } else { Err(self.refuse(Class::Public, running)) }
    }

    /// What runs now, and how much may.
    pub fn state(&self) -> (usize, usize) {
        (self.running.load(Ordering::Relaxed), self.limit.load(Ordering::Relaxed))
    }

    pub fn limit_max(&self) -> usize {
        self.limit_max
    }

    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit.clamp(1, self.limit_max), Ordering::Relaxed);
        metrics::gauge!("graphql_executions_limit").set(limit as f64);
    }

    fn room(&self, class: Class) -> usize {
        (self.limit.load(Ordering::Relaxed) * class.share() / 100).max(1)
    }

    fn fair(&self, holder: &Holder) -> usize {
        let parts = match holder {
            Holder::Person(_) => PERSON_PARTS,
            Holder::Address(_) => ADDRESS_PARTS,
        };
        (self.limit.load(Ordering::Relaxed) / parts).max(HOLDER_MIN)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, class: Class, running: usize) -> Refusal {
        metrics::counter!("graphql_shed_total", "class" => class.name()).increment(1);
        tracing::debug!(class = class.name(), running, "overloaded");
        let message = "There is more to do than can be done now; try again a little later.";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Overloaded, message);
        // Not all at the same moment.
        refusal.retry_after(self.retry_after_s + rand::random_range(0..=self.retry_after_s))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut held = self.load.held();
        self.load.running.fetch_sub(1, Ordering::Relaxed);
        match held.get_mut(&self.holder) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(held.remove(&self.holder)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn person(name: &str) -> Holder {
        Holder::Person(name.to_owned())
    }

    fn people() -> impl Iterator<Item = Holder> {
        (0..).map(|number| person(&format!("{number}")))
    }

    fn load(executions_max: usize) -> Arc<Load> {
        Arc::new(Load::new(&Overload { executions_max, ..Overload::default() }))
    }

    #[test]
    fn when_room_is_short_those_go_first_who_matter_most() {
        let load = load(10);
        let mut turns: Vec<Turn> = Vec::new();
        let mut people = people();
        // Strangers may take six or seven places of ten, readers eight, changes nine.
        for (class, taken) in [
            (Class::Schema, 4),
            (Class::Public, 6),
            (Class::Reading, 8),
            (Class::Change, 9),
            (Class::Vital, 10),
        ] {
            turns.extend(std::iter::from_fn(|| load.admit(class, people.next()?).ok()));
            assert_eq!(turns.len(), taken, "{class:?}");
        }
        assert!(load.check_new().is_err());
        let refusal = load.admit(Class::Vital, person("a")).err().unwrap();
        assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(refusal.retry_after_s.is_some_and(|seconds| (5..=10).contains(&seconds)));
        turns.clear();
        assert_eq!(load.state(), (0, 10));
        assert!(load.held().is_empty(), "who has nothing running is not remembered");
        assert!(load.check_new().is_ok());
    }

    #[test]
    fn nobody_takes_the_room_of_all_the_others() {
        let load = load(80);
        let taken = |holder: Holder| -> Vec<Turn> {
            std::iter::from_fn(|| load.admit(Class::Vital, holder.clone()).ok()).collect()
        };
        let one = taken(person("a"));
        assert_eq!(one.len(), 10);
        let address = Holder::Address(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(taken(address).len(), 40);
        assert_eq!(taken(person("b")).len(), 10);
        // What is done, or given up by who asked for it, makes room for more.
        drop(one);
        assert_eq!(taken(person("a")).len(), 10);
    }

    #[test]
    fn even_a_small_room_takes_one_of_each() {
        let load = load(1);
        for class in [Class::Schema, Class::Public, Class::Vital] {
            assert!(load.admit(class, person("a")).is_ok(), "{class:?}");
        }
    }
}
