//! The subgraphs as this process reaches them, in process or over HTTP, and serves them to others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use auth::{PRINCIPAL_HEADER, Principal, PrincipalSigner};
use axum::Router;
use axum::http::{HeaderMap, HeaderValue};
use chassis::subgraph_door;
use clock::Clock;
use federation::{Http, InProcess, RequestContext, Sign, Subgraph};
use tokio_util::sync::CancellationToken;

use crate::Config;

/// Silence of a subgraph after which it counts as gone: three of its signs of life.
const SILENCE_MAX: Duration = Duration::from_secs(3 * subgraph_door::KEEP_ALIVE.as_secs());

/// Collects the subgraphs, each by the way the configuration says.
pub struct Subgraphs<'a> {
    config: &'a Config,
    signer: Option<PrincipalSigner>,
    clock: Clock,
    stop: CancellationToken,
    /// What the engine asks, by name.
    pub transports: HashMap<String, Arc<dyn Subgraph>>,
    /// What other gateways ask: `/subgraphs/<name>`, to signed requests only.
    pub doors: Router,
}

impl<'a> Subgraphs<'a> {
    pub fn new(config: &'a Config, clock: &Clock, stop: &CancellationToken) -> Self {
        let secret = config.subgraph_secret.as_ref();
        let signer = secret.map(|secret| PrincipalSigner::new(secret.reveal().as_bytes()));
        let (transports, doors) = (HashMap::new(), Router::new());
        Self { config, signer, clock: clock.clone(), stop: stop.clone(), transports, doors }
    }

    /// The subgraph `name`, whose schema this process has.
    pub fn with<E: Executor>(mut self, name: &'static str, schema: E) -> Self {
        if self.config.subgraph_doors {
            let (signer, clock, stop) = (self.signer(), self.clock.clone(), self.stop.clone());
            let door = subgraph_door::routes(schema.clone(), name, signer, clock, stop);
            self.doors = self.doors.nest(&format!("/subgraphs/{name}"), door);
        }
        let transport = match self.config.subgraphs.get(name) {
            Some(url) => remote(name, url, self.signer(), self.clock.clone()),
            None => in_process(schema),
        };
        self.transports.insert(name.to_owned(), transport);
        self
    }

    fn signer(&self) -> PrincipalSigner {
        self.signer.clone().expect("without a secret the configuration has a shortcoming")
    }
}

fn in_process<E: Executor>(schema: E) -> Arc<dyn Subgraph> {
    Arc::new(InProcess::new(schema, |request: async_graphql::Request, context: &RequestContext| {
        request.data(caller(context))
    }))
}

fn remote(name: &'static str, url: &str, signer: PrincipalSigner, clock: Clock) -> Arc<dyn Subgraph> {
    let sign: Sign = Arc::new(move |context, body| {
        let signed = signer.sign(&caller(context), name, body, clock.now(), clock.uuid());
        let value = signed.ok().and_then(|text| HeaderValue::try_from(text).ok());
        // Without it the subgraph refuses, and its part of the answer is unavailable.
        value.map(|value| HeaderMap::from_iter([(PRINCIPAL_NAME, sensitive(value))])).unwrap_or_default()
    });
    Arc::new(Http::new(chassis::stream_client(SILENCE_MAX), url, sign))
}

const PRINCIPAL_NAME: axum::http::HeaderName = axum::http::HeaderName::from_static(PRINCIPAL_HEADER);

/// A value that logs do not show.
fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

fn caller(context: &RequestContext) -> Principal {
    context.extensions.get::<Principal>().cloned().unwrap_or_default()
}
