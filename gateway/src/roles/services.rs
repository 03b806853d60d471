//! The services of this process: opened, and shown to the engine.

use std::sync::Arc;

use auth::TokenVerifier;
use chassis::Graph;
use database::{Database, Target};
use sealing::Sealer;

use super::{Error, Ground, sealing_key};
use crate::config::{Config, Role};
use crate::peers::RemoteGraph;
use crate::subgraphs::Subgraphs;

/// Those whose role runs here.
pub struct Services {
    pub catalogue: Option<catalogue::Service>,
    pub identity: Option<identity::Service>,
    pub applications: Option<applications::Service>,
    pub payments: Option<payments::Service>,
    pub sandbox: Option<sandbox::Sandbox>,
}

impl Services {
    pub async fn open(ground: &Ground<'_>) -> Result<Self, Error> {
        let config = ground.config;
        let target = super::databases::target(config);
        // First: it takes up the clock's offset of an earlier run, and time never goes back.
        let sandbox = match config.runs(Role::Sandbox) {
            true => Some(open_sandbox(ground, &target).await?),
            false => None,
        };
        let catalogue = match config.runs(Role::Catalogue) {
            true => Some(open_catalogue(ground, &target).await?),
            false => None,
        };
        let keeps_secrets = config.runs(Role::Identity) || config.runs(Role::Applications);
        let sealer = if keeps_secrets { Some(Sealer::new(sealing_key::keys(config)?)) } else { None };
        let identity = match &sealer {
            Some(sealer) if config.runs(Role::Identity) => {
                Some(open_identity(ground, &target, sealer.clone()).await?)
            }
            _ => None,
        };
        let applications = match sealer {
            Some(sealer) if config.runs(Role::Applications) => {
                Some(open_applications(ground, &target, sealer).await?)
            }
            _ => None,
        };
        let payments = match config.runs(Role::Payments) {
            true => Some(open_payments(ground, &target).await?),
            false => None,
        };
        Ok(Self { catalogue, identity, applications, payments, sandbox })
    }

    /// What checks access tokens here: identity's own, or one that hears identity from afar. None where
    /// nobody's token is looked at.
    pub fn verifier(&self, ground: &Ground<'_>) -> Option<TokenVerifier> {
        let own = self.identity.as_ref().map(identity::Service::verifier);
        let issuer = &ground.config.public_url;
        let heard = |sessions: &crate::peers::sessions::Sessions| {
            sessions.verifier(issuer, &identity::audience_of(issuer)).sharing(ground.seen.clone())
        };
        own.or_else(|| ground.hearing.sessions.as_ref().map(heard))
    }

    /// Every subgraph, here or elsewhere.
    pub fn subgraphs<'a>(&self, subgraphs: Subgraphs<'a>) -> Subgraphs<'a> {
        let subgraphs = match &self.catalogue {
            Some(catalogue) => subgraphs.with("catalogue", catalogue.schema()),
            None => subgraphs.elsewhere("catalogue"),
        };
        let subgraphs = match &self.identity {
            Some(identity) => subgraphs.with("identity", identity.schema()),
            None => subgraphs.elsewhere("identity"),
        };
        let subgraphs = match &self.applications {
            Some(applications) => subgraphs.with("applications", applications.schema()),
            None => subgraphs.elsewhere("applications"),
        };
        match &self.payments {
            Some(payments) => subgraphs.with("payments", payments.schema()),
            None => subgraphs.elsewhere("payments"),
        }
    }

    pub fn databases(&self) -> Vec<(&'static str, Database)> {
        let databases = [
            ("catalogue", self.catalogue.as_ref().map(catalogue::Service::database)),
            ("identity", self.identity.as_ref().map(identity::Service::database)),
            ("applications", self.applications.as_ref().map(applications::Service::database)),
            ("payments", self.payments.as_ref().map(payments::Service::database)),
            ("sandbox", self.sandbox.as_ref().map(sandbox::Sandbox::database)),
        ];
        databases.into_iter().filter_map(|(name, database)| Some((name, database?.clone()))).collect()
    }
}

async fn open_sandbox(ground: &Ground<'_>, target: &Target) -> Result<sandbox::Sandbox, Error> {
    let public_url = ground.config.public_url.clone();
    let settings = sandbox::Config { public_url, ..sandbox::Config::default() };
    sandbox::Sandbox::open(target, ground.clock.clone(), settings).await.map_err(Error::Sandbox)
}

async fn open_catalogue(ground: &Ground<'_>, target: &Target) -> Result<catalogue::Service, Error> {
    let environment = ground.config.environment;
    let catalogue = catalogue::Service::open(target, ground.clock.clone(), environment).await?;
    if environment.is_sandbox() {
        catalogue.apply_embedded().await?;
        return Ok(catalogue);
    }
    let samples = catalogue.sample_fees().await?;
    if samples.is_empty() { Ok(catalogue) } else { Err(catalogue::Error::SampleFees(samples).into()) }
}

async fn open_identity(
    ground: &Ground<'_>,
    target: &Target,
    sealer: Sealer,
) -> Result<identity::Service, Error> {
    let config = ground.config;
    let mut settings = config.identity.clone().unwrap_or_else(|| {
        let mut settings = identity::Config::sandbox(&config.public_url);
        // Browsers and issuers know the public address; the registry is ours alone to ask.
        if let (Some(base), Some(registry)) = (sandbox_elsewhere(config), &mut settings.registry) {
            registry.url = format!("{base}/registry");
        }
        settings
    });
    settings.public_url.clone_from(&config.public_url);
    settings.environment = config.environment;
    let (clock, seen) = (ground.clock.clone(), ground.seen.clone());
    Ok(identity::Service::open_sharing(target, clock, sealer, settings, seen).await?)
}

async fn open_applications(
    ground: &Ground<'_>,
    target: &Target,
    sealer: Sealer,
) -> Result<applications::Service, Error> {
    let config = ground.config;
    let graph: Arc<dyn Graph> = match config.runs(Role::Gateway) {
        true => Arc::new(ground.graph.clone()),
        false => Arc::new(RemoteGraph::new(ground.peers.clone())),
    };
    let foundations = applications::Foundations {
        clock: ground.clock.clone(),
        sealer,
        graph,
        wake: ground.wake.clone(),
        public_url: config.public_url.clone(),
        config: config.applications.clone(),
    };
    Ok(applications::Service::open(target, &config.data, foundations).await?)
}

async fn open_payments(ground: &Ground<'_>, target: &Target) -> Result<payments::Service, Error> {
    let config = ground.config;
    let mut settings = config.payments.clone().unwrap_or_else(|| match sandbox_elsewhere(config) {
        Some(base) => payments::Config::sandbox_at(&config.public_url, &base),
        None => payments::Config::sandbox(&config.public_url),
    });
    settings.public_url.clone_from(&config.public_url);
    Ok(payments::Service::open(target, ground.clock.clone(), settings).await?)
}

/// The sandbox's own address, where it runs in another process.
fn sandbox_elsewhere(config: &Config) -> Option<String> {
    if config.runs(Role::Sandbox) {
        return None;
    }
    config.addresses_of(Role::Sandbox).first().map(|base| format!("{base}/sandbox"))
}
