//! Requests for public services: drafts, evidence, submission, review, decision, timeline.
//!
//! In reading order: [`model`] has the rules and every move there is; `store` keeps applications,
//! one transaction per thing that happens; [`schema`] is the door; `events` hears catalogue and
//! payments; `provider` reads the caller's profile through the graph; `loader` batches what other
//! subgraphs point to; `http` takes and gives files, which lie where `files` says.

mod config;
mod erasure;
mod events;
mod files;
mod http;
mod loader;
pub mod model;
mod provider;
pub mod schema;
mod store;

use std::path::Path;
use std::sync::Arc;

use cache::Wake;
use chassis::Graph;
use clock::Clock;
use database::{Database, Migrations, Target};
use object_store::ObjectStore;
use outbox::{Consumer, Outbox};
use sealing::Sealer;

pub use config::{Bucket, Config};
use store::Store;

/// What the service stands on, handed in at start.
pub struct Foundations {
    pub clock: Clock,
    pub sealer: Sealer,
    /// Reads the caller's profile from the other services.
    pub graph: Arc<dyn Graph>,
    /// Wakes subscriptions, also those of other processes.
    pub wake: Wake,
    /// Where clients reach this installation, without a slash at the end: upload addresses begin with it.
    pub public_url: String,
    pub config: Config,
}

/// The applications service. Cloning shares it.
#[derive(Clone)]
pub struct Service {
    store: Store,
    outbox: Outbox,
    graph: Arc<dyn Graph>,
    files: Arc<dyn ObjectStore>,
    public_url: Arc<str>,
}

/// Why the service could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("the sealing keys cannot be used")]
    Sealing(#[from] sealing::Error),
    #[error("the place for evidence cannot be used")]
    Files(#[from] object_store::Error),
    #[error("the folder for evidence cannot be made")]
    Folder(#[from] std::io::Error),
}

impl Service {
    /// Opens the database, and the bucket for evidence or the folder `evidence` under `data`.
    pub async fn open(target: &Target, data: &Path, foundations: Foundations) -> Result<Self, OpenError> {
        let Foundations { clock, sealer, graph, wake, public_url, config } = foundations;
        let database = Database::open(target, "applications", &migrations()).await?;
        sealer.adopt(&database, clock.now()).await?;
        let files = files::open(&config, data)?;
        let outbox = Outbox::new(clock.clone());
        let store = Store::new(database, clock, sealer, outbox.clone(), wake);
        Ok(Self { store, outbox, graph, files, public_url: public_url.into() })
    }

    /// The subgraph.
    pub fn schema(&self) -> schema::Schema {
        schema::builder().data(self.clone()).data(loader::loads(&self.store)).finish()
    }

    /// Who hears messages of other services, and our own timers.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        let listener = events::Listener::new(self.store.clone(), Arc::clone(&self.files));
        vec![Arc::new(listener), Arc::new(erasure::Forgetter::new(self.store.clone()))]
    }

    /// `PUT /uploads/{ticket}` and `GET /evidence/{id}`.
    pub fn routes(&self) -> axum::Router {
        http::routes(self.clone())
    }

    /// The database, for the outbox's relay and for readiness.
    pub fn database(&self) -> &Database {
        &self.store.database
    }

    /// Makes room for the events of the next months.
    pub async fn make_room(&self) -> Result<i64, database::Error> {
        self.database().make_partitions("make_event_partitions", self.store.clock.now()).await
    }

    /// Forgets what is long over.
    pub async fn forget_old(&self) -> Result<u64, database::Error> {
        idempotency::forget_old(self.database(), self.store.clock.now()).await
    }

    /// The outbox, for its relay.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }
}

/// The definitions of its tables.
pub fn migrations() -> [&'static Migrations; 5] {
    [
        &outbox::MIGRATIONS,
        &sealing::MIGRATIONS,
        &idempotency::MIGRATIONS,
        &switches::MIGRATIONS,
        &store::MIGRATIONS,
    ]
}

/// All that its consumers listen to: for relays in other processes.
pub fn topics() -> Vec<&'static str> {
    [events::TOPICS, erasure::TOPICS].concat()
}

/// The subgraph's schema as composition wants it.
pub fn sdl() -> String {
    chassis::subgraph_sdl(&schema::builder().finish())
}
