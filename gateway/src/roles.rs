//! Which roles run in this process: the only file that names the service crates.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use auth::{TokenVerifier, Unidentified};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use chassis::Secret;
use clock::Clock;
use database::{Database, Target};
use federation::{Engine, Settings};
use outbox::{Consumer, Outbox, Relay};
use sealing::{Keys, Sealer};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::config::Config;
use crate::graph::OwnGraph;
use crate::pipeline::{self, Door, Tokens};
use crate::subgraphs::Subgraphs;
use crate::{graphiql, health, upkeep};

/// Bytes of a request to anything but `/graphql` and uploads, which have limits of their own.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// A login waits for a provider and the registry, each within its own time; nobody waits longer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The same for a file, which may come from a phone on a slow line.
const FILE_TIMEOUT: Duration = Duration::from_secs(300);
const SEALING_KEY_FILE: &str = "sealing.key";

/// Why a role did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the catalogue does not start")]
    Catalogue(#[from] catalogue::Error),
    #[error("identity does not start")]
    Identity(#[from] identity::Error),
    #[error("a database does not open")]
    Database(#[from] database::Error),
    #[error("applications does not start")]
    Applications(#[from] applications::OpenError),
    #[error("the sandbox does not start")]
    Sandbox(#[source] anyhow::Error),
    #[error("the checked-in supergraph cannot be served")]
    Supergraph(#[from] federation::SupergraphError),
    #[error(transparent)]
    SealingKey(#[from] sealing::KeyError),
    #[error("the catalogue's messages cannot be delivered")]
    CatchUp(#[source] outbox::Error),
    #[error("the data folder")]
    Data(#[from] std::io::Error),
}

/// Everything that runs in this process.
pub struct Roles {
    door: Arc<Door>,
    databases: Vec<(&'static str, Database)>,
    routes: Router,
    relays: JoinSet<()>,
}

impl Roles {
    /// Opens every role: infrastructure, services, the engine over them, the relays between them.
    pub async fn open(config: &Config, stop: CancellationToken) -> Result<Self, Error> {
        std::fs::create_dir_all(&config.data)?;
        let clock = Clock::system();
        let services = Services::open(config, &clock).await?;
        let subgraphs = services.subgraphs(Subgraphs::new(config, &clock, &stop));
        let settings = Settings {
            introspection: config.environment.is_sandbox(),
            unauthorized: config.unauthorized.into(),
            ..Settings::default()
        };
        let engine = Arc::new(Engine::new(graphql::SUPERGRAPH, subgraphs.transports, settings)?);
        services.graph.connect(&engine);
        let door = Arc::new(Door {
            engine,
            tokens: Tokens::Own(services.identity.verifier()),
            forward: Vec::new(),
            clock: clock.clone(),
            limits: config.limits.clone(),
            subscriptions: Arc::default(),
            stop: stop.clone(),
        });
        let mut relays = JoinSet::new();
        let [catalogue, others @ ..] = services.relays(&clock);
        // What was just published is known to all before the door opens.
        while catalogue.deliver_due().await.map_err(Error::CatchUp)? > 0 {}
        for relay in [catalogue].into_iter().chain(others) {
            let stop = stop.clone();
            relays.spawn(async move { relay.run(stop).await });
        }
        services.keep_up(&mut relays, &stop);
        let routes = services.routes(config).merge(subgraphs.doors);
        Ok(Self { door, databases: services.databases(), routes, relays })
    }

    /// Everything this process answers.
    pub fn routes(&self) -> Router {
        pipeline::routes(Arc::clone(&self.door))
            .merge(health::routes(self.databases.clone(), self.door.engine.clone()))
            .merge(self.routes.clone())
    }

    /// Ends the relays and closes the databases, after serving has ended.
    pub async fn close(mut self) {
        while self.relays.join_next().await.is_some() {}
        for (_, database) in &self.databases {
            database.close().await;
        }
    }
}

/// The services of this process, opened.
struct Services {
    graph: OwnGraph,
    catalogue: catalogue::Service,
    identity: identity::Service,
    applications: applications::Service,
    payments: payments::Service,
    sandbox: Option<sandbox::Sandbox>,
}

impl Services {
    async fn open(config: &Config, clock: &Clock) -> Result<Self, Error> {
        let target = target(config);
        let sealer = Sealer::new(sealing_keys(config)?);
        let graph = OwnGraph::default();
        let public_url = config.public_url.as_str();
        let environment = config.environment;

        // First: it takes up the clock's offset of an earlier run, and time never goes back.
        let sandbox = if environment.is_sandbox() {
            let settings =
                sandbox::Config { public_url: public_url.to_owned(), ..sandbox::Config::default() };
            let opened = sandbox::Sandbox::open(&target, clock.clone(), settings).await;
            Some(opened.map_err(Error::Sandbox)?)
        } else {
            None
        };
        let catalogue = catalogue::Service::open(&target, clock.clone(), environment).await?;
        if environment.is_sandbox() {
            catalogue.apply_embedded().await?;
        } else {
            let samples = catalogue.sample_fees().await?;
            if !samples.is_empty() {
                return Err(catalogue::Error::SampleFees(samples).into());
            }
        }
        let mut settings = config.identity.clone().unwrap_or_else(|| identity::Config::sandbox(public_url));
        settings.public_url = public_url.to_owned();
        settings.environment = environment;
        let identity = identity::Service::open(&target, clock.clone(), sealer.clone(), settings).await?;
        let foundations = applications::Foundations {
            clock: clock.clone(),
            sealer,
            graph: Arc::new(graph.clone()),
            public_url: public_url.to_owned(),
            config: config.applications.clone(),
        };
        let applications = applications::Service::open(&target, &config.data, foundations).await?;
        let mut settings = config.payments.clone().unwrap_or_else(|| payments::Config::sandbox(public_url));
        settings.public_url = public_url.to_owned();
        let payments = payments::Service::open(&target, clock.clone(), settings).await?;
        Ok(Self { graph, catalogue, identity, applications, payments, sandbox })
    }

    fn subgraphs<'a>(&self, subgraphs: Subgraphs<'a>) -> Subgraphs<'a> {
        subgraphs
            .with("catalogue", self.catalogue.schema())
            .with("identity", self.identity.schema())
            .with("applications", self.applications.schema())
            .with("payments", self.payments.schema())
    }

    fn databases(&self) -> Vec<(&'static str, Database)> {
        let mut databases = vec![
            ("catalogue", self.catalogue.database().clone()),
            ("identity", self.identity.database().clone()),
            ("applications", self.applications.database().clone()),
            ("payments", self.payments.database().clone()),
        ];
        databases.extend(self.sandbox.as_ref().map(|sandbox| ("sandbox", sandbox.database().clone())));
        databases
    }

    fn outboxes(&self) -> [(&Database, &Outbox); 4] {
        [
            (self.catalogue.database(), self.catalogue.outbox()),
            (self.identity.database(), self.identity.outbox()),
            (self.applications.database(), self.applications.outbox()),
            (self.payments.database(), self.payments.outbox()),
        ]
    }

    /// One relay per outbox, the catalogue's first, each delivering to everyone who listens.
    fn relays(&self, clock: &Clock) -> [Relay; 4] {
        let mut consumers: Vec<Arc<dyn Consumer>> = self.catalogue.consumers();
        consumers.extend(self.identity.consumers());
        consumers.extend(self.applications.consumers());
        consumers.extend(self.payments.consumers());
        let relay = |(database, outbox): (&Database, &Outbox)| {
            Relay::new(database.clone(), clock.clone(), outbox.clone(), consumers.clone())
        };
        self.outboxes().map(relay)
    }

    /// What services do by themselves: hear of other processes, and forget what is long over.
    fn keep_up(&self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        let identity = self.identity.clone();
        tasks.spawn(upkeep::every(upkeep::HEAR, stop.clone(), move || {
            let identity = identity.clone();
            async move { identity.tend().await }
        }));
        let services = (self.identity.clone(), self.applications.clone(), self.payments.clone());
        tasks.spawn(upkeep::every(upkeep::FORGET, stop.clone(), move || {
            let (identity, applications, payments) = services.clone();
            async move {
                upkeep::note("identity", identity.forget_old().await);
                upkeep::note("applications", applications.forget_old().await);
                upkeep::note("payments", payments.forget_old().await);
            }
        }));
    }

    fn routes(&self, config: &Config) -> Router {
        let known = middleware::from_fn_with_state(self.identity.verifier(), identify);
        let within = |timeout| TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, timeout);
        let files = self.applications.routes().layer(within(FILE_TIMEOUT)).layer(known);
        let mut routes = Router::new().merge(self.identity.routes()).merge(self.payments.routes());
        if let Some(sandbox) = &self.sandbox {
            routes = routes
                .nest("/sandbox", sandbox.routes())
                // `nest` answers /sandbox alone; people type the slash.
                .route("/sandbox/", get(|| async { axum::response::Redirect::permanent("/sandbox") }))
                .merge(graphiql::routes(&config.graphiql_assets));
        }
        routes.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).layer(within(REQUEST_TIMEOUT)).merge(files)
    }
}

/// The SDL of every subgraph, by name.
pub fn subgraph_schemas() -> Vec<(&'static str, String)> {
    vec![
        ("catalogue", catalogue::sdl()),
        ("identity", identity::sdl()),
        ("applications", applications::sdl()),
        ("payments", payments::sdl()),
    ]
}

/// Publishes the catalogue files of a folder, while nothing serves.
pub async fn apply_catalogue(
    config: &Config,
    directory: &Path,
    edits: catalogue::Edits,
) -> Result<catalogue::Applied, Error> {
    let catalogue = catalogue::Service::open(&target(config), Clock::system(), config.environment).await?;
    Ok(catalogue.apply_directory(directory, edits).await?)
}

/// Writes what the catalogue has published into a folder of files, while nothing serves.
pub async fn export_catalogue(
    config: &Config,
    directory: &Path,
    overwrite: bool,
) -> Result<catalogue::Exported, Error> {
    let catalogue = catalogue::Service::open(&target(config), Clock::system(), config.environment).await?;
    Ok(catalogue.export_directory(directory, overwrite).await?)
}

fn target(config: &Config) -> Target {
    match &config.database_url {
        Some(url) => Target::Postgres { url: url.reveal().to_owned() },
        None => Target::embedded(&config.data),
    }
}

/// The configured sealing key; the sandbox makes one and keeps it beside its data.
fn sealing_keys(config: &Config) -> Result<Keys, Error> {
    if let Some(key) = &config.sealing_key {
        return Ok(Keys::from_base64(key.reveal())?);
    }
    let file = config.data.join(SEALING_KEY_FILE);
    if !file.exists() {
        write_private(&file, &Keys::generate())?;
    }
    let key = Secret::from(std::fs::read_to_string(file)?.as_str());
    Ok(Keys::from_base64(key.reveal())?)
}

/// Writes a file that only its owner can read.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// Gives the services' HTTP routes the caller. A bad token is nobody there: an upload's ticket is
/// enough without one, and what needs a caller refuses nobody.
async fn identify(State(verifier): State<TokenVerifier>, mut request: Request, next: Next) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let caller = pipeline::identify(&verifier, method, path, request.headers());
    let challenge = caller.as_ref().map_or_else(|refused| refused.challenge(), |_| Unidentified::asked());
    request.extensions_mut().insert(caller.map(|caller| caller.principal).unwrap_or_default());
    let mut response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}
