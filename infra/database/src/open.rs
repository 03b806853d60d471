//! Opening a service's database and asking it one statement at a time.

use std::panic::Location;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use failpoint::{Point, reach_at};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::migration::migrator;
use crate::transaction::Inner;
use crate::{Engine, Error, Migrations, Queryable, Row, Tx, Value, row, value};

const READERS_MAX: u32 = 4;
const POSTGRES_CONNECTIONS_MAX: u32 = 8;
const ACQUIRE_TIMEOUT_MS: u64 = 5_000;
const BUSY_TIMEOUT_MS: u64 = 5_000;
const STATEMENT_TIMEOUT_MS: &str = "5000";

/// Where databases live.
#[derive(Clone, Debug)]
pub enum Target {
    /// A directory with one SQLite file per service; one process at a time.
    Embedded {
        directory: PathBuf,
        /// Whether a commit waits for the disk. Only throw-away test data goes without.
        durable: bool,
    },
    /// A PostgreSQL server; one schema per service.
    Postgres { url: String },
}

impl Target {
    /// SQLite files in `directory`, safe against power loss.
    pub fn embedded(directory: impl Into<PathBuf>) -> Self {
        Self::Embedded { directory: directory.into(), durable: true }
    }
}

/// One service's database. Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Pools,
    /// Locked as long as the database is open, so that a second process refuses to start.
    lock: Option<Arc<std::fs::File>>,
}

#[derive(Clone, Debug)]
enum Pools {
    /// SQLite has one writer: transactions queue for its single connection instead of colliding.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

impl Database {
    /// Opens (and creates, when absent) the database of `service` and applies its migrations.
    pub async fn open(target: &Target, service: &str, migrations: &[&Migrations]) -> Result<Self, Error> {
        match target {
            Target::Embedded { directory, durable } => {
                open_sqlite(directory, *durable, service, migrations).await
            }
            Target::Postgres { url } => open_postgres(url, service, migrations).await,
        }
    }

    /// Looks on while another process serves: what is committed can be read, nothing can be changed.
    pub async fn observe(target: &Target, service: &str) -> Result<Self, Error> {
        match target {
            Target::Embedded { directory, .. } => {
                let file = directory.join(format!("{service}.sqlite"));
                let options = SqliteConnectOptions::new()
                    .filename(file)
                    .read_only(true)
                    .busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS));
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
                Ok(Self { pools: Pools::Sqlite { readers: pool.clone(), writer: pool }, lock: None })
            }
            Target::Postgres { url } => {
                let options =
                    postgres_options(url, service)?.options([("default_transaction_read_only", "on")]);
                let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
                Ok(Self { pools: Pools::Postgres(pool), lock: None })
            }
        }
    }

    /// Begins a transaction; dropping it undoes it.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let inner = match &self.pools {
            // Immediate: a deferred transaction that reads and then writes can fail as busy.
            Pools::Sqlite { writer, .. } => Inner::Sqlite(writer.begin_with("begin immediate").await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx::new(inner))
    }

    /// All rows of a statement.
    pub async fn rows(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => row::sqlite(value::sqlite(sql, args).fetch_all(readers).await?),
            Pools::Postgres(pool) => row::postgres(value::postgres(sql, args).fetch_all(pool).await?),
        }
    }

    /// The first row of a statement, if there is one.
    pub async fn row(&self, sql: &str, args: Vec<Value>) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs one statement in a transaction of its own and tells how many rows it changed.
    #[track_caller]
    pub fn execute(&self, sql: &str, args: Vec<Value>) -> impl Future<Output = Result<u64, Error>> + Send {
        let at = Location::caller();
        async move {
            reach_at(Point::BeforeWrite, at);
            let done = match &self.pools {
                Pools::Sqlite { writer, .. } => {
                    value::sqlite(sql, args).execute(writer).await?.rows_affected()
                }
                Pools::Postgres(pool) => value::postgres(sql, args).execute(pool).await?.rows_affected(),
            };
            reach_at(Point::AfterWrite, at);
            Ok(done)
        }
    }

    /// Which engine answers.
    pub fn engine(&self) -> Engine {
        match &self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// Whether the database answers now: for readiness.
    pub async fn ping(&self) -> Result<(), Error> {
        self.rows("select 1 as one", Vec::new()).await.map(|_| ())
    }

    /// Makes what was overwritten or deleted unreadable in the files as well. SQLite's log still holds
    /// it until then; PostgreSQL's old row versions and logs are the operator's to clear away. Fails while
    /// somebody still reads what was before: to be tried again.
    pub async fn scrub(&self) -> Result<(), Error> {
        if let Pools::Sqlite { writer, .. } = &self.pools {
            let row = value::sqlite("pragma wal_checkpoint(truncate)", Vec::new()).fetch_one(writer).await?;
            // The statement itself succeeds either way.
            if sqlx::Row::try_get::<i64, _>(&row, "busy")? != 0 {
                return Err(Error::Read);
            }
        }
        Ok(())
    }

    /// Waits for running statements and closes the connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
        if let Some(Err(error)) = self.lock.as_ref().map(|lock| lock.unlock()) {
            tracing::warn!(%error, "the data folder stays locked until this process ends");
        }
    }
}

impl Queryable for Database {
    async fn rows(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        Database::rows(self, sql, args).await
    }

    async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, Error> {
        Database::execute(self, sql, args).await
    }

    fn engine(&self) -> Engine {
        Database::engine(self)
    }
}

async fn open_sqlite(
    directory: &Path,
    durable: bool,
    service: &str,
    migrations: &[&Migrations],
) -> Result<Database, Error> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Directory { path, source }
    };
    std::fs::create_dir_all(directory).map_err(at(directory))?;
    let lock_path = directory.join(format!("{service}.lock"));
    let lock = std::fs::File::create(&lock_path).map_err(at(&lock_path))?;
    lock.try_lock().map_err(|_| Error::InUse { path: lock_path })?;

    let options = SqliteConnectOptions::new()
        .filename(directory.join(format!("{service}.sqlite")))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(if durable { SqliteSynchronous::Full } else { SqliteSynchronous::Off })
        .busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))
        // What is deleted or overwritten is zeroed in the file: a shredded key must not linger there.
        .pragma("secure_delete", "on")
        .foreign_keys(true);
    let pool = || SqlitePoolOptions::new().acquire_timeout(Duration::from_millis(ACQUIRE_TIMEOUT_MS));
    let writer = pool().max_connections(1).connect_with(options.clone()).await?;
    for migration in migrations {
        let source = migrator(migration.name, migration.sqlite)?.run(&writer).await;
        source.map_err(|source| Error::Migration { name: migration.name, source })?;
    }
    let readers = pool().max_connections(READERS_MAX).connect_with(options.read_only(true)).await?;
    Ok(Database { pools: Pools::Sqlite { readers, writer }, lock: Some(Arc::new(lock)) })
}

fn postgres_options(url: &str, service: &str) -> Result<PgConnectOptions, Error> {
    Ok(PgConnectOptions::from_str(url).map_err(|_| Error::Address)?.options([
        ("search_path", service),
        ("statement_timeout", STATEMENT_TIMEOUT_MS),
        ("client_min_messages", "warning"),
    ]))
}

async fn open_postgres(url: &str, service: &str, migrations: &[&Migrations]) -> Result<Database, Error> {
    let options = postgres_options(url, service)?;
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(Duration::from_millis(ACQUIRE_TIMEOUT_MS))
        .connect_with(options)
        .await?;
    let create = format!("create schema if not exists \"{}\"", service.replace('"', ""));
    // Two processes that start at once may both try: the loser's error is the winner's success.
    if let Err(error) = value::postgres(&create, Vec::new()).execute(&pool).await {
        let error = Error::from(error);
        if !error.is_unique_violation() {
            return Err(error);
        }
    }
    for migration in migrations {
        let source = migrator(migration.name, migration.postgres)?.run(&pool).await;
        source.map_err(|source| Error::Migration { name: migration.name, source })?;
    }
    Ok(Database { pools: Pools::Postgres(pool), lock: None })
}
