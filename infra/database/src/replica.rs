//! Standbys for reads that may be a little old, and how old each is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::postgres::PgPool;

use crate::postgres::Postgres;
use crate::{Error, args};

/// How often a replica is measured while it is read.
const MEASURE_MS: u64 = 500;
/// Positions of the primary remembered to compare with: so many times the above.
const MARKS_MAX: usize = 64;

/// Bytes of the log so far, as a number of either server.
const WRITTEN: &str = "select cast(pg_current_wal_lsn() - '0/0' as bigint) as position";
const REPLAYED: &str = "select cast(pg_last_wal_replay_lsn() - '0/0' as bigint) as position";

/// The replicas of one service's database.
#[derive(Debug)]
pub(crate) struct Replicas {
    all: Vec<Replica>,
    lag_max: Duration,
    next: AtomicUsize,
    measuring: AtomicBool,
    measured: Mutex<Measured>,
}

#[derive(Debug)]
struct Replica {
    pool: PgPool,
    /// It has everything that was written by then.
    fresh_at: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Measured {
    at: Option<Instant>,
    /// How far the primary was when.
    marks: VecDeque<(Instant, i64)>,
}

impl Replicas {
    pub(crate) fn new(pools: Vec<PgPool>, lag_max: Duration) -> Self {
        let all = pools.into_iter().map(|pool| Replica { pool, fresh_at: Mutex::default() }).collect();
        Self {
            all,
            lag_max,
            next: AtomicUsize::new(0),
            measuring: AtomicBool::new(false),
            measured: Mutex::default(),
        }
    }

    /// One that is not too far behind, in turn. Nobody waits for the measuring: until it is done the
    /// primary is asked.
    pub(crate) fn fresh(self: &Arc<Self>, primary: &Postgres) -> Option<PgPool> {
        let old = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() > Duration::from_millis(MEASURE_MS));
        if old(lock(&self.measured).at) && !self.measuring.swap(true, Ordering::AcqRel) {
            let (replicas, primary) = (Arc::clone(self), primary.clone());
            tokio::spawn(async move {
                if let Err(error) = replicas.measure(&primary).await {
                    tracing::warn!(%error, "how old the replicas are cannot be told");
                }
                replicas.measuring.store(false, Ordering::Release);
            });
        }
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..self.all.len()).map(|step| &self.all[(first.wrapping_add(step)) % self.all.len()]);
        let fresh = |replica: &&Replica| {
            lock(&replica.fresh_at).is_some_and(|fresh_at| fresh_at.elapsed() <= self.lag_max)
        };
        in_turn.into_iter().find(fresh).map(|replica| replica.pool.clone())
    }

    /// Compares how far each replica is with how far the primary was at times that are remembered: clocks
    /// of other machines are not asked, and an idle primary makes nobody look old.
    async fn measure(&self, primary: &Postgres) -> Result<(), Error> {
        let asked_at = Instant::now();
        let written = position(primary.rows(WRITTEN, args![]).await?)?;
        let marks = {
            let mut measured = lock(&self.measured);
            measured.at = Some(asked_at);
            measured.marks.push_back((asked_at, written));
            if measured.marks.len() > MARKS_MAX {
                measured.marks.pop_front();
            }
            measured.marks.clone()
        };
        for replica in &self.all {
            let ask = sqlx::query_scalar::<_, Option<i64>>(REPLAYED).fetch_one(&replica.pool);
            match tokio::time::timeout(self.lag_max, ask).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(replayed) => {
                    let reached =
                        |mark: &&(Instant, i64)| replayed.is_some_and(|replayed| mark.1 <= replayed);
                    if let Some((at, _)) = marks.iter().rev().find(reached) {
                        *lock(&replica.fresh_at) = Some(*at);
                    }
                }
                Err(error) => tracing::warn!(%error, "a replica does not answer"),
            }
        }
        Ok(())
    }

    pub(crate) async fn close(&self) {
        for replica in &self.all {
            replica.pool.close().await;
        }
    }
}

fn position(rows: Vec<crate::Row>) -> Result<i64, Error> {
    let missing = || Error::Column { column: "position".into(), reason: "nothing returned".into() };
    rows.first().ok_or_else(missing)?.get("position")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
