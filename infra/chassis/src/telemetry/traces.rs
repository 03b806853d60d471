//! Traces: what happened during a request, over all processes, for an OpenTelemetry collector.
//!
//! Spans of `tracing` are sent as OTLP over HTTP. A request's trace goes on in the next process by the
//! header `traceparent` (W3C Trace Context). Spans carry names of operations, subgraphs and tables, never
//! variables or values.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, Request, Response};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HeaderExtractor, HeaderInjector, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Tracer};
use serde::{Deserialize, Serialize};
use tracing::{Level, Metadata, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// How long the collector may take for a batch. What it does not take is lost, and nobody waits for it.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// What traces show of our own crates besides what logs do: steps within a request.
const STEPS: [&str; 3] = ["federation", "database", "cache"];

/// Whether spans are sent from here: otherwise nothing is done for them.
static EXPORTS: AtomicBool = AtomicBool::new(false);

/// Where traces go, and of how many requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// Where the collector takes OTLP over HTTP: `http://127.0.0.1:4318/v1/traces`. Empty: nowhere.
    pub endpoint: String,
    /// The share of requests that are traced, from 0.0 to 1.0; all processes trace the same ones.
    pub share: f64,
    /// What this process is called there; when empty, after its roles: `pratu`, `pratu-payments`.
    pub service_name: String,
    /// Goes on with the trace that a client's `traceparent` names. Only behind a proxy that sets it: a
    /// stranger could have every request traced.
    pub continue_clients: bool,
}

impl Default for Traces {
    fn default() -> Self {
        Self { endpoint: String::new(), share: 0.01, service_name: String::new(), continue_clients: false }
    }
}

/// Sends spans until it is closed. Without an endpoint it does nothing.
#[derive(Default)]
pub struct Exporting(Option<SdkTracerProvider>);

impl Exporting {
    /// Begins to send; must be called within the runtime, which carries the calls to the collector.
    pub(super) fn begin(traces: &Traces) -> Self {
        if traces.endpoint.is_empty() {
            return Self::default();
        }
        let client =
            Client { client: crate::http_client(EXPORT_TIMEOUT), runtime: tokio::runtime::Handle::current() };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(&traces.endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build();
        let exporter = match exporter {
            Ok(exporter) => exporter,
            Err(error) => {
                eprintln!("traces are not sent: {error}");
                return Self::default();
            }
        };
        let resource = Resource::builder().with_service_name(traces.service_name.clone()).build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(traces.share)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        EXPORTS.store(true, Ordering::Relaxed);
        Self(Some(provider))
    }

    pub(super) fn tracer(&self) -> Option<Tracer> {
        self.0.as_ref().map(|provider| provider.tracer("pratu"))
    }

    /// Sends what waits, and ends.
    pub async fn close(self) {
        let Some(provider) = self.0 else { return };
        // It waits for its own thread.
        let closed =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(EXPORT_TIMEOUT)).await;
        if let Ok(Err(error)) = closed {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Spans, and no log lines: whoever needs those finds them by the request's id.
pub(super) fn is_traced(of: &Metadata<'_>) -> bool {
    let is_step = || STEPS.contains(&of.target().split("::").next().unwrap_or_default());
    of.is_span() && (*of.level() <= Level::INFO || (*of.level() <= Level::DEBUG && is_step()))
}

/// Lets `span` go on with the trace that the caller's headers name. Only for callers of ours.
pub fn continue_from(headers: &HeaderMap, span: &Span) {
    if !EXPORTS.load(Ordering::Relaxed) {
        return;
    }
    let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    // Fails where nothing is traced.
    let _ = span.set_parent(context);
}

/// Names the current trace to the process that is asked next.
pub fn pass_on(headers: &mut HeaderMap) {
    if !EXPORTS.load(Ordering::Relaxed) {
        return;
    }
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeaderInjector(headers));
}

/// Sends from the exporter's own thread, over the process's runtime.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = async move {
            let response = client.execute(request.try_into()?).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut answer = Response::new(response.bytes().await?);
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            Ok(answer)
        };
        self.runtime.spawn(sent).await?
    }
}
