//! Batched reads: a list that points to applications asks the database once, not once per application.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use sealing::SubjectKey;
use uuid::Uuid;

use crate::store::application::Application;
use crate::store::event::Event;
use crate::store::evidence::Evidence;
use crate::store::review::DocumentWanted;
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

/// The key that opens what is sealed for this party; none when the party was erased.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyOf(pub Uuid);

impl Loader<KeyOf> for Rows {
    type Value = SubjectKey;
    type Error = Arc<sealing::Error>;

    async fn load(&self, keys: &[KeyOf]) -> Result<HashMap<KeyOf, SubjectKey>, Arc<sealing::Error>> {
        let parties: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let found = self.store.subject_keys(&parties).await?;
        Ok(found.into_iter().map(|(party, key)| (KeyOf(party), key)).collect())
    }
}

/// The evidence of this application.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EvidenceOf(pub Uuid);

impl Loader<EvidenceOf> for Rows {
    type Value = Vec<Evidence>;
    type Error = Arc<Refusal>;

    async fn load(&self, keys: &[EvidenceOf]) -> Result<HashMap<EvidenceOf, Vec<Evidence>>, Arc<Refusal>> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<EvidenceOf, Vec<Evidence>> = HashMap::new();
        for evidence in self.store.evidence_of(&ids).await? {
            found.entry(EvidenceOf(evidence.application_id)).or_default().push(evidence);
        }
        Ok(found)
    }
}

/// The documents this application's agency asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DocumentsOf(pub Uuid);

impl Loader<DocumentsOf> for Rows {
    type Value = Vec<DocumentWanted>;
    type Error = Arc<Refusal>;

    async fn load(
        &self,
        keys: &[DocumentsOf],
    ) -> Result<HashMap<DocumentsOf, Vec<DocumentWanted>>, Arc<Refusal>> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<DocumentsOf, Vec<DocumentWanted>> = HashMap::new();
        for wanted in self.store.requested_documents(&ids).await? {
            found.entry(DocumentsOf(wanted.application_id)).or_default().push(wanted);
        }
        Ok(found)
    }
}

/// A part of an application's timeline: so many events after a sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventsOf {
    pub application_id: Uuid,
    pub after: i32,
    pub limit: i64,
}

impl Loader<EventsOf> for Rows {
    type Value = Vec<Event>;
    type Error = Arc<Refusal>;

    async fn load(&self, keys: &[EventsOf]) -> Result<HashMap<EventsOf, Vec<Event>>, Arc<Refusal>> {
        let mut ids_by_part: HashMap<(i32, i64), Vec<Uuid>> = HashMap::new();
        for EventsOf { application_id, after, limit } in keys {
            ids_by_part.entry((*after, *limit)).or_default().push(*application_id);
        }
        let mut found: HashMap<EventsOf, Vec<Event>> = HashMap::new();
        for ((after, limit), ids) in ids_by_part {
            for event in self.store.events_after(&ids, after, limit).await? {
                let key = EventsOf { application_id: event.application_id, after, limit };
                found.entry(key).or_default().push(event);
            }
        }
        Ok(found)
    }
}
