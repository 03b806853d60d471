//! The catalogue as one thing that is opened, filled and asked.

use std::path::Path;
use std::sync::{Arc, RwLock};

use chassis::Environment;
use clock::Clock;
use database::{Database, Target};
use outbox::{Consumer, Outbox};

use crate::model::{Catalogue, Findings, SourceFile, fingerprint};
use crate::search::Index;
use crate::store::{Applied, Store};
use crate::{CatalogueSchema, EMBEDDED, MIGRATIONS, schema};

const FILES_MAX: usize = 20_000;

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
    #[error("{path}: {source}", path = path.display())]
    Directory { path: std::path::PathBuf, source: std::io::Error },
}

/// The catalogue service. Cloning shares it.
#[derive(Clone)]
pub struct Service {
    store: Store,
    environment: Environment,
    index: Arc<RwLock<Arc<Index>>>,
}

impl Service {
    /// Opens the catalogue's database; it holds what was published before.
    pub async fn open(target: &Target, clock: Clock, environment: Environment) -> Result<Self, Error> {
        let database = Database::open(target, "catalogue", &[&outbox::MIGRATIONS, &MIGRATIONS]).await?;
        let store = Store::new(database, Outbox::new(clock.clone()), clock);
        let service = Self { store, environment, index: Arc::default() };
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
        self.publish(&files, Some(&set)).await
    }

    /// Publishes the files below `directory`, laid out as this crate's folders are.
    pub async fn apply_directory(&self, directory: &Path) -> Result<Applied, Error> {
        let directory = directory.to_owned();
        let read = tokio::task::spawn_blocking(move || files_below(&directory));
        self.publish(&read.await.expect("reading files does not panic")?, None).await
    }

    /// Publishes `files`. The same content makes no new revision; all of them are published or none.
    pub async fn apply(&self, files: &[SourceFile]) -> Result<Applied, Error> {
        self.publish(files, None).await
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

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The search index of the latest publication, whichever process made it.
    pub(crate) async fn index(&self) -> Result<Arc<Index>, Error> {
        let held = self.held_index();
        if self.store.publication().await? == held.publication {
            return Ok(held);
        }
        self.rebuild_index().await
    }

    async fn publish(&self, files: &[SourceFile], embedded_set: Option<&str>) -> Result<Applied, Error> {
        let catalogue = Catalogue::read(files)?;
        let sample_fees = catalogue.sample_fees();
        if self.environment == Environment::Production && !sample_fees.is_empty() {
            return Err(Error::SampleFees(sample_fees));
        }
        let applied = self.store.apply(&catalogue, embedded_set).await?;
        self.rebuild_index().await?;
        Ok(applied)
    }

    async fn rebuild_index(&self) -> Result<Arc<Index>, Error> {
        let (publication, documents) = self.store.documents().await?;
        let build = tokio::task::spawn_blocking(move || Arc::new(Index::build(publication, documents)));
        let fresh = build.await.expect("building the index does not panic");
        let mut held = self.index.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Two rebuilds may pass each other: the newer publication stays.
        if fresh.publication >= held.publication {
            *held = Arc::clone(&fresh);
        }
        Ok(fresh)
    }

    fn held_index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn files_below(directory: &Path) -> Result<Vec<SourceFile>, Error> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Directory { path, source }
    };
    let mut files = Vec::new();
    let mut findings = Findings::default();
    for folder in ["agencies", "public_services", "life_events"] {
        let below = directory.join(folder);
        if !below.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&below).map_err(at(&below))? {
            let path = entry.map_err(at(&below))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !name.ends_with(".toml") {
                continue;
            }
            if files.len() == FILES_MAX {
                findings.add(folder, "", format!("more than {FILES_MAX} files"));
                return Err(findings.into());
            }
            let text = std::fs::read_to_string(&path).map_err(at(&path))?;
            files.push(SourceFile { path: format!("{folder}/{name}"), text });
        }
    }
    if files.is_empty() {
        findings.add(&directory.display().to_string(), "", "holds no catalogue files");
    }
    findings.into_result()?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}
