//! How much is executed at once, by all connections of this process together, and who goes first.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use federation::{OperationKind, Prepared};
use graphql::ErrorCode;

use crate::config::Overload;
use crate::pipeline::Refusal;

/// What is asked, in the order in which it is let in while there is little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Paying.
    Vital,
    /// A change by a person.
    Change,
    /// What somebody who has logged in reads.
    Reading,
    /// What everybody may read.
    Public,
    /// Questions about the schema.
    Schema,
}

/// What runs, and how much may.
pub struct Load {
    running: AtomicUsize,
    limit: AtomicUsize,
    limit_max: usize,
    vital: HashSet<String>,
    retry_after_s: u64,
}

/// Leave to execute one operation, given back when it is dropped.
pub struct Turn {
    load: Arc<Load>,
}

impl Class {
    /// The class of an operation: of its root fields the first that counts.
    pub fn of(prepared: &Prepared, known_caller: bool, load: &Load) -> Self {
        let mut fields = prepared.root_fields();
        match prepared.kind() {
            OperationKind::Mutation if fields.any(|field| load.vital.contains(field)) => Self::Vital,
            OperationKind::Mutation => Self::Change,
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
            vital: settings.vital.iter().cloned().collect(),
            retry_after_s: settings.retry_after_s.max(1),
        }
    }

    /// Lets an operation of this class begin, or says at once that it cannot.
    pub fn admit(self: &Arc<Self>, class: Class) -> Result<Turn, Refusal> {
        let room = self.room(class);
        let taken = self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| {
            (running < room).then_some(running + 1)
        });
        match taken {
            Ok(_) => Ok(Turn { load: Arc::clone(self) }),
            Err(running) => Err(self.refuse(class, running)),
        }
    }

    /// Refuses what is not known yet while there is no room for strangers: to judge and plan it is work too.
    pub fn check_new(&self, is_known: impl FnOnce() -> bool) -> Result<(), Refusal> {
        let running = self.running.load(Ordering::Relaxed);
        if running < self.room(Class::Public) || is_known() {
            return Ok(());
        }
        Err(self.refuse(Class::Public, running))
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
        self.load.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(executions_max: usize) -> Arc<Load> {
        Arc::new(Load::new(&Overload { executions_max, ..Overload::default() }))
    }

    #[test]
    fn when_room_is_short_those_go_first_who_matter_most() {
        let load = load(10);
        let mut turns: Vec<Turn> = Vec::new();
        // Strangers may take six or seven places of ten, readers eight, changes nine.
        for (class, taken) in [
            (Class::Schema, 4),
            (Class::Public, 6),
            (Class::Reading, 8),
            (Class::Change, 9),
            (Class::Vital, 10),
        ] {
            turns.extend(std::iter::from_fn(|| load.admit(class).ok()));
            assert_eq!(turns.len(), taken, "{class:?}");
        }
        assert!(load.check_new(|| false).is_err() && load.check_new(|| true).is_ok());
        let refusal = load.admit(Class::Vital).err().unwrap();
        assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(refusal.retry_after_s.is_some_and(|seconds| (5..=10).contains(&seconds)));
        turns.clear();
        assert_eq!(load.state(), (0, 10));
        assert!(load.check_new(|| false).is_ok());
    }

    #[test]
    fn even_a_small_room_takes_one_of_each() {
        let load = load(1);
        for class in [Class::Schema, Class::Public, Class::Vital] {
            assert!(load.admit(class).is_ok(), "{class:?}");
        }
    }
}
