//! Definitions per engine, embedded in the binary and applied at start.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::Error;

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
