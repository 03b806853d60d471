//! A throw-away place for databases per test: a folder for SQLite, a database for PostgreSQL.

use database::{Database, Target};
use tempfile::TempDir;

/// The address of a PostgreSQL server for tests, set by `make test` where the machine has one.
const SERVER: &str = "PRATU_TEST_POSTGRES";

/// A place for one test's databases; gone when dropped (a PostgreSQL one goes with its server).
pub struct TestDatabase {
    pub target: Target,
    /// Which engine it is, for messages.
    pub engine: &'static str,
    directory: TempDir,
}

impl TestDatabase {
    /// A folder of SQLite files.
    pub fn sqlite() -> Self {
        let directory = TempDir::new().expect("a temporary folder can be made");
        let target = Target::Embedded { directory: directory.path().to_owned(), durable: false };
        Self { target, engine: "sqlite", directory }
    }

    /// A fresh PostgreSQL database; `None` where there is no server.
    pub async fn postgres() -> Option<Self> {
        #[allow(clippy::disallowed_methods, reason = "test set-up, not configuration of the program")]
        let server = std::env::var(SERVER).ok().filter(|server| !server.is_empty())?;
        let name = format!("test_{}", clock::Clock::system().uuid().simple());
        let target = Target::Postgres { url: server.clone() };
        let admin = Database::open(&target, "public", &[]).await.expect("the test server answers");
        admin.execute(&format!("create database {name}"), Vec::new()).await.expect("it makes databases");
        admin.close().await;
        let url = with_database(&server, &name);
        let directory = TempDir::new().expect("a temporary folder can be made");
        Some(Self { target: Target::Postgres { url }, engine: "postgres", directory })
    }

    /// A folder of this test's own, for files beside the database.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }
}

/// Both engines, one after the other: `for place in Engines::all().await { … }`.
pub struct Engines;

impl Engines {
    pub async fn all() -> Vec<TestDatabase> {
        let mut all = vec![TestDatabase::sqlite()];
        all.extend(TestDatabase::postgres().await);
        all
    }
}

/// The same server, another database: replaces the path of the address and keeps its parameters.
fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) = server.split_once('?').map_or((server, None), |(a, p)| (a, Some(p)));
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    let end = address[after_scheme..].find('/').map_or(address.len(), |at| after_scheme + at);
    let parameters = parameters.map(|parameters| format!("?{parameters}")).unwrap_or_default();
    format!("{}/{name}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_an_address_is_replaced() {
        let address = with_database("postgres://u@localhost:1/postgres?host=/tmp", "x");
        assert_eq!(address, "postgres://u@localhost:1/x?host=/tmp");
        assert_eq!(with_database("postgres://u@localhost", "x"), "postgres://u@localhost/x");
    }
}
