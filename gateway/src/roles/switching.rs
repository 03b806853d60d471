//! Switches from the command line: for when the door, or logging in, is what does not work.

use chrono::{DateTime, Utc};
use clock::Clock;
use database::Database;
use outbox::Outbox;
use switches::{Closure, Kind, Notice, Order, Ordered, Switches, Target};

use super::databases::target;
use crate::config::Config;

/// Characters of who typed it.
const BY_CHARS_MAX: usize = 100;

/// Why a switch was not moved.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    #[error("the database of {service} does not open (embedded: stop what serves first)")]
    Database { service: &'static str, source: database::Error },
    #[error(transparent)]
    Catalogue(#[from] catalogue::Error),
    #[error("there is no {kind} {name}")]
    Unknown { kind: &'static str, name: String },
    #[error("refused: {0}")]
    Invalid(String),
}

/// Closes with a notice, or opens without one, as an operator by the name of `by`.
pub async fn move_switch(
    config: &Config,
    by: &str,
    switched: Target,
    notice: Option<Notice>,
    reason: &str,
) -> Result<(), SwitchError> {
    let clock = Clock::system();
    if by.trim().is_empty() || by.chars().count() > BY_CHARS_MAX {
        return Err(SwitchError::Invalid(format!("say in 1 to {BY_CHARS_MAX} characters who you are")));
    }
    if !exists(config, &switched).await? {
        return Err(SwitchError::Unknown { kind: switched.kind.as_str(), name: switched.name });
    }
    let service = switched.kind.service();
    let failed = |source| SwitchError::Database { service, source };
    let database = open(config, service).await?;
    let switches = Switches::new(database.clone(), clock.clone(), Outbox::new(clock.clone()));
    let (by, key) = (format!("command_line:{by}"), clock.uuid().to_string());
    let order = Order { by: &by, key: &key, target: switched, notice, reason };
    let ordered = switches.order(&order).await.map_err(failed);
    database.close().await;
    match ordered? {
        Ordered::Done(_) => Ok(()),
        Ordered::KeyReused => Err(SwitchError::Invalid("the key was used before".to_owned())),
        Ordered::Invalid(faults) => {
            let told = faults.iter().map(|fault| {
                format!("{}: {}", fault.pointer, fault.message.en.as_deref().unwrap_or_default())
            });
            Err(SwitchError::Invalid(told.collect::<Vec<_>>().join("; ")))
        }
    }
}

/// All that is closed now, or going to be, and the time it was read at.
pub async fn closures(config: &Config) -> Result<(Vec<(Target, Closure)>, DateTime<Utc>), SwitchError> {
    let clock = Clock::system();
    let mut all = Vec::new();
    for service in ["catalogue", "identity", "payments"] {
        let database = open(config, service).await?;
        let switches = Switches::new(database.clone(), clock.clone(), Outbox::new(clock.clone()));
        let read = switches.closures().await;
        let closures = read.map_err(|source| SwitchError::Database { service, source })?;
        for kind in Kind::ALL {
            all.extend(closures.all(kind).map(|(name, closure)| (Target::new(kind, name), closure.clone())));
        }
        database.close().await;
    }
    Ok((all, clock.now()))
}

async fn open(config: &Config, service: &'static str) -> Result<Database, SwitchError> {
    let opened = match service {
        "catalogue" => Database::open(&target(config), service, &catalogue::MIGRATED).await,
        "identity" => Database::open(&target(config), service, &identity::migrations()).await,
        _ => Database::open(&target(config), service, &payments::migrations()).await,
    };
    opened.map_err(|source| SwitchError::Database { service, source })
}

/// Whether there is such a thing: a mistyped code would close nothing, and nobody would know.
async fn exists(config: &Config, switched: &Target) -> Result<bool, SwitchError> {
    let name = switched.name.as_str();
    Ok(match switched.kind {
        Kind::PublicService => {
            let opened = Database::open(&target(config), "catalogue", &catalogue::MIGRATED).await;
            let database = opened.map_err(|source| SwitchError::Database { service: "catalogue", source })?;
            let found = catalogue::is_published(&database, name).await;
            database.close().await;
            found?
        }
        Kind::IdentityProvider => {
            let sandbox = || identity::Config::sandbox(&config.public_url);
            let known = config.identity.clone().unwrap_or_else(sandbox);
            known.providers.iter().any(|provider| provider.code == name)
        }
        Kind::PaymentProvider | Kind::PaymentMethod => payments::has_switch(switched),
    })
}
