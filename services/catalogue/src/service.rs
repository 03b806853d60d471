//! The catalogue as one thing that is opened, filled and asked.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use chassis::Environment;
use clock::Clock;
use database::{Database, Target};
use outbox::{Consumer, Outbox};
use switches::Switches;

use crate::files::{self, Exported};
use crate::model::{Catalogue, Findings, SourceFile, fingerprint};
use crate::search::{Index, Preparation};
use crate::store::{Applied, Edits, Store};
use crate::{CatalogueSchema, EMBEDDED, MIGRATIONS, schema};

/// Services read and prepared for the search at a time.
const PREPARED_AT_ONCE: usize = 200;

/// All tables of the catalogue's database.
pub const MIGRATED: [&database::Migrations; 4] =
    [&outbox::MIGRATIONS, &idempotency::MIGRATIONS, &switches::MIGRATIONS, &MIGRATIONS];

/// Why the catalogue could not be opened, filled or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("stored content of the catalogue is not readable")]
    Content(#[from] serde_json::Error),
    #[error("the catalogue files are not valid:\n{0}")]
    Files(#[from] Findings),
    #[error("production refuses sample fees: {}", .0.join(", "))]
    SampleFees(Vec<String>),
    #[error("nothing was published: it would undo what officers changed without a file, of {} (--undo-edits does)", .0.join(", "))]
    Edited(Vec<String>),
    #[error("{path}: {source}", path = path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("{path} is not empty: name another folder, or let it be overwritten (--overwrite)", path = .0.display())]
    NotEmpty(PathBuf),
    #[error("{file} cannot be written as a file")]
    NotWritable { file: String, source: toml::ser::Error },
    #[error("something was published while the catalogue was written out: do it again")]
    PublishedMeanwhile,
}

/// The catalogue service. Cloning shares it.
#[derive(Clone)]
pub struct Service {
    store: Store,
    switches: Switches,
    environment: Environment,
    index: Arc<RwLock<Arc<Index>>>,
    /// Held while the index is built, so that it is built once however many ask.
    preparation: Arc<tokio::sync::Mutex<Preparation>>,
}

impl Service {
    /// Opens the catalogue's database; it holds what was published before.
    pub async fn open(target: &Target, clock: Clock, environment: Environment) -> Result<Self, Error> {
        let database = Database::open(target, "catalogue", &MIGRATED).await?;
        let outbox = Outbox::new(clock.clone());
        let switches = Switches::new(database.clone(), clock.clone(), outbox.clone());
        let store = Store::new(database, outbox, clock);
        let service =
            Self { store, switches, environment, index: Arc::default(), preparation: Arc::default() };
        service.rebuild_index().await?;
        Ok(service)
    }

    /// Publishes the files embedded in this binary, unless this very set was published before: a restart
    /// does not undo what was applied since.
    pub async fn apply_embedded(&self) -> Result<Applied, Error> {
        let files: Vec<SourceFile> = EMBEDDED
            .iter()
            .map(|(path, text)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        let set = fingerprint(&EMBEDDED);
        if self.store.embedded_set_was_published(&set).await? {
            return Ok(Applied::default());
        }
        self.publish(&files, Edits::Undo, Some(&set)).await
    }

    /// Publishes the files below `directory`, laid out as this crate's folders are.
    pub async fn apply_directory(&self, directory: &Path, edits: Edits) -> Result<Applied, Error> {
        let directory = directory.to_owned();
        let read = tokio::task::spawn_blocking(move || files::below(&directory));
        self.publish(&read.await.expect("reading files does not panic")?, edits, None).await
    }

    /// Writes what is published into `directory`, as files that make no new revision when they are applied.
    /// What is in the folder already is replaced only if it may be.
    pub async fn export_directory(&self, directory: &Path, overwrite: bool) -> Result<Exported, Error> {
        files::export(&self.store, directory, overwrite).await
    }

    /// Publishes `files`. The same content makes no new revision; all of them are published or none.
    pub async fn apply(&self, files: &[SourceFile], edits: Edits) -> Result<Applied, Error> {
        self.publish(files, edits, None).await
    }

    /// The offerings now published with a sample fee: production does not start with any.
    pub async fn sample_fees(&self) -> Result<Vec<String>, Error> {
        self.store.sample_fees().await
    }

    /// The subgraph.
    pub fn schema(&self) -> CatalogueSchema {
        schema::build(Some(self.clone()))
    }

    /// The catalogue listens to nobody.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        Vec::new()
    }

    /// Its database, for readiness and for the outbox relay.
    pub fn database(&self) -> &Database {
        self.store.database()
    }

    /// The sending end of its outbox.
    pub fn outbox(&self) -> &Outbox {
        self.store.outbox()
    }

    /// Whether an offering with a sample fee is refused.
    pub(crate) fn refuses_sample_fees(&self) -> bool {
        self.environment == Environment::Production
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What is closed to new applications.
    pub(crate) fn switches(&self) -> &Switches {
        &self.switches
    }

    /// The search index of the latest publication, whichever process made it.
    pub(crate) async fn index(&self) -> Result<Arc<Index>, Error> {
        let held = self.held_index();
        if self.store.publication().await? == held.publication {
            return Ok(held);
        }
        self.rebuild_index().await
    }

    async fn publish(
        &self,
        files: &[SourceFile],
        edits: Edits,
        embedded_set: Option<&str>,
    ) -> Result<Applied, Error> {
        let catalogue = Catalogue::read(files)?;
        let sample_fees = catalogue.sample_fees();
        if self.refuses_sample_fees() && !sample_fees.is_empty() {
            return Err(Error::SampleFees(sample_fees));
        }
        let applied = self.store.apply(&catalogue, edits, embedded_set).await?;
        // What is published is published: the next search will try again.
        if let Err(error) = self.rebuild_index().await {
            tracing::warn!(%error, "the search index is not up to date yet");
        }
        Ok(applied)
    }

    /// Builds the index of the latest publication, unless another did while this one waited. What did not
    /// change since the last time is not prepared again.
    async fn rebuild_index(&self) -> Result<Arc<Index>, Error> {
        let mut preparation = Arc::clone(&self.preparation).lock_owned().await;
        let held = self.held_index();
        if self.store.publication().await? == held.publication {
            return Ok(held);
        }
        let listing = self.store.listing().await?;
        let changed = listing
            .services
            .iter()
            .filter(|service| !preparation.holds(&service.code, service.revision, &listing.agency_names));
        let changed: Vec<String> = changed.map(|service| service.code.clone()).collect();
        for codes in changed.chunks(PREPARED_AT_ONCE) {
            let records = self.store.services(codes).await?;
            let names = listing.agency_names.clone();
            let prepare = tokio::task::spawn_blocking(move || {
                for record in records {
                    preparation.add(record.code, record.revision, record.content, &names);
                }
                preparation
            });
            preparation = prepare.await.expect("preparing services does not panic");
        }
        let build = tokio::task::spawn_blocking(move || Arc::new(preparation.index(listing)));
        let fresh = build.await.expect("building the index does not panic");
        *self.index.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::clone(&fresh);
        Ok(fresh)
    }

    fn held_index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
