//! Batched reads: a list that points to applications asks the database once, not once per application.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use uuid::Uuid;

use crate::store::application::Application;
use crate::store::{Reader, Refusal, Store};

/// Loads what belongs together; it keeps nothing between batches, so that nothing is stale.
pub type Loads = DataLoader<Rows>;

/// The source of all batches.
pub struct Rows {
    store: Store,
}

/// A loader over the service's data.
pub fn loads(store: &Store) -> Loads {
    DataLoader::new(Rows { store: store.clone() }, tokio::spawn)
}

/// The application with this id, as far as the reader may see it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApplicationWithId(pub Uuid, pub Reader);

impl Loader<ApplicationWithId> for Rows {
    type Value = Arc<Application>;
    type Error = Arc<Refusal>;

    async fn load(
        &self,
        keys: &[ApplicationWithId],
    ) -> Result<HashMap<ApplicationWithId, Arc<Application>>, Arc<Refusal>> {
        let mut ids_by_reader: HashMap<&Reader, Vec<Uuid>> = HashMap::new();
        for ApplicationWithId(id, reader) in keys {
            ids_by_reader.entry(reader).or_default().push(*id);
        }
        let mut found = HashMap::new();
        for (reader, ids) in ids_by_reader {
            for application in self.store.applications_with_ids(reader, &ids).await? {
                found.insert(ApplicationWithId(application.id, reader.clone()), Arc::new(application));
            }
        }
        Ok(found)
    }
}
