//! Where the services keep their data, and how an operator sets that up before anything serves.

use database::{Database, Migrate, Migrations, Provisioned, Server, Settings, Target};

use crate::config::{Config, Role};

/// Why the databases were not set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    #[error("the tables of {service} were not brought up to date")]
    Migrate { service: &'static str, source: database::Error },
    #[error("the roles were not made")]
    Provision(#[source] database::Error),
    #[error("{0} is missing in the configuration")]
    Missing(&'static str),
}

/// The services that keep data, by their schemas' names, and the definitions of their tables. Neither the
/// gateway nor anyone else has any.
pub(super) fn services() -> [(Role, &'static str, Vec<&'static Migrations>); 5] {
    [
        (Role::Catalogue, "catalogue", catalogue::MIGRATED.to_vec()),
        (Role::Identity, "identity", identity::migrations().to_vec()),
        (Role::Applications, "applications", applications::migrations().to_vec()),
        (Role::Payments, "payments", payments::migrations().to_vec()),
        (Role::Sandbox, "sandbox", sandbox::migrations().to_vec()),
    ]
}

/// Whether this process alone has them.
pub fn are_embedded(config: &Config) -> bool {
    config.database_url.is_none() && config.databases.is_empty()
}

/// Where the services of this process keep their data.
pub fn target(config: &Config) -> Target {
    if are_embedded(config) {
        return Target::embedded(&config.data);
    }
    Target::Server(Box::new(server(config)))
}

fn server(config: &Config) -> Server {
    // In production tables are changed by a job and by nobody who is open to the public.
    let otherwise = if config.environment.is_sandbox() { Migrate::AtStart } else { Migrate::Before };
    let migrate = Some(config.database.migrate.unwrap_or(otherwise));
    Server {
        url: config.database_url.as_ref().map(|url| url.reveal().to_owned()).unwrap_or_default(),
        urls: config.databases.iter().map(|(name, url)| (name.clone(), url.reveal().to_owned())).collect(),
        settings: Settings { migrate, ..config.database.clone() },
    }
}

/// Brings the tables of all services up to date; tells their names.
pub async fn migrate(config: &Config) -> Result<Vec<&'static str>, SetUpError> {
    let target = target(config);
    let mut done = Vec::new();
    for (role, service, migrations) in services() {
        // Production has no sandbox, and no tables for one.
        if role == Role::Sandbox && !config.environment.is_sandbox() {
            continue;
        }
        let migrated = Database::migrate(&target, service, &migrations).await;
        migrated.map_err(|source| SetUpError::Migrate { service, source })?;
        done.push(service);
    }
    Ok(done)
}

/// Makes the PostgreSQL roles that the configuration names, and what they may do.
pub async fn provision(config: &Config) -> Result<Provisioned, SetUpError> {
    let admin = config.database_admin_url.as_ref().ok_or(SetUpError::Missing("database_admin_url"))?;
    if config.database_url.is_none() {
        return Err(SetUpError::Missing("database_url"));
    }
    let named: Vec<_> = services().into_iter().map(|(_, service, _)| service).collect();
    database::provision(&server(config), admin.reveal(), &named).await.map_err(SetUpError::Provision)
}

/// What is wrong with the addresses and settings of PostgreSQL.
pub fn shortcomings(config: &Config) -> Vec<String> {
    let mut found = config.database.shortcomings();
    let services = services();
    for name in config.databases.keys() {
        if !services.iter().any(|(_, service, _)| service == name) {
            found.push(format!("databases.{name}: there is no such service"));
        }
    }
    if config.database_url.is_none() && !config.databases.is_empty() {
        for (role, service, _) in services {
            if config.runs(role) && !config.databases.contains_key(service) {
                let sandbox_absent = role == Role::Sandbox && !config.environment.is_sandbox();
                if !sandbox_absent {
                    found.push(format!("databases.{service} is missing, and there is no database_url"));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_a_database_is_told_and_so_is_a_database_without_a_service() {
        let at = |name: &str| [(name.to_owned(), "postgres://one@db/pratu".into())].into();
        let config = Config { databases: at("payments"), roles: vec![Role::Payments], ..Config::default() };
        assert_eq!(shortcomings(&config), Vec::<String>::new());
        let config = Config { databases: at("ledger"), roles: vec![Role::Payments], ..Config::default() };
        assert_eq!(shortcomings(&config).len(), 2);
        let config = Config { database_url: Some("postgres://all@db/pratu".into()), ..config };
        assert_eq!(shortcomings(&config).len(), 1);
    }
}
