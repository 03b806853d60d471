//! The sandbox: two Digital ID providers, a company registry, a bank and a wallet to try everything with.
//!
//! It stands for the outside world, so it has data of its own and shares no code with the adapters
//! that talk to it. Reading order: `config`, `persona`, `idp`, `registry`, `order`, `bank`, `gwallet`.

mod bank;
mod config;
mod confirmation;
mod form;
mod gwallet;
mod idp;
mod kbank;
mod level;
mod money;
mod movable_clock;
mod order;
mod orders;
mod page;
mod pay_page;
mod people;
mod persona;
mod registry;
mod secret;
mod start_page;
mod store;
mod trigger;
mod trigger_doors;
mod triggers;
mod working_day;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{delete, get, post};
use clock::Clock;
use database::{Database, Migrations, Target};
use tower_http::timeout::TimeoutLayer;

pub use config::Config;

const BODY_BYTES_MAX: usize = 64 * 1024;
const REQUEST_TIMEOUT_S: u64 = 10;

/// The definitions of its tables.
pub fn migrations() -> [&'static Migrations; 1] {
    [&store::MIGRATIONS]
}

/// The sandbox, ready to answer. Cloning shares it.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    base_url: String,
    clock: Clock,
    database: Database,
    personas: persona::Personas,
    providers: Vec<idp::Provider>,
    confirmations: confirmation::Sender,
}

impl Sandbox {
    /// Opens the sandbox's database, making the providers' signing keys the first time.
    pub async fn open(target: &Target, clock: Clock, config: Config) -> anyhow::Result<Self> {
        let database = Database::open(target, "sandbox", &migrations())
            .await
            .context("opening the sandbox's database")?;
        // Before anything reads the time: it never goes back over kept data.
        let kept =
            store::clock_offset::clock_offset(&database).await.context("reading the clock's offset")?;
        clock.advance(kept - clock.offset());
        let personas = persona::Personas::load().context("reading personas.toml")?;
        let base_url = config.base_url();
        let providers = idp::open_providers(&database, &base_url, clock.now()).await?;
        let confirmations = confirmation::Sender::new(&config)?;
        let inner = Inner { config, base_url, clock, database, personas, providers, confirmations };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Its HTTP door, to be nested under `/sandbox`.
    pub fn routes(&self) -> Router {
        let timeout = Duration::from_secs(REQUEST_TIMEOUT_S);
        Router::new()
            .route("/", get(start_page::show))
            .route("/clock", get(movable_clock::show).post(movable_clock::advance))
            .route("/personas", get(people::show))
            .route("/personas/{code}/reset", post(people::reset))
            .route(
                "/triggers",
                get(trigger_doors::show).post(trigger_doors::set).delete(trigger_doors::clear_all),
            )
            .route("/triggers/clear", post(trigger_doors::clear_all))
            .route("/triggers/{id}", delete(trigger_doors::clear))
            .route("/triggers/{id}/clear", post(trigger_doors::clear))
            .nest("/idp/{provider}", idp::routes())
            .nest("/registry", registry::routes())
            .nest("/bank", bank::routes())
            .nest("/gwallet", gwallet::routes())
            .nest("/kbank", kbank::routes())
            .layer(middleware::from_fn_with_state(self.clone(), triggers::at_the_door))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, timeout))
            .with_state(self.clone())
    }

    /// Its database, for readiness and tests.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    fn config(&self) -> &Config {
        &self.inner.config
    }

    /// `{public_url}/sandbox`.
    fn base_url(&self) -> &str {
        &self.inner.base_url
    }

    fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    fn personas(&self) -> &persona::Personas {
        &self.inner.personas
    }

    fn providers(&self) -> &[idp::Provider] {
        &self.inner.providers
    }

    fn confirmations(&self) -> &confirmation::Sender {
        &self.inner.confirmations
    }
}
