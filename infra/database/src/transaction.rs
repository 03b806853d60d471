//! A transaction: what must be true together.

use std::panic::Location;
use std::sync::Arc;

use failpoint::{Point, reach_at};
use sqlx::{Sqlite, Transaction};

use crate::meters::Meters;
use crate::postgres::Session;
use crate::{Engine, Error, Queryable, Row, Value, row, value};

/// A transaction on one service's database. Dropping it undoes it.
///
/// On SQLite it holds the single writer: never begin a second one of the same database inside it.
///
/// Nothing is repeated by itself. Rows are locked in one order and read as committed, so that another
/// transaction rarely makes one fail; when it does, or a failover, the failure says that it is worth another
/// try ([`Error::Unavailable`]). Then whoever asked tries again: a client under the same idempotency key, a
/// relay with the same message, and what was done after all is done once.
pub struct Tx {
    inner: Inner,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
}

pub(crate) enum Inner {
    Sqlite(Transaction<'static, Sqlite>, Arc<Meters>),
    Postgres(Session),
}

impl Tx {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner, after_commit: Vec::new() }
    }

    /// Makes the changes durable, then runs what was asked for with [`Self::after_commit`].
    #[track_caller]
    pub fn commit(self) -> impl Future<Output = Result<(), Error>> + Send {
        let at = Location::caller();
        async move {
            reach_at(Point::BeforeCommit, at);
            match self.inner {
                Inner::Sqlite(tx, meters) => meters.run("commit", tx.commit()).await?,
                Inner::Postgres(tx) => tx.commit().await?,
            }
            reach_at(Point::AfterCommit, at);
            for wake in self.after_commit {
                wake();
            }
            Ok(())
        }
    }

    /// Undoes the changes now, so that the connection is free at once.
    pub async fn rollback(self) -> Result<(), Error> {
        match self.inner {
            Inner::Sqlite(tx, _) => tx.rollback().await?,
            Inner::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }

    /// Something to wake once the change can be seen, and only then.
    pub fn after_commit(&mut self, wake: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(wake));
    }

    /// All rows of a statement.
    pub async fn rows(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        match &mut self.inner {
            Inner::Sqlite(tx, meters) => {
                row::sqlite(meters.run(sql, value::sqlite(sql, args).fetch_all(&mut **tx)).await?)
            }
            Inner::Postgres(session) => session.rows(sql, args).await,
        }
    }

    /// The first row of a statement, if there is one.
    pub async fn row(&mut self, sql: &str, args: Vec<Value>) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs a statement and tells how many rows it changed.
    pub async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, Error> {
        Ok(match &mut self.inner {
            Inner::Sqlite(tx, meters) => {
                meters.run(sql, value::sqlite(sql, args).execute(&mut **tx)).await?.rows_affected()
            }
            Inner::Postgres(session) => session.execute(sql, args).await?,
        })
    }

    /// Which engine answers.
    pub fn engine(&self) -> Engine {
        match self.inner {
            Inner::Sqlite(..) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }
}

impl Queryable for Tx {
    async fn rows(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Row>, Error> {
        Tx::rows(self, sql, args).await
    }

    async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, Error> {
        Tx::execute(self, sql, args).await
    }

    fn engine(&self) -> Engine {
        Tx::engine(self)
    }
}
