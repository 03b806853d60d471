//! Judging and planning what is new, away from the threads that answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use serde_json::Map;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::authorize::Grants;
use crate::engine::{Engine, PlanKey, Prepared};
use crate::error::{GraphQLError, INTERNAL, Judged};

/// How long a new document waits for its turn before it is refused.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Work that takes longer does not end: the planner has a limit of its own, but on some documents runs in a circle
/// where it does not look at it.
const WORK_MAX: Duration = Duration::from_secs(10);

/// Documents nobody got a plan for, so that each costs one thread at most.
const GIVEN_UP_MAX: u64 = 1_000;

pub(crate) struct Newcomers {
    /// As many at a time as there are cores: more would not be faster, and each may hold a thread for seconds.
    turns: Arc<Semaphore>,
    given_up: Cache<PlanKey, ()>,
    lost_threads: AtomicUsize,
    work_max: Duration,
}

impl Newcomers {
    pub fn new() -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Newcomers {
            turns: Arc::new(Semaphore::new(cores)),
            given_up: Cache::new(GIVEN_UP_MAX),
            lost_threads: AtomicUsize::new(0),
            work_max: WORK_MAX,
        })
    }

    /// Does it even when nobody waits for it any longer. `key` is what is to be planned, once that is known.
    async fn elsewhere<T: Send + 'static>(
        self: &Arc<Self>,
        key: Option<PlanKey>,
        work: impl FnOnce() -> Judged<T> + Send + 'static,
    ) -> Judged<T> {
        if key.as_ref().is_some_and(|key| self.given_up.contains_key(key)) {
            return Err(no_plan());
        }
        let turn = tokio::time::timeout(WAIT_MAX, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(overloaded()) };
        let done = tokio::spawn(self.clone().watched(turn, key, work)).await;
        done.unwrap_or_else(|_| Err(overloaded()))
    }

    async fn watched<T: Send + 'static>(
        self: Arc<Self>,
        _turn: OwnedSemaphorePermit,
        key: Option<PlanKey>,
        work: impl FnOnce() -> Judged<T> + Send + 'static,
    ) -> Judged<T> {
        let (tell, mut told) = oneshot::channel();
        let newcomers = self.clone();
        // Not one of the runtime's threads: it would wait for this one when it stops.
        let begun = std::thread::Builder::new().name("newcomer".to_owned()).spawn(move || {
            if tell.send(work()).is_err() {
                newcomers.lost_threads.fetch_sub(1, Ordering::Relaxed);
            }
        });
        if let Err(error) = begun {
            tracing::error!(%error, "no thread for a new document");
            return Err(overloaded());
        }
        match tokio::time::timeout(self.work_max, &mut told).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => {
                tracing::error!("a document could not be judged");
                Err(vec![GraphQLError::new(INTERNAL, "This document could not be judged.")])
            }
            Err(_) => self.give_up(key, told),
        }
    }

    fn give_up<T>(&self, key: Option<PlanKey>, mut told: oneshot::Receiver<Judged<T>>) -> Judged<T> {
        let lost = self.lost_threads.fetch_add(1, Ordering::Relaxed) + 1;
        told.close();
        if let Ok(done) = told.try_recv() {
            self.lost_threads.fetch_sub(1, Ordering::Relaxed);
            return done;
        }
        tracing::error!(lost, "planning a document was given up, and its thread with it");
        if let Some(key) = key {
            self.given_up.insert(key, ());
        }
        Err(no_plan())
    }
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
            None => {
                let engine = self.clone();
                self.newcomers.elsewhere(None, move || engine.document(&query)).await?
            }
        };
        let asked = self.asked(&document, operation_name, variables, grants)?;
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
    async fn a_thread_that_comes_back_late_is_lost_no_more() {
        let newcomers = in_a_hurry();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        newcomers.elsewhere(None, move || Ok(gone.recv().is_ok())).await.unwrap_err();
        assert_eq!(newcomers.lost_threads.load(Ordering::Relaxed), 1);
        go.send(()).unwrap();
        while newcomers.lost_threads.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
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
