//! Bills, payments, settlements, the ledger, receipts and refunds.
//!
//! A bill is issued when an application's fee falls due. A citizen pays it by one of several methods;
//! money that arrives is believed only when its provider was asked or signed for it, settles its bill
//! at most once, and goes back when it does not. Reading order: the rules, the codec, the flow of
//! money, the outside systems, the statements, the doors.

pub mod config;
pub mod model;
pub mod qr;

mod erasure;
mod events;
mod flow;
mod http;
mod loader;
pub mod provider;
mod schema;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use clock::Clock;
use database::{Database, Migrations, Target};
use outbox::{Consumer, Outbox};
use switches::{Kind, Switches};

pub use config::{Config, GWalletConfig, KbankConfig, QrBank, ScbConfig};
pub use schema::{PaymentsSchema, sdl};

use provider::{GWallet, Kbank, Providers, Scb};

/// The payments service. Cloning shares it.
#[derive(Clone)]
pub struct Service {
    database: Database,
    outbox: Outbox,
    clock: Clock,
    /// Which providers and methods are closed to new payments.
    switches: Switches,
    providers: Providers,
    config: Arc<Config>,
}

impl Service {
    /// Opens the service's database and its ways to the providers.
    pub async fn open(target: &Target, clock: Clock, config: Config) -> Result<Self, database::Error> {
        let timeout = Duration::from_millis(config.provider_timeout_ms);
        let scb = Scb::new(config.scb.clone(), &config.public_url, timeout);
        let gwallet = GWallet::new(config.gwallet.clone(), &config.public_url, timeout);
        let kbank = Kbank::new(config.kbank.clone(), timeout);
        let providers = Providers::new(Arc::new(scb), Arc::new(kbank), Arc::new(gwallet), config.qr_bank);
        Self::open_with(target, clock, config, providers).await
    }

    /// Opens it with other ways to the providers.
    pub async fn open_with(
        target: &Target,
        clock: Clock,
        config: Config,
        providers: Providers,
    ) -> Result<Self, database::Error> {
        let database = Database::open(target, "payments", &migrations()).await?;
        let outbox = Outbox::new(clock.clone());
        let switches = Switches::new(database.clone(), clock.clone(), outbox.clone());
        let service = Self { database, outbox, clock, switches, providers, config: Arc::new(config) };
        service.begin_reconciliation().await?;
        Ok(service)
    }

    /// The executable schema; cloning it is cheap.
    pub fn schema(&self) -> PaymentsSchema {
        schema::build(self.clone())
    }

    /// What it listens to, its own timers among them.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        let mut consumers = events::consumers(self);
        consumers.push(Arc::new(erasure::Witness { service: self.clone() }));
        consumers
    }

    /// `POST /callbacks/payments/{provider}`.
    pub fn routes(&self) -> axum::Router {
        http::routes(self.clone())
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Makes room for the transfers of the next months.
    pub async fn make_room(&self) -> Result<i64, database::Error> {
        self.database.make_partitions("make_ledger_partitions", self.clock.now()).await
    }

    /// For how many seconds the oldest payment whose time is over has been without an outcome.
    pub async fn unsettled_s(&self) -> Result<f64, database::Error> {
        let now = self.clock.now();
        let since = store::payment::unsettled_since(&self.database, now).await?;
        Ok(since.map_or(0.0, |since| (now - since).as_seconds_f64()))
    }

    /// Forgets what is long over.
    pub async fn forget_old(&self) -> Result<u64, database::Error> {
        idempotency::forget_old(&self.database, self.clock.now()).await
    }

    /// The sending end of its outbox, for the relay.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }
}

/// The definitions of its tables.
pub fn migrations() -> [&'static Migrations; 4] {
    [&outbox::MIGRATIONS, &idempotency::MIGRATIONS, &switches::MIGRATIONS, &store::MIGRATIONS]
}

/// All that its consumers listen to: for relays in other processes.
pub fn topics() -> Vec<&'static str> {
    [events::TOPICS, erasure::TOPICS].concat()
}

/// Whether there is such a provider or method to close.
pub fn has_switch(target: &switches::Target) -> bool {
    match target.kind {
        Kind::PaymentMethod => model::PaymentMethod::parse(&target.name).is_some(),
        Kind::PaymentProvider => provider::CODES.contains(&target.name.as_str()),
        Kind::PublicService | Kind::IdentityProvider => false,
    }
}
