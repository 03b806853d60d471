//! The engine over our own supergraph: the one this program was built with, or a file in its place.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use federation::{Engine, EntityCache, Settings, Subgraph, SupergraphError};
use tokio_util::sync::CancellationToken;

use super::{Build, CurrentEngine, SupergraphFile, read, reason};
use crate::Config;
use crate::guards::documents::TrustedDocuments;

/// Why our own supergraph is not served.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    #[error("the supergraph cannot be served")]
    Supergraph(#[from] SupergraphError),
    #[error("the supergraph {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
}

/// Our own engine.
pub struct Own {
    pub engine: Arc<CurrentEngine>,
    /// What may replace its supergraph.
    file: Option<SupergraphFile>,
}

impl Own {
    /// Opens it over these subgraphs, which stay whatever the supergraph says of them.
    pub fn open(
        config: &Config,
        transports: HashMap<String, Arc<dyn Subgraph>>,
        settings: Settings,
        entities: Option<Arc<dyn EntityCache>>,
    ) -> Result<Self, OwnError> {
        let Some(path) = &config.supergraph else {
            let engine = Engine::new(graphql::SUPERGRAPH, transports, settings)?.with_entity_cache(entities);
            return Ok(Self { engine: CurrentEngine::new(engine), file: None });
        };
        let text = read(path).map_err(|error| OwnError::Unreadable(path.clone(), error))?;
        let engine = Engine::new(&text, transports.clone(), settings.clone())?;
        let engine = engine.with_entity_cache(entities.clone());
        let build: Build = Arc::new(move |text| {
            let engine = Engine::new(text, transports.clone(), settings.clone());
            let engine = engine.map(|engine| engine.with_entity_cache(entities.clone()));
            engine.map_err(|error| reason(&error))
        });
        let file = SupergraphFile::new(path.clone(), text, build);
        Ok(Self { engine: CurrentEngine::new(engine), file: Some(file) })
    }

    /// Follows the file, where there is one, until `stop`.
    pub fn keep_current(self, documents: &Arc<TrustedDocuments>, stop: &CancellationToken) {
        if let Some(file) = self.file {
            file.keep_current(&self.engine, documents, stop);
        }
    }
}
