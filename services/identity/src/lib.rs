//! Who people are: Digital ID login, citizens, companies and mandates, our own tokens.
//!
//! Towards Digital ID providers this service is a relying party (`provider`); towards apps it is an
//! OAuth 2 and OpenID Connect authorization server (`http`); in the graph it answers `viewer`
//! (`schema`). The rules are in `model`, the statements in `store`.

pub mod config;
mod events;
mod http;
mod loader;
mod model;
mod provider;
mod schema;
mod store;
mod upkeep;

use std::sync::{Arc, Mutex};

use auth::{EndedSessions, Keys, ProofVerifier, TokenVerifier};
use axum::Router;
use cache::Seen;
use chrono::{DateTime, Utc};
use clock::Clock;
use database::{Database, Target};
use outbox::Outbox;
use sealing::Sealer;
use switches::Switches;

use crate::http::limit::Limiter;
use crate::http::signer::Signer;
use crate::model::assurance::Assurance;
use crate::model::client::Clients;
use crate::model::national_id::{NationalId, Numbers};
use crate::model::officer::{Officer, OfficersFile};
use crate::provider::{IdentityProvider, Registry};
use crate::store::Store;

pub use config::Config;
pub use events::TOPICS;
pub use schema::{IdentitySchema, sdl};
pub use store::{Error as StoreError, migrations, reseal_signing_keys, signing_keys_left};

/// The officers of the sandbox.
const OFFICERS: &str = include_str!("../officers.toml");

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("opening identity's database")]
    Store(#[from] store::Error),
    #[error("making a signing key")]
    Key(#[from] http::signer::KeyError),
    #[error("reading officers.toml")]
    Officers(#[from] toml::de::Error),
    #[error("the level policy cannot be used")]
    Assurance(#[from] model::assurance::PolicyError),
}

/// The identity service. Cloning shares it.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

/// What handlers and resolvers stand on.
pub(crate) struct Inner {
    config: Config,
    clients: Clients,
    assurance: Assurance,
    providers: Vec<Box<dyn IdentityProvider>>,
    registry: Option<Registry>,
    store: Store,
    outbox: Outbox,
    /// Which Digital ID providers are closed.
    switches: Switches,
    signer: Signer,
    ended: EndedSessions,
    /// Until when it is known which sessions other processes ended.
    ends_heard_at: Mutex<DateTime<Utc>>,
    verifier: TokenVerifier,
    /// For proofs that come to us ourselves; those for the graph are the verifier's.
    proofs: ProofVerifier,
    limiter: Limiter,
    clock: Clock,
}

impl Service {
    /// Opens the store, loads or makes the signing key, and, in the sandbox, the officers.
    pub async fn open(target: &Target, clock: Clock, sealer: Sealer, config: Config) -> Result<Self, Error> {
        Self::open_sharing(target, clock, sealer, config, Seen::new(None)).await
    }

    /// The same, taking each proof of a key once among all processes that share `seen`.
    pub async fn open_sharing(
        target: &Target,
        clock: Clock,
        sealer: Sealer,
        config: Config,
        seen: Seen,
    ) -> Result<Self, Error> {
        let store = Store::open(target, sealer).await?;
        store.adopt_keys(clock.now()).await?;
        let sandbox = config.environment.is_sandbox();
        if sandbox {
            load_officers(&store, &clock).await?;
        }
        let keys = Keys::default();
        let signer = Signer::open(&store, &clock, keys.clone()).await?;
        let ended = EndedSessions::default();
        let before_any_token = clock.now() - chrono::Duration::seconds(model::login::ACCESS_TOKEN_S + 60);
        let audience = audience_of(&config.public_url);
        let verifier = TokenVerifier::new(&config.public_url, &audience, keys, ended.clone(), clock.clone());
        let verifier = verifier.sharing(seen.clone());
        let outbox = Outbox::new(clock.clone());
        let switches = Switches::new(store.database().clone(), clock.clone(), outbox.clone());
        let inner = Inner {
            clients: Clients::built_in(&config.public_url, sandbox),
            assurance: config.assurance()?,
            providers: provider::providers(&config, &clock),
            registry: Registry::new(&config),
            limiter: Limiter::new(config.requests_per_minute_max),
            store,
            outbox,
            switches,
            signer,
            ended,
            ends_heard_at: Mutex::new(before_any_token),
            verifier,
            proofs: ProofVerifier::new(clock.clone()).sharing(seen),
            clock,
            config,
        };
        let service = Self { inner: Arc::new(inner) };
        service.hear_of_ends().await?;
        Ok(service)
    }

    /// The login, token and metadata endpoints, with their full paths.
    pub fn routes(&self) -> Router {
        http::routes(self.inner.clone())
    }

    /// The subgraph.
    pub fn schema(&self) -> IdentitySchema {
        schema::schema(Some(self.inner.clone()))
    }

    /// Checks our access tokens, with this process's keys and ended sessions.
    pub fn verifier(&self) -> TokenVerifier {
        self.inner.verifier.clone()
    }

    pub fn database(&self) -> &Database {
        self.inner.store.database()
    }

    /// The sending end of its outbox, for the relay.
    pub fn outbox(&self) -> &Outbox {
        &self.inner.outbox
    }
}

/// The audience of our access tokens: the graph of the installation at `public_url`.
pub fn audience_of(public_url: &str) -> String {
    format!("{}/graphql", public_url.trim_end_matches('/'))
}

impl Inner {
    /// Which 13-digit numbers are accepted here.
    fn numbers(&self) -> Numbers {
        if self.config.environment.is_sandbox() { Numbers::Invalid } else { Numbers::Real }
    }

    fn provider(&self, code: &str) -> Option<&dyn IdentityProvider> {
        self.providers.iter().find(|provider| provider.code() == code).map(AsRef::as_ref)
    }
}

async fn load_officers(store: &Store, clock: &Clock) -> Result<(), Error> {
    let file: OfficersFile = toml::from_str(OFFICERS)?;
    for entry in file.officer {
        let Some(pid) = NationalId::parse(&entry.pid, Numbers::Invalid) else { continue };
        let officer = Officer { id: clock.uuid(), agency: entry.agency, roles: entry.roles };
        store.save_officer(&pid, &officer, clock.now()).await?;
    }
    Ok(())
}
