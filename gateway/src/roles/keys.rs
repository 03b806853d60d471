//! Changing the sealing key: what the command line does, while everything serves.

use std::time::Duration;

use clock::Clock;
use database::Database;
use sealing::{KeyUse, Sealer};

use super::databases::target;
use super::sealing_key;
use crate::config::Config;

/// Why keys were not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(transparent)]
    Keys(#[from] super::Error),
    #[error("the database of {service} does not open (embedded: stop what serves first)")]
    Database { service: &'static str, source: database::Error },
    #[error("the keys of {service} were not changed")]
    Sealing { service: &'static str, source: sealing::Error },
    #[error("the signing keys cannot be read or sealed anew")]
    SigningKeys(#[source] identity::StoreError),
    #[error("{0} signing keys still need an old sealing key: run `pratu keys rotate` again")]
    SigningKeysLeft(usize),
    #[error("sealing keys {keys} are still needed by {service}: run `pratu keys rotate` again")]
    StillNeeded { service: &'static str, keys: String },
}

/// A service that seals: its name and database.
type Sealed = (&'static str, Database);

/// The blind-index key in base64, to be kept from outside.
pub fn blind_index_key(config: &Config) -> Result<String, KeysError> {
    Ok(sealing_key::kept(config)?.index_base64().to_string())
}

/// How many subject keys each sealing key wraps, per service.
pub async fn key_uses(config: &Config) -> Result<Vec<(&'static str, Vec<KeyUse>)>, KeysError> {
    let sealer = Sealer::new(sealing_key::kept(config)?);
    let mut all = Vec::new();
    for (service, database) in sealed(config).await? {
        let uses = sealer.key_uses(&database).await;
        all.push((service, uses.map_err(|source| KeysError::Sealing { service, source })?));
        database.close().await;
    }
    Ok(all)
}

/// Wraps everything with the current key, batch after batch, with a pause between; tells how much per
/// service. Stopped at any point, it goes on from there when it is run again.
pub async fn rotate_keys(
    config: &Config,
    batch: u32,
    pause: Duration,
) -> Result<Vec<(&'static str, u64)>, KeysError> {
    let sealer = Sealer::new(sealing_key::kept(config)?);
    let mut all = Vec::new();
    for (service, database) in sealed(config).await? {
        let failed = |source| KeysError::Sealing { service, source };
        sealer.adopt(&database, Clock::system().now()).await.map_err(failed)?;
        let mut count = 0;
        loop {
            let part = sealer.rewrap(&database, i64::from(batch)).await.map_err(failed)?;
            if part == 0 {
                break;
            }
            count += part;
            tokio::time::sleep(pause).await;
        }
        if service == "identity" {
            count +=
                identity::reseal_signing_keys(&database, &sealer).await.map_err(KeysError::SigningKeys)?;
        }
        all.push((service, count));
        database.close().await;
    }
    Ok(all)
}

/// Strikes off the keys that nothing needs any more; refused while a row needs one.
pub async fn retire_keys(config: &Config) -> Result<(), KeysError> {
    let sealer = Sealer::new(sealing_key::kept(config)?);
    for (service, database) in sealed(config).await? {
        if service == "identity" {
            let left =
                identity::signing_keys_left(&database, &sealer).await.map_err(KeysError::SigningKeys)?;
            if left > 0 {
                return Err(KeysError::SigningKeysLeft(left));
            }
        }
        let needed = sealer.retire_old(&database).await;
        let needed = needed.map_err(|source| KeysError::Sealing { service, source })?;
        if !needed.is_empty() {
            return Err(KeysError::StillNeeded { service, keys: needed.join(", ") });
        }
        database.close().await;
    }
    Ok(())
}

async fn sealed(config: &Config) -> Result<[Sealed; 2], KeysError> {
    let target = target(config);
    let failed = |service| move |source| KeysError::Database { service, source };
    let identity = Database::open(&target, "identity", &identity::migrations()).await;
    let applications = Database::open(&target, "applications", &applications::migrations()).await;
    Ok([
        ("identity", identity.map_err(failed("identity"))?),
        ("applications", applications.map_err(failed("applications"))?),
    ])
}
