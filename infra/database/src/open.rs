//! Opening a service's database and asking it one statement at a time.

use std::panic::Location;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use failpoint::{Point, reach_at};

use crate::migration::{check, migrate};
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::transaction::Inner;
use crate::{Connections, Engine, Error, Migrate, Migrations, Queryable, Row, Target, Tx, Value, value};

/// Partitions are made so long before they are needed: nobody has to hurry when it does not work.
const PARTITIONS_AHEAD_DAYS: i64 = 92;

/// One service's database. Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Pools,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    /// Opens (and creates, when absent) the database of `service` and applies its migrations, or, where
    /// that is somebody else's task, refuses tables that lack them.
    pub async fn open(target: &Target, service: &str, migrations: &[&Migrations]) -> Result<Self, Error> {
        let pools = match (target, target.server()) {
            (Target::Embedded { directory, durable }, _) => {
                Pools::Sqlite(Sqlite::open(directory, *durable, service, migrations).await?)
            }
            (_, server) => {
                let server = server.unwrap_or_default();
                let before = server.settings.migrate == Some(Migrate::Before);
                if !before {
                    migrate(&server, service, migrations).await?;
                }
                let postgres = Postgres::connect(&server, service, false).await?;
                if before {
                    check(&postgres, service, migrations).await?;
                }
                Pools::Postgres(postgres)
            }
        };
        Ok(Self { pools })
    }

    /// Brings the tables of `service` up to date and leaves: for a job before any process starts. Works
    /// under the address without a role of its own, whose role owns the tables.
    pub async fn migrate(target: &Target, service: &str, migrations: &[&Migrations]) -> Result<(), Error> {
        match target.server() {
            Some(server) => migrate(&server, service, migrations).await,
            None => {
                Self::open(target, service, migrations).await?.close().await;
                Ok(())
            }
        }
    }

    /// Looks on while another process serves: what is committed can be read, nothing can be changed.
    pub async fn observe(target: &Target, service: &str) -> Result<Self, Error> {
        let pools = match (target, target.server()) {
            (Target::Embedded { directory, .. }, _) => {
                Pools::Sqlite(Sqlite::observe(directory, service).await?)
            }
            (_, server) => {
                Pools::Postgres(Postgres::connect(&server.unwrap_or_default(), service, true).await?)
            }
        };
        Ok(Self { pools })
    }

    /// Begins a transaction; dropping it undoes it.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let inner = match &self.pools {
            Pools::Sqlite(sqlite) => Inner::Sqlite(sqlite.begin().await?, Arc::clone(&sqlite.meters)),
            Pools::Postgres(postgres) => Inner::Postgres(postgres.begin().await?),
        };
        Ok(Tx::new(inner))
    }

    /// All rows of a statement.
    pub async fn rows(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        match &self.pools {
            Pools::Sqlite(sqlite) => sqlite.rows(sql, args).await,
            Pools::Postgres(postgres) => postgres.rows(sql, args).await,
        }
    }

    /// All rows of a statement, which may be as old as a replica is allowed to be. For lists that one
    /// looks at; never for what one decides by, has just written oneself, or keeps in a cache.
    pub async fn rows_maybe_stale(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        match &self.pools {
            Pools::Sqlite(_) => self.rows(sql, args).await,
            Pools::Postgres(postgres) => postgres.rows_maybe_stale(sql, args).await,
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
                Pools::Sqlite(sqlite) => sqlite.execute(sql, args).await?,
                Pools::Postgres(postgres) => postgres.execute(sql, args).await?,
            };
            reach_at(Point::AfterWrite, at);
            Ok(done)
        }
    }

    /// Which engine answers.
    pub fn engine(&self) -> Engine {
        match &self.pools {
            Pools::Sqlite(_) => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// The connections to it that this process has, to the primary alone.
    pub fn connections(&self) -> Connections {
        match &self.pools {
            Pools::Sqlite(sqlite) => sqlite.connections(),
            Pools::Postgres(postgres) => postgres.connections(),
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
        if let Pools::Sqlite(sqlite) = &self.pools {
            let checkpoint = value::sqlite("pragma wal_checkpoint(truncate)", Vec::new());
            let row = checkpoint.fetch_one(&sqlite.writer).await?;
            // The statement itself succeeds either way.
            if sqlx::Row::try_get::<i64, _>(&row, "busy")? != 0 {
                return Err(Error::Read);
            }
        }
        Ok(())
    }

    /// Makes the partitions that rows will need within the next months, where a table has any, by a
    /// function of the service's own migrations; tells how many.
    pub async fn make_partitions(&self, function: &'static str, now: DateTime<Utc>) -> Result<i64, Error> {
        if self.engine() == Engine::Sqlite {
            return Ok(0);
        }
        let until = now + chrono::Duration::days(PARTITIONS_AHEAD_DAYS);
        let row = self.row(&format!("select {function}($1) as made"), vec![until.into()]).await?;
        row.map_or(Ok(0), |row| row.get("made"))
    }

    /// Waits for running statements and closes the connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite(sqlite) => sqlite.close().await,
            Pools::Postgres(postgres) => postgres.close().await,
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
