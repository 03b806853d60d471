//! The door alone: a federation gateway over the subgraphs of any supergraph, with nothing of the product.

mod subgraphs;
mod tokens;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::{HeaderName, header};
use clock::Clock;
use federation::{Engine, Settings, SupergraphError};
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::current_engine::{self, Build, CurrentEngine, SupergraphFile};
use crate::guards::{GuardError, Guards};
use crate::health;
use crate::pipeline::{self, Door, Tokens};

use subgraphs::Ways;
pub use tokens::{ForeignTokens, JwksSource, TokensError};

/// Headers that are never forwarded. Cookies: browsers send them along when a page of any site opens a
/// WebSocket, and the page would ask as its visitor. The others are about one connection or one body.
const NOT_FORWARDED: [HeaderName; 16] = [
    header::COOKIE,
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What is served, to whom.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The composed supergraph, as SDL. Whoever writes the file replaces it without a restart.
    pub supergraph: PathBuf,
    /// Where subgraphs are, for those that are not where the supergraph says: each at one address or more.
    pub subgraphs: BTreeMap<String, Vec<String>>,
    /// The path under which each address of a subgraph says, with a status of 2xx, that it wants requests.
    pub readiness: Option<String>,
    /// Headers of the client's requests that go to the subgraphs as they came.
    pub forward: Vec<HeaderName>,
    /// Whose tokens open what the schema guards. Without it everyone is a stranger here, a token is
    /// passed over, and what is guarded stays closed.
    pub tokens: Option<TokenOptions>,
    /// Whether clients may ask about the schema.
    pub introspection: bool,
    /// Labels of progressive `@override` that are switched on.
    pub override_labels: HashSet<String>,
}

/// Whose tokens are taken.
#[derive(Clone, Debug)]
pub struct TokenOptions {
    pub jwks: JwksSource,
    pub issuer: String,
    pub audience: String,
}

/// Why the door does not open.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the supergraph {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    #[error("the supergraph cannot be served")]
    Supergraph(#[from] SupergraphError),
    #[error("subgraph {0:?} is not in the supergraph")]
    UnknownSubgraph(String),
    #[error("the address of subgraph {name:?} is not an http address: {url:?}")]
    Address { name: String, url: String },
    #[error("the readiness path {0:?} is no path")]
    Readiness(String),
    #[error("the header {0} cannot be forwarded: it is a browser's cookies, or about one connection or body")]
    NotForwarded(HeaderName),
    #[error(transparent)]
    Tokens(#[from] TokensError),
    #[error(transparent)]
    Guards(#[from] GuardError),
}

/// Everything a door alone answers: `/graphql` and what its operator needs.
pub async fn routes(config: &Config, options: &Options, stop: &CancellationToken) -> Result<Router, Error> {
    if let Some(name) = options.forward.iter().find(|name| NOT_FORWARDED.contains(name)) {
        return Err(Error::NotForwarded(name.clone()));
    }
    let sdl = current_engine::read(&options.supergraph)
        .map_err(|error| Error::Unreadable(options.supergraph.clone(), error))?;
    let settings = Settings {
        introspection: options.introspection,
        mask_internal_errors: !config.environment.is_sandbox(),
        unauthorized: config.unauthorized.into(),
        override_labels: options.override_labels.clone(),
        ..Settings::default()
    };
    let ways = Mutex::new(Ways::new(options.subgraphs.clone(), options.readiness.as_deref())?);
    let build = move |sdl: &str| -> Result<Engine, Error> {
        let mut ways = ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.lead(sdl, |ways| Ok(Engine::new(sdl, ways, settings.clone())?))
    };
    let engine = CurrentEngine::new(build(&sdl)?);
    let clock = Clock::system();
    let tokens = match &options.tokens {
        Some(given) => Tokens::Foreign(ForeignTokens::open(given, clock.clone(), stop.clone()).await?),
        None => Tokens::NotJudged,
    };
    let guards = Guards::open(config, &[], None, &clock, stop)?;
    let door = Arc::new(Door {
        engine: engine.clone(),
        tokens,
        forward: options.forward.clone(),
        clock,
        limits: config.limits.clone(),
        guards,
        answers: None,
        subscriptions: Arc::default(),
        continue_traces: config.traces.continue_clients,
        stop: stop.clone(),
    });
    let build: Build = Arc::new(move |sdl| build(sdl).map_err(|error| current_engine::reason(&error)));
    let file = SupergraphFile::new(options.supergraph.clone(), sdl, build);
    file.keep_current(&engine, &door.guards.documents, stop);
    let needed = health::Needed { stop: stop.clone(), ..Default::default() };
    Ok(pipeline::routes(Arc::clone(&door)).merge(health::routes(needed, Some(door))))
}
