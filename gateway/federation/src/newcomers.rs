//! Judging and planning what is new, away from the threads that answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use serde_json::Map;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::authorize::Grants;
use crate::document::Document;
use crate::engine::{Engine, PlanKey, Prepared};
use crate::error::{GraphQLError, INTERNAL, Judged};

/// How long a new document waits for its turn before it is refused.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Work that takes longer does not end: the planner has a limit of its own, but on some documents runs in a circle
/// where it does not look at it.
const WORK_MAX: Duration = Duration::from_secs(10);

/// Documents nobody got a plan for, so that each that is remembered costs one thread at most.
const GIVEN_UP_MAX: u64 = 1_000;

pub(crate) struct Newcomers {
    /// As many at a time as there are cores: more would not be faster, and each may hold a thread for seconds.
    /// What was given up counts no more, though its thread may run on.
    turns: Arc<Semaphore>,
    /// What hangs is to cost one thread, not one for each who asks for it: twins wait for each other.
    underway: Cache<PlanKey, Arc<Mutex<()>>>,
    given_up: Cache<PlanKey, ()>,
    lost_threads: AtomicUsize,
    work_max: Duration,
}

impl Newcomers {
    pub fn new() -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Newcomers {
            turns: Arc::new(Semaphore::new(cores)),
            underway: Cache::new(GIVEN_UP_MAX),
            given_up: Cache::new(GIVEN_UP_MAX),
            lost_threads: AtomicUsize::new(0),
            work_max: WORK_MAX,
        })
    }

    /// Does it even when nobody waits for it any longer. `key` is what is to be planned, once that is known.
    pub async fn elsewhere<T: Send + 'static>(
        self: &Arc<Self>,
        key: Option<PlanKey>,
        work: impl FnOnce() -> Judged<T> + Send + 'static,
    ) -> Judged<T> {
        self.check(key.as_ref())?;
        let turn = tokio::time::timeout(WAIT_MAX, self.turn(key.as_ref())).await;
        let Ok(Some(turn)) = turn else { return Err(overloaded()) };
        // While it waited, a twin may have been given up.
        self.check(key.as_ref())?;
        let done = tokio::spawn(self.clone().watched(turn, key, work)).await;
        done.unwrap_or_else(|_| Err(overloaded()))
    }

    fn check(&self, key: Option<&PlanKey>) -> Judged<()> {
        if key.is_some_and(|key| self.given_up.contains_key(key)) { Err(no_plan()) } else { Ok(()) }
    }

    async fn turn(&self, key: Option<&PlanKey>) -> Option<Turn> {
        let alone = match key {
            Some(key) => Some(self.underway.get_with(key.clone(), Arc::default).lock_owned().await),
            None => None,
        };
        let one_of_few = self.turns.clone().acquire_owned().await.ok()?;
        Some(Turn { _alone: alone, _one_of_few: one_of_few })
    }

    async fn watched<T: Send + 'static>(
        self: Arc<Self>,
        _turn: Turn,
        key: Option<PlanKey>,
        work: impl FnOnce() -> Judged<T> + Send + 'static,
    ) -> Judged<T> {
        let (tell, mut told) = oneshot::channel();
        let (newcomers, late) = (self.clone(), key.clone());
        let work = move || {
            let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(not_judged()));
            if tell.send(done).is_err() {
                newcomers.take_back(late.as_ref());
            }
        };
        // Not one of the runtime's threads: it would wait for this one when it stops.
        if let Err(error) = std::thread::Builder::new().name("newcomer".to_owned()).spawn(work) {
            tracing::error!(%error, "no thread for a new document");
            return Err(overloaded());
        }
        match tokio::time::timeout(self.work_max, &mut told).await {
            Ok(done) => done.unwrap_or_else(|_| Err(not_judged())),
            Err(_) => self.give_up(key, told),
        }
    }

    fn give_up<T>(&self, key: Option<PlanKey>, mut told: oneshot::Receiver<Judged<T>>) -> Judged<T> {
        let lost = self.lost_threads.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(key) = &key {
            self.given_up.insert(key.clone(), ());
        }
        told.close();
        if let Ok(done) = told.try_recv() {
            self.take_back(key.as_ref());
            return done;
        }
        tracing::error!(lost, "planning a document was given up, and its thread with it");
        Err(no_plan())
    }

    /// What was given up has come to its end after all.
    fn take_back(&self, key: Option<&PlanKey>) {
        if let Some(key) = key {
            self.given_up.invalidate(key);
        }
        let less = |lost: usize| lost.checked_sub(1);
        let _ = self.lost_threads.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// Leave to use a thread: one at a time for one plan, and a few at a time for all.
struct Turn {
    _alone: Option<OwnedMutexGuard<()>>,
    _one_of_few: OwnedSemaphorePermit,
}

impl Engine {
    /// `document` and `prepare` in one, for servers: what is remembered is found at once, and what is new
    /// is judged and planned elsewhere, so that nobody but its own client waits for it.
    pub async fn ready(
        self: &Arc<Self>,
        query: String,
        operation_name: Option<&str>,
        variables: Map<String, serde_json::Value>,
        grants: &Grants,
    ) -> Result<Prepared, Vec<GraphQLError>> {
        let document = match self.known_document(&query) {
            Some(document) => document,
            None => self.judged(query).await?,
        };
        self.ready_to_run(&document, operation_name, variables, grants).await
    }

    /// The first half of `ready`, for a document that is not known.
    pub async fn judged(self: &Arc<Self>, query: String) -> Result<Arc<Document>, Vec<GraphQLError>> {
        let engine = self.clone();
        self.newcomers.elsewhere(None, move || engine.document(&query)).await
    }

    /// The second half.
    pub async fn ready_to_run(
        self: &Arc<Self>,
        document: &Arc<Document>,
        operation_name: Option<&str>,
        variables: Map<String, serde_json::Value>,
        grants: &Grants,
    ) -> Result<Prepared, Vec<GraphQLError>> {
        let asked = self.asked(document, operation_name, variables, grants)?;
        if let Some(operation) = self.known_plan(&asked) {
            return self.prepared(asked, operation);
        }
        let (engine, key) = (self.clone(), asked.key.clone());
        let work = move || {
            // While it waited, a twin may have been planned.
            let known = engine.known_plan(&asked);
            let operation = known.map_or_else(|| engine.plan_asked(&asked), Ok)?;
            engine.prepared(asked, operation)
        };
        self.newcomers.elsewhere(Some(key), work).await
    }

    /// Threads that plan what cannot be planned, for as long as the process runs. A process with as many as it has
    /// cores should be replaced.
    pub fn lost_threads(&self) -> usize {
        self.newcomers.lost_threads.load(Ordering::Relaxed)
    }
}

fn overloaded() -> Vec<GraphQLError> {
    let message = "Too many new documents are waiting to be planned; try again later.";
    vec![GraphQLError::new("OVERLOADED", message).with("retryable", true)]
}

fn not_judged() -> Vec<GraphQLError> {
    tracing::error!("a document could not be judged");
    vec![GraphQLError::new(INTERNAL, "This document could not be judged.")]
}

fn no_plan() -> Vec<GraphQLError> {
    vec![GraphQLError::new(INTERNAL, "This document could not be planned.")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_hurry() -> Arc<Newcomers> {
        let mut newcomers = Newcomers::new();
        Arc::get_mut(&mut newcomers).unwrap().work_max = Duration::from_millis(20);
        newcomers
    }

    #[tokio::test]
    async fn a_document_that_is_never_planned_costs_its_client_a_wait_and_others_nothing() {
        let newcomers = in_a_hurry();
        let turns = newcomers.turns.available_permits();
        for lost in 1..=8 {
            let forever = || -> Judged<()> {
                loop {
                    std::thread::park();
                }
            };
            assert_eq!(newcomers.elsewhere(None, forever).await.unwrap_err()[0].code, INTERNAL);
            assert_eq!(newcomers.lost_threads.load(Ordering::Relaxed), lost);
        }
        assert_eq!(newcomers.turns.available_permits(), turns);
    }

    #[tokio::test]
    async fn twins_of_a_document_that_is_never_planned_cost_one_thread() {
        let newcomers = in_a_hurry();
        let forever = || -> Judged<()> {
            loop {
                std::thread::park();
            }
        };
        let asked = (0..5).map(|_| newcomers.elsewhere(Some(PlanKey::of_document(7)), forever));
        for answer in futures::future::join_all(asked).await {
            assert_eq!(answer.unwrap_err()[0].message, no_plan()[0].message);
        }
        assert_eq!(newcomers.lost_threads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_thread_that_comes_back_late_is_lost_no_more() {
        let newcomers = in_a_hurry();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let key = || Some(PlanKey::of_document(7));
        newcomers.elsewhere(key(), move || Ok(gone.recv().is_ok())).await.unwrap_err();
        assert_eq!(newcomers.lost_threads.load(Ordering::Relaxed), 1);
        go.send(()).unwrap();
        while newcomers.lost_threads.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
        assert!(newcomers.check(key().as_ref()).is_ok());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_longer_keeps_its_turn_until_it_is_done() {
        let newcomers = Newcomers::new();
        let turns = newcomers.turns.available_permits();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let work = newcomers.elsewhere(None, move || Ok(gone.recv().is_ok()));
        assert!(tokio::time::timeout(Duration::from_millis(20), work).await.is_err());
        assert_eq!(newcomers.turns.available_permits(), turns - 1);
        go.send(()).unwrap();
        while newcomers.turns.available_permits() < turns {
            tokio::task::yield_now().await;
        }
    }
}
