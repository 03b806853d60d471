//! Definitions per engine, embedded in the binary and applied at start.

use std::collections::BTreeSet;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use crate::address::{quoted, unbounded};
use crate::postgres::{Postgres, primary_of};
use crate::target::Server;
use crate::{Error, args};

/// The migrations of one crate. Several may live in one database: each keeps its own record.
#[derive(Debug)]
pub struct Migrations {
    pub name: &'static str,
    /// `(file name without ending, text)`, in order; the name begins with its four-digit version.
    pub sqlite: &'static [(&'static str, &'static str)],
    pub postgres: &'static [(&'static str, &'static str)],
}

/// Embeds `migrations/{sqlite,postgres}/<file>.sql` of the calling crate:
/// `database::migrations!("payments", "0001_payment", "0002_refund")`.
#[macro_export]
macro_rules! migrations {
    ($name:literal, $($file:literal),+ $(,)?) => {
        $crate::Migrations {
            name: $name,
            sqlite: &[$((
                $file,
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite/", $file, ".sql")),
            )),+],
            postgres: &[$((
                $file,
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/", $file, ".sql")),
            )),+],
        }
    };
}

pub(crate) fn migrator(
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
) -> Result<Migrator, Error> {
    let mut migrations = Vec::new();
    for (file, text) in files {
        let (version, description) = file.split_once('_').unwrap_or((file, ""));
        let version = version
            .parse()
            .map_err(|_| Error::Migration { name, source: sqlx::migrate::MigrateError::VersionMissing(0) })?;
        let description = description.replace('_', " ").into();
        migrations.push(Migration::new(
            version,
            description,
            MigrationType::Simple,
            (*text).into_sql_str(),
            false,
        ));
    }
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(format!("migration_of_{name}"));
    Ok(migrator)
}

/// Brings the tables of `service` up to date. Processes that try at once stand in line: sqlx holds an
/// advisory lock of the database meanwhile.
pub(crate) async fn migrate(server: &Server, service: &str, all: &[&Migrations]) -> Result<(), Error> {
    // The role without a service owns the tables, where there are such roles.
    let url = if server.url.is_empty() { server.url_of(service) } else { &server.url };
    // A session of its own, without the timeouts of those who serve: rows may have to be written anew.
    let options = unbounded(primary_of(url, &server.settings).await?, service);
    let session = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let done = migrate_over(&session, service, all).await;
    // Closed in any case: a failure leaves it with the lock.
    session.close().await;
    done
}

async fn migrate_over(session: &PgPool, service: &str, all: &[&Migrations]) -> Result<(), Error> {
    let sql = format!("create schema if not exists {}", quoted(service));
    if let Err(error) = sqlx::query(AssertSqlSafe(sql)).execute(session).await {
        // Of two that make it at once the later one fails, and it is there. One who may not make schemas
        // has one: else the tables say so next.
        tracing::debug!(%error, service, "the schema was not made");
    }
    for migrations in all {
        let name = migrations.name;
        let mut migrator = migrator(name, migrations.postgres)?;
        // A newer version may have been here: its changes are such that this one goes on with them.
        migrator.set_ignore_missing(true);
        migrator.run(session).await.map_err(|source| Error::Migration { name, source })?;
    }
    Ok(())
}

/// Refuses tables that lack what this version needs; what a newer one has added is none of its business.
pub(crate) async fn check(postgres: &Postgres, service: &str, all: &[&Migrations]) -> Result<(), Error> {
    for migrations in all {
        let there = "select 1 as one where to_regclass($1) is not null";
        let record = format!("migration_of_{}", migrations.name);
        let mut applied = BTreeSet::new();
        if !postgres.rows(there, args![&record]).await?.is_empty() {
            let sql = format!("select version from {record} where success");
            for row in postgres.rows(&sql, args![]).await? {
                applied.insert(row.get::<i64>("version")?);
            }
        }
        let wanted = migrator(migrations.name, migrations.postgres)?;
        let missing = wanted.iter().find(|migration| !applied.contains(&migration.version));
        if let Some(missing) = missing {
            let missing = format!("{} {}", migrations.name, missing.version);
            return Err(Error::Behind { service: service.to_owned(), missing });
        }
    }
    Ok(())
}
