//! Connections to subgraphs: HTTP/1.1, plain or over TLS, kept open from one request to the next.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::Failure;

/// Subgraphs are near.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that is not used is closed by us, before the subgraph closes it just as it is used again.
const IDLE_MAX: Duration = Duration::from_secs(20);
const IDLE_PER_ADDRESS_MAX: usize = 512;

/// All that are open. Clones have them together.
#[derive(Clone)]
pub struct Connections {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    user_agent: HeaderValue,
}

impl Connections {
    /// `user_agent` is what we call ourselves.
    pub fn new(user_agent: HeaderValue) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_PER_ADDRESS_MAX)
            .build(connector);
        Connections { client, user_agent }
    }

    /// Sends a request, and waits for the head of its answer. It knows no timeout.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        // A client's own may be among the headers that are forwarded.
        request.headers_mut().entry(USER_AGENT).or_insert_with(|| self.user_agent.clone());
        self.client.request(request).await.map_err(|error| {
            if error.is_connect() {
                return Failure::Refused(told(&error));
            }
            let nonsense = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
            match nonsense.is_some_and(hyper::Error::is_parse) {
                true => Failure::Malformed(told(&error)),
                false => Failure::Broken(told(&error)),
            }
        })
    }
}

/// The error and what is behind it, on one line.
pub(super) fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        told = format!("{told}: {error}");
        source = error.source();
    }
    told
}
