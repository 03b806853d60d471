//! What stands at the door: trusted documents, costs, quotas, how much at once, and whose pages may ask.

pub mod apq;
pub mod clients;
mod delay;
pub mod documents;
pub mod load;
mod manifest;
pub mod origins;
pub mod quotas;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cache::Redis;
use clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::config::{Cost, DocumentMode};
use apq::Registered;
use clients::Clients;
use documents::TrustedDocuments;
use load::Load;
use origins::Origins;
use quotas::Counted;

/// Why the door does not open.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("the trusted documents {} cannot be read: {reason}", .file.display())]
    Manifest { file: PathBuf, reason: String },
    #[error("door.origins: {0:?} is not an origin such as https://portal.example.go.th")]
    Origin(String),
}

/// All of it, one per process.
pub struct Guards {
    pub mode: DocumentMode,
    pub documents: Arc<TrustedDocuments>,
    /// None where clients may not register documents.
    pub registered: Option<Registered>,
    pub cost: Cost,
    /// None where callers are not counted.
    pub quotas: Option<Counted>,
    pub load: Arc<Load>,
    pub origins: Arc<Origins>,
    pub clients: Clients,
}

impl Guards {
    /// Reads what has to be read, and goes on looking at it until `stop`. `own` are documents that are trusted
    /// whatever the configuration says; quotas are counted in `redis` together with other processes.
    pub fn open(
        config: &Config,
        own: &[&'static str],
        redis: Option<Redis>,
        clock: &Clock,
        stop: &CancellationToken,
    ) -> Result<Self, GuardError> {
        let sandbox = config.environment.is_sandbox();
        let settings = &config.door.documents;
        let mode = settings.mode_in(sandbox);
        let documents = TrustedDocuments::open(settings.manifests.clone(), own)?;
        if mode != DocumentMode::Off {
            documents::keep_current(&documents, Duration::from_millis(settings.poll_ms.max(1)), stop.clone());
        }
        let automatic = settings.automatic && mode != DocumentMode::Require;
        let load = Arc::new(Load::new(&config.door.overload));
        delay::watch(&load, config.door.overload.delay_max_ms, stop.clone());
        Ok(Self {
            mode,
            documents,
            registered: automatic.then(|| Registered::new(settings.automatic_bytes_max)),
            cost: config.door.cost.clone(),
            quotas: Counted::of(&config.door.quotas, sandbox, redis, clock.clone()),
            load,
            origins: Arc::new(Origins::new(config)?),
            clients: Clients::default(),
        })
    }
}
