//! The subgraphs as this process reaches them, in process or over HTTP, and serves them to others.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Executor;
use auth::{PRINCIPAL_HEADER, Principal, PrincipalSigner};
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cache::Seen;
use chassis::subgraph_door;
use chassis::telemetry::pass_on;
use clock::Clock;
use federation::{Address, Connections, Http, HttpSettings, InProcess, RequestContext, Sign, Subgraph};
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::config::Role;
use crate::pipeline::{REQUEST_ID, RequestId};

/// Silence of a subgraph after which it counts as gone: three of its signs of life.
const SILENCE_MAX_MS: u64 = 3 * subgraph_door::KEEP_ALIVE.as_secs() * 1_000;

/// Collects the subgraphs, each by the way the configuration says.
pub struct Subgraphs<'a> {
    config: &'a Config,
    signer: Option<PrincipalSigner>,
    clock: Clock,
    taken: Seen,
    stop: CancellationToken,
    connections: Connections,
    /// What the engine asks, by name.
    pub transports: HashMap<String, Arc<dyn Subgraph>>,
    /// What other gateways ask: `/subgraphs/<name>`, to signed requests only.
    pub doors: Router,
}

impl<'a> Subgraphs<'a> {
    pub fn new(config: &'a Config, clock: &Clock, taken: Seen, stop: &CancellationToken) -> Self {
        let secret = config.subgraph_secret.as_ref();
        let signer = secret.map(|secret| PrincipalSigner::new(secret.reveal().as_bytes()));
        let (transports, doors) = (HashMap::new(), Router::new());
        let connections = connections();
        let (clock, stop) = (clock.clone(), stop.clone());
        Self { config, signer, clock, taken, stop, connections, transports, doors }
    }

    /// The subgraph `name`, whose schema this process has.
    pub fn with<E: Executor>(mut self, name: &'static str, schema: E) -> Self {
        if self.config.has_doors() {
            let (signer, clock, stop) = (self.signer(), self.clock.clone(), self.stop.clone());
            let taken = self.taken.clone();
            let door = subgraph_door::routes(schema.clone(), name, signer, clock, taken, stop);
            self.doors = self.doors.nest(&format!("/subgraphs/{name}"), door);
        }
        if self.config.peers.contains_key(name) {
            return self.elsewhere(name);
        }
        self.transports.insert(name.to_owned(), in_process(schema));
        self
    }

    /// The subgraph `name`, whose role runs in other processes.
    pub fn elsewhere(mut self, name: &'static str) -> Self {
        if !self.config.runs(Role::Gateway) {
            // Nobody asks from here.
            return self;
        }
        let bases = self.config.peers.get(name).into_iter().flatten();
        let addresses = bases.filter_map(|base| address(base, name)).collect();
        let sign = signing(name, self.signer(), self.clock.clone());
        let settings = HttpSettings {
            deadline_header: Some(HeaderName::from_static(subgraph_door::DEADLINE_HEADER)),
            silence_max_ms: SILENCE_MAX_MS,
            ..HttpSettings::default()
        };
        let transport = Http::new(name, self.connections.clone(), addresses, sign, settings);
        self.transports.insert(name.to_owned(), Arc::new(transport));
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

/// Where one of our processes answers as the subgraph `name`; nowhere when the base is no address.
fn address(base: &str, name: &str) -> Option<Address> {
    let base = base.trim_end_matches('/');
    let url = format!("{base}/subgraphs/{name}").parse().ok()?;
    Some(Address { url, ready: Some(format!("{base}/readyz").parse().ok()?) })
}

/// Connections to subgraphs, ours or anybody's.
pub fn connections() -> Connections {
    Connections::new(HeaderValue::from_static(concat!("pratu/", env!("CARGO_PKG_VERSION"))))
}

/// The caller, signed for `name` and for one sending; and the request's id, for its logs.
fn signing(name: &'static str, signer: PrincipalSigner, clock: Clock) -> Sign {
    Arc::new(move |context, body| {
        let mut headers = HeaderMap::with_capacity(8);
        let signed = signer.sign(&caller(context), name, body, clock.now(), clock.uuid());
        // Without it the subgraph refuses, and its part of the answer is unavailable.
        if let Some(value) = signed.ok().and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(PRINCIPAL_NAME, sensitive(value));
        }
        if let Some(id) = request_id(context) {
            headers.insert(REQUEST_ID, id);
        }
        pass_on(&mut headers);
        headers
    })
}

/// What we call the request.
pub fn request_id(context: &RequestContext) -> Option<HeaderValue> {
    let id = context.extensions.get::<RequestId>()?;
    HeaderValue::try_from(id.to_string()).ok()
}

const PRINCIPAL_NAME: HeaderName = HeaderName::from_static(PRINCIPAL_HEADER);

/// A value that logs do not show.
fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

fn caller(context: &RequestContext) -> Principal {
    context.extensions.get::<Principal>().cloned().unwrap_or_default()
}
