//! Subgraphs behind HTTP on the loopback interface, with connections that are kept.

use std::sync::Arc;

use async_graphql::Executor;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use federation::{Address, Connections, Http, HttpSettings, RequestContext};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::canned::Ask;

/// Serves a schema as a subgraph of its own process would be; the address comes back.
pub async fn serve_schema<E: Executor>(schema: E) -> String {
    serve(move |body| {
        let schema = schema.clone();
        async move {
            let request: async_graphql::Request = serde_json::from_slice(&body).unwrap();
            Bytes::from(serde_json::to_vec(&schema.execute(request).await).unwrap())
        }
    })
    .await
}

pub async fn serve_canned(canned: Arc<dyn Ask>) -> String {
    serve(move |body| {
        let canned = canned.clone();
        async move { canned.ask(body.into()).await }
    })
    .await
}

async fn serve<F, R>(answer: F) -> String
where
    F: Fn(Bytes) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Bytes> + Send + 'static,
{
    let handler = move |body: Bytes| {
        let answer = answer(body);
        async move {
            let mut response = Response::new(Body::from(answer.await));
            let kind = HeaderValue::from_static("application/graphql-response+json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/", axum::routing::post(handler));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/")
}

/// The engine's way to a subgraph that is served.
pub fn http(connections: &Connections, url: &str) -> Http {
    let address = Address { url: url.parse().unwrap(), ready: None };
    let sign = Arc::new(|_: &RequestContext, _: &[u8]| Default::default());
    Http::new("served", connections.clone(), vec![address], sign, HttpSettings::default())
}

pub fn connections() -> Connections {
    Connections::new(HeaderValue::from_static("bench"))
}

#[allow(clippy::disallowed_methods, reason = "the engine bounds how long a subgraph may take")]
pub fn client() -> reqwest::Client {
    reqwest::Client::new()
}

/// The naive executor's.
pub struct Remote {
    pub client: reqwest::Client,
    pub url: String,
}

impl Ask for Remote {
    fn ask(&self, body: Vec<u8>) -> BoxFuture<'_, Bytes> {
        async move {
            let request = self.client.post(&self.url).header("content-type", "application/json").body(body);
            request.send().await.unwrap().bytes().await.unwrap()
        }
        .boxed()
    }
}
