//! Batched reads: a hundred parties of one caller ask the database once.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use uuid::Uuid;

use crate::model::citizen::Citizen;
use crate::model::mandate::Mandate;
use crate::store::{Error, Store};

/// Loads what belongs together; it keeps nothing between batches, so that nothing is stale.
pub type Loads = DataLoader<People>;

/// The source of all batches.
pub struct People {
    store: Store,
}

/// A loader over the service's store.
pub fn loads(store: &Store) -> Loads {
    DataLoader::new(People { store: store.clone() }, tokio::spawn)
}

/// The citizen with this id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CitizenWithId(pub Uuid);

/// The mandates of this citizen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MandatesOf(pub Uuid);

impl Loader<CitizenWithId> for People {
    type Value = Citizen;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CitizenWithId]) -> Result<HashMap<CitizenWithId, Citizen>, Arc<Error>> {
        let mut found = HashMap::new();
        for key in keys {
            if let Some(citizen) = self.store.citizen(key.0).await? {
                found.insert(*key, citizen);
            }
        }
        Ok(found)
    }
}

impl Loader<MandatesOf> for People {
    type Value = Vec<Mandate>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[MandatesOf]) -> Result<HashMap<MandatesOf, Vec<Mandate>>, Arc<Error>> {
        let mut found = HashMap::new();
        for key in keys {
            found.insert(*key, self.store.mandates_of(key.0).await?);
        }
        Ok(found)
    }
}
