//! One service's SQLite file: one writer, some readers, one process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Transaction;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::meters::{Connections, Meters};
use crate::migration::migrator;
use crate::value::sqlite as bound;
use crate::{Error, Migrations, Row, Value, row};

const READERS_MAX: u32 = 4;
const ACQUIRE_TIMEOUT_MS: u64 = 5_000;
const BUSY_TIMEOUT_MS: u64 = 5_000;

/// SQLite has one writer: transactions queue for its single connection instead of colliding.
#[derive(Clone, Debug)]
pub(crate) struct Sqlite {
    pub(crate) readers: SqlitePool,
    pub(crate) writer: SqlitePool,
    pub(crate) meters: Arc<Meters>,
    /// Locked as long as the database is open, so that a second process refuses to start.
    lock: Option<Arc<std::fs::File>>,
}

impl Sqlite {
    /// Opens the file, making it when it is absent, and brings its tables up to date.
    pub(crate) async fn open(
        directory: &Path,
        durable: bool,
        service: &str,
        migrations: &[&Migrations],
    ) -> Result<Self, Error> {
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
            // Full: with the log, NORMAL would keep the file whole but lose the last commits with the power.
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
        let meters = Arc::new(Meters::new(service));
        Ok(Self { readers, writer, meters, lock: Some(Arc::new(lock)) })
    }

    /// Looks on while another process has it open.
    pub(crate) async fn observe(directory: &Path, service: &str) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(directory.join(format!("{service}.sqlite")))
            .read_only(true)
            .busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let meters = Arc::new(Meters::new(service));
        Ok(Self { readers: pool.clone(), writer: pool, meters, lock: None })
    }

    pub(crate) async fn rows(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        let mut connection = self.meters.wait(self.readers.acquire()).await?;
        row::sqlite(self.meters.run(sql, bound(sql, args).fetch_all(&mut *connection)).await?)
    }

    pub(crate) async fn execute(&self, sql: &str, args: Vec<Value>) -> Result<u64, Error> {
        let mut connection = self.meters.wait(self.writer.acquire()).await?;
        Ok(self.meters.run(sql, bound(sql, args).execute(&mut *connection)).await?.rows_affected())
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, sqlx::Sqlite>, Error> {
        // Immediate: a deferred transaction that reads and then writes can fail as busy.
        Ok(self.meters.wait(self.writer.begin_with("begin immediate")).await?)
    }

    pub(crate) fn connections(&self) -> Connections {
        let all = self.readers.size() + self.writer.size();
        let idle = u32::try_from(self.readers.num_idle() + self.writer.num_idle()).unwrap_or(all);
        Connections { used: all.saturating_sub(idle), idle, max: READERS_MAX + 1 }
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        if let Some(Err(error)) = self.lock.as_ref().map(|lock| lock.unlock()) {
            tracing::warn!(%error, "the data folder stays locked until this process ends");
        }
    }
}
