//! One service's way to PostgreSQL: a pool that leads to whichever host is the primary.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Handle;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::address::{elsewhere, hosts, session};
use crate::meters::{Connections, Meters};
use crate::replica::Replicas;
use crate::target::Server;
use crate::{Error, Row, Settings, Value, row, value};

/// A connection that was used so lately is believed to be alive; what idled longer is asked first.
const TRUSTED_MS: u64 = 1_000;
/// How long the server may take to say itself that a statement took too long, before it counts as gone.
const GRACE_MS: u64 = 1_500;
/// Between two looks for the primary while none is found, and how long one search goes on.
const SEEK_MS: u64 = 200;
const SEEKING_MS: u64 = 120_000;
const READ_ONLY: [(&str, &str); 1] = [("default_transaction_read_only", "on")];
/// After this a connection is made anew, so that a host that came back gets its share.
const LIFETIME_S: u64 = 30 * 60;

/// A pool of connections to the primary. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    primary: Arc<Primary>,
    replicas: Option<Arc<Replicas>>,
}

#[derive(Debug)]
struct Primary {
    pool: PgPool,
    hosts: Vec<PgConnectOptions>,
    current: Arc<Mutex<Current>>,
    seeking: AtomicBool,
    connect_timeout: Duration,
    /// By when a statement has an answer, or its connection is given up.
    deadline: Duration,
    meters: Meters,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    /// The host in use, and since when: connections older than that lead elsewhere.
    host: usize,
    since: Instant,
    /// When a connection was last lost: the others are asked before they are used again.
    doubted_at: Instant,
}

impl Postgres {
    /// Finds the primary of `service`; to look on, nothing can be changed over it.
    pub(crate) async fn connect(server: &Server, service: &str, looks_on: bool) -> Result<Self, Error> {
        let settings = &server.settings;
        let as_asked = |host| match looks_on {
            true => session(host, service, settings).options(READ_ONLY),
            false => session(host, service, settings),
        };
        let hosts: Vec<_> = hosts(server.url_of(service))?.into_iter().map(as_asked).collect();
        let replicas = settings.replicas.iter().map(|host| elsewhere(&hosts[0], host));
        let replicas = replicas.collect::<Result<Vec<_>, _>>()?;
        let now = Instant::now();
        let current = Arc::new(Mutex::new(Current { host: 0, since: now, doubted_at: now }));
        let max = settings.connections_max(service);
        let pool = pool(settings, max, Some(Arc::clone(&current))).connect_lazy_with(hosts[0].clone());
        let primary = Primary {
            pool,
            hosts,
            current,
            seeking: AtomicBool::new(false),
            connect_timeout: Duration::from_millis(settings.connect_timeout_ms),
            deadline: Duration::from_millis(settings.statement_timeout_ms + GRACE_MS),
            meters: Meters::new(service),
        };
        let primary = Arc::new(primary);
        if primary.hosts.len() > 1 {
            primary.seek().await;
        }
        let replicas = replicas.into_iter().map(|at| pool_of_replica(settings, max, at)).collect::<Vec<_>>();
        let lag_max = Duration::from_millis(settings.replica_lag_ms_max);
        let replicas = (!replicas.is_empty()).then(|| Arc::new(Replicas::new(replicas, lag_max)));
        let postgres = Self { primary, replicas };
        // What cannot be reached at all is said at the start.
        postgres.acquire().await?;
        Ok(postgres)
    }

    pub(crate) async fn acquire(&self) -> Result<Session, Error> {
        match self.primary.acquire().await {
            Err(error) if error.is_lost() => self.primary.acquire().await,
            other => other,
        }
    }

    /// Rows of one statement. A question that was lost with its connection is asked once more.
    pub(crate) async fn rows(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        let again = is_question(sql).then(|| args.clone());
        match (self.rows_once(sql, args).await, again) {
            (Err(error), Some(args)) if error.is_lost() => self.rows_once(sql, args).await,
            (rows, _) => rows,
        }
    }

    async fn rows_once(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        self.acquire().await?.rows(sql, args).await
    }

    /// Rows that may be a little old: from a replica that is not far behind, else from the primary.
    pub(crate) async fn rows_maybe_stale(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        if let Some(pool) = self.replicas.as_ref().and_then(|replicas| replicas.fresh(self)) {
            let bound = value::postgres(sql, args.clone());
            let asked = timeout(self.primary.deadline, bound.fetch_all(&pool));
            match self.primary.meters.run(sql, asked).await {
                Ok(Ok(rows)) => return row::postgres(rows),
                Ok(Err(error)) => tracing::warn!(%error, "a replica did not answer"),
                Err(_) => tracing::warn!("a replica took too long"),
            }
        }
        self.rows(sql, args).await
    }

    pub(crate) async fn execute(&self, sql: &str, args: Vec<Value>) -> Result<u64, Error> {
        self.acquire().await?.execute(sql, args).await
    }

    /// Begins a transaction, on another connection when the first one was dead: nothing is done yet.
    pub(crate) async fn begin(&self) -> Result<Session, Error> {
        for last in [false, true] {
            let mut session = self.acquire().await?;
            match session.begin().await {
                Err(error) if error.is_lost() && !last => {}
                other => return other.map(|()| session),
            }
        }
        Err(Error::Unavailable(std::io::ErrorKind::NotConnected.into()))
    }

    pub(crate) fn connections(&self) -> Connections {
        let pool = &self.primary.pool;
        let (all, max) = (pool.size(), pool.options().get_max_connections());
        let idle = u32::try_from(pool.num_idle()).unwrap_or(all);
        Connections { used: all.saturating_sub(idle), idle, max }
    }

    pub(crate) async fn close(&self) {
        self.primary.pool.close().await;
        if let Some(replicas) = &self.replicas {
            replicas.close().await;
        }
    }
}

impl Primary {
    async fn acquire(self: &Arc<Self>) -> Result<Session, Error> {
        let acquired = self.meters.wait(self.pool.acquire()).await;
        let connection = self.noted(acquired.map_err(Error::from))?;
        Ok(Session { connection: Some(connection), in_transaction: false, primary: Arc::clone(self) })
    }

    /// Begins to look for the primary, when something says that it may be another now.
    fn noted<T>(self: &Arc<Self>, result: Result<T, Error>) -> Result<T, Error> {
        let Err(error) = &result else { return result };
        if error.is_lost() {
            lock(&self.current).doubted_at = Instant::now();
        }
        if self.hosts.len() > 1 && error.suggests_failover() && !self.seeking.swap(true, Ordering::AcqRel) {
            let primary = Arc::clone(self);
            tokio::spawn(async move {
                primary.seek().await;
                primary.seeking.store(false, Ordering::Release);
            });
        }
        result
    }

    /// Tries the hosts in turn until one is the primary. Those who wait for a connection get it there.
    async fn seek(&self) {
        let end = Instant::now() + Duration::from_millis(SEEKING_MS);
        while !self.pool.is_closed() && Instant::now() < end {
            let before = lock(&self.current).host;
            for step in 0..self.hosts.len() {
                let at = (before + step) % self.hosts.len();
                if is_primary(&self.hosts[at], self.connect_timeout).await {
                    if at != before {
                        let host = self.hosts[at].get_host();
                        tracing::warn!(host, "another PostgreSQL server is the primary now");
                        self.pool.set_connect_options(self.hosts[at].clone());
                        let now = Instant::now();
                        *lock(&self.current) = Current { host: at, since: now, doubted_at: now };
                    }
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(SEEK_MS)).await;
        }
    }
}

/// A connection in use: with or without a transaction.
#[derive(Debug)]
pub(crate) struct Session {
    /// There until it is dropped.
    connection: Option<PoolConnection<sqlx::Postgres>>,
    in_transaction: bool,
    primary: Arc<Primary>,
}

impl Session {
    pub(crate) async fn rows(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        let deadline = self.primary.deadline;
        let primary = Arc::clone(&self.primary);
        let work = value::postgres(sql, args).fetch_all(self.connection()?);
        let done = primary.meters.run(sql, timeout(deadline, work)).await;
        row::postgres(self.settled(done)?)
    }

    pub(crate) async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, Error> {
        let deadline = self.primary.deadline;
        let primary = Arc::clone(&self.primary);
        let work = value::postgres(sql, args).execute(self.connection()?);
        let done = primary.meters.run(sql, timeout(deadline, work)).await;
        Ok(self.settled(done)?.rows_affected())
    }

    async fn begin(&mut self) -> Result<(), Error> {
        self.in_transaction = true;
        self.say("begin").await
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.say("commit").await?;
        self.in_transaction = false;
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> Result<(), Error> {
        self.say("rollback").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn say(&mut self, sql: &'static str) -> Result<(), Error> {
        let deadline = self.primary.deadline;
        let primary = Arc::clone(&self.primary);
        let said = timeout(deadline, sqlx::raw_sql(sql).execute(self.connection()?));
        let done = primary.meters.run(sql, said).await;
        self.settled(done).map(|_| ())
    }

    fn connection(&mut self) -> Result<&mut PgConnection, Error> {
        let gone = || Error::Unavailable(std::io::ErrorKind::NotConnected.into());
        self.connection.as_deref_mut().ok_or_else(gone)
    }

    /// Whoever does not answer in time has gone silently: the connection is closed, as nobody could tell
    /// what comes over it next.
    fn settled<T>(&mut self, done: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T, Error> {
        let done = done.unwrap_or_else(|_| {
            if let Some(mut connection) = self.connection.take() {
                connection.close_on_drop();
            }
            Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
        });
        self.primary.noted(done.map_err(Error::from))
    }
}

/// What was begun and not committed is undone, before anyone else gets the connection.
impl Drop for Session {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take().filter(|_| self.in_transaction) else { return };
        let Ok(runtime) = Handle::try_current() else { return connection.close_on_drop() };
        let deadline = self.primary.deadline;
        runtime.spawn(async move {
            let undone = timeout(deadline, sqlx::raw_sql("rollback").execute(&mut *connection)).await;
            if !matches!(undone, Ok(Ok(_))) {
                connection.close_on_drop();
            }
        });
    }
}

fn pool(settings: &Settings, max: u32, current: Option<Arc<Mutex<Current>>>) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(Duration::from_millis(settings.acquire_timeout_ms))
        .max_lifetime(Duration::from_secs(LIFETIME_S))
        // By ourselves, and not before every statement: that would double the round trips.
        .test_before_acquire(false)
        .before_acquire(move |connection, of| {
            let current = current.as_ref().map(|current| *lock(current));
            Box::pin(async move {
                if current.is_some_and(|current| of.age > current.since.elapsed()) {
                    return Ok(false);
                }
                let doubted = current.is_some_and(|current| of.idle_for > current.doubted_at.elapsed());
                if doubted || of.idle_for > Duration::from_millis(TRUSTED_MS) {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

fn pool_of_replica(settings: &Settings, max: u32, at: PgConnectOptions) -> PgPool {
    let patience = Duration::from_millis(settings.connect_timeout_ms);
    pool(settings, max, None).acquire_timeout(patience).connect_lazy_with(at.options(READ_ONLY))
}

/// The host of `url` that is the primary now; the first one where none is.
pub(crate) async fn primary_of(url: &str, settings: &Settings) -> Result<PgConnectOptions, Error> {
    let mut hosts = hosts(url)?;
    if hosts.len() > 1 {
        for at in 0..hosts.len() {
            if is_primary(&hosts[at], Duration::from_millis(settings.connect_timeout_ms)).await {
                return Ok(hosts.swap_remove(at));
            }
        }
    }
    Ok(hosts.swap_remove(0))
}

async fn is_primary(at: &PgConnectOptions, patience: Duration) -> bool {
    let ask = async {
        let mut connection = at.connect().await?;
        let standby: bool =
            sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(!standby)
    };
    matches!(timeout(patience, ask).await, Ok(Ok(true)))
}

fn is_question(sql: &str) -> bool {
    let first = sql.trim_start();
    first.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select")) && !first.contains(" for update")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
