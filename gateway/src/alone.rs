//! The door alone: a federation gateway over the subgraphs of any supergraph, with nothing of the product.

mod tokens;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use clock::Clock;
use federation::{Engine, Http, RequestContext, Settings, Sign, Subgraph, SupergraphError};
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::health;
use crate::pipeline::{self, Door, Forwarded, REQUEST_ID, RequestId, Tokens};

pub use tokens::{ForeignTokens, JwksSource, TokensError};

/// Silence of a subgraph after which it counts as gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

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
    /// The composed supergraph, as SDL.
    pub supergraph: PathBuf,
    /// Where subgraphs are, for those that are not where the supergraph says.
    pub subgraphs: BTreeMap<String, String>,
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
    #[error("the header {0} cannot be forwarded: it is a browser's cookies, or about one connection or body")]
    NotForwarded(HeaderName),
    #[error(transparent)]
    Tokens(#[from] TokensError),
}

/// Everything a door alone answers: `/graphql` and what its operator needs.
pub async fn routes(config: &Config, options: &Options, stop: &CancellationToken) -> Result<Router, Error> {
    if let Some(name) = options.forward.iter().find(|name| NOT_FORWARDED.contains(name)) {
        return Err(Error::NotForwarded(name.clone()));
    }
    let sdl = std::fs::read_to_string(&options.supergraph)
        .map_err(|error| Error::Unreadable(options.supergraph.clone(), error))?;
    let settings = Settings {
        introspection: options.introspection,
        unauthorized: config.unauthorized.into(),
        override_labels: options.override_labels.clone(),
        ..Settings::default()
    };
    let engine = Arc::new(Engine::new(&sdl, subgraphs(&sdl, &options.subgraphs)?, settings)?);
    let clock = Clock::system();
    let tokens = match &options.tokens {
        Some(given) => Tokens::Foreign(ForeignTokens::open(given, clock.clone(), stop.clone()).await?),
        None => Tokens::NotJudged,
    };
    let door = Arc::new(Door {
        engine: engine.clone(),
        tokens,
        forward: options.forward.clone(),
        clock,
        limits: config.limits.clone(),
        subscriptions: Arc::default(),
        stop: stop.clone(),
    });
    Ok(pipeline::routes(door).merge(health::routes(Vec::new(), engine)))
}

fn subgraphs(
    sdl: &str,
    elsewhere: &BTreeMap<String, String>,
) -> Result<HashMap<String, Arc<dyn Subgraph>>, Error> {
    let locations = federation::subgraph_locations(sdl)?;
    if let Some(name) = elsewhere.keys().find(|name| locations.iter().all(|known| known.name != **name)) {
        return Err(Error::UnknownSubgraph(name.clone()));
    }
    let client = chassis::stream_client(SILENCE_MAX);
    let mut subgraphs: HashMap<String, Arc<dyn Subgraph>> = HashMap::new();
    for federation::SubgraphLocation { name, url } in locations {
        let url = elsewhere.get(&name).cloned().unwrap_or(url);
        if !url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(Error::Address { name, url });
        }
        subgraphs.insert(name, Arc::new(Http::new(client.clone(), url, forward())));
    }
    Ok(subgraphs)
}

/// What a subgraph learns of the request besides its own question: its id and the forwarded headers.
fn forward() -> Sign {
    Arc::new(|context: &RequestContext, _: &[u8]| {
        let mut headers: HeaderMap =
            context.extensions.get::<Forwarded>().map(|forwarded| forwarded.0.clone()).unwrap_or_default();
        let id = context.extensions.get::<RequestId>().map(|id| HeaderValue::try_from(id.to_string()));
        if let Some(Ok(id)) = id {
            headers.insert(REQUEST_ID, id);
        }
        headers
    })
}
