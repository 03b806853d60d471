//! Traces: what one request did in several processes, in the hands of a collector.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::routing::post;
use chassis::telemetry::Traces;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use pratu::Config;
use prost::Message;
use serde_json::json;
use tokio::net::TcpListener;

use super::processes::has_redis;
use crate::filing::{parties, submitted_food_premises};
use crate::installation::{Installation, eventually};
use crate::person::Person;
use crate::privacy::forms::Personal;

/// What an OpenTelemetry collector gets from all processes.
struct Collector {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<Bytes>>>,
}

/// One span, as far as it matters here.
#[derive(Clone, Debug)]
struct Span {
    process: String,
    name: String,
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    attributes: BTreeMap<String, String>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let bodies = Arc::<Mutex<Vec<Bytes>>>::default();
        let kept = Arc::clone(&bodies);
        let take = move |body: Bytes| {
            kept.lock().unwrap().push(body);
            std::future::ready(())
        };
        let routes = axum::Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, bodies }
    }

    fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap().clone();
        let sent =
            bodies.iter().map(|body| ExportTraceServiceRequest::decode(&body[..]).expect("it is OTLP"));
        let resources = sent.flat_map(|sent| sent.resource_spans);
        let spans = resources.flat_map(|one| {
            let resource = attributes(&one.resource.expect("spans come from somewhere").attributes);
            let process = resource["service.name"].clone();
            one.scope_spans.into_iter().flat_map(|scope| scope.spans).map(move |span| Span {
                process: process.clone(),
                name: span.name,
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
                attributes: attributes(&span.attributes),
            })
        });
        spans.collect()
    }
}

fn attributes(given: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |one: &KeyValue| match one.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some((one.key.clone(), text.clone())),
        _ => None,
    };
    given.iter().filter_map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_trace_through_gateway_subgraph_sql_and_redis_and_tells_nothing_personal() {
    let collector = Collector::start().await;
    let endpoint = format!("http://{}/v1/traces", collector.address);
    let traces = Traces { endpoint, share: 1.0, ..Traces::default() };
    let Some(place) = Installation::start_split(Config { traces, ..Config::default() }, 1).await else {
        return;
    };
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    submitted_food_premises(&place, &somchai, &me).await;
    somchai.ask("MyApplications", json!({})).await;

    let find = |spans: &[Span], process: &str, name: &str, trace: &[u8]| {
        let is = |span: &&Span| span.process == process && span.name == name && span.trace == trace;
        spans.iter().find(is).cloned()
    };
    // They are sent in batches, by each process when it comes to it.
    let (request, fetch, subgraph, sql, spans) = eventually("the spans of all processes", async || {
        let spans = collector.spans();
        let asked =
            |span: &&Span| span.attributes.get("operation").is_some_and(|name| name == "MyApplications");
        let request = spans.iter().find(asked)?.clone();
        let fetch = find(&spans, "pratu-gateway", "fetch", &request.trace)?;
        let subgraph = find(&spans, "pratu-applications", "subgraph", &request.trace)?;
        let sql = find(&spans, "pratu-applications", "select application", &request.trace)?;
        Some((request, fetch, subgraph, sql, spans))
    })
    .await;
    assert_eq!((request.process.as_str(), request.name.as_str()), ("pratu-gateway", "graphql"));
    assert_eq!(fetch.parent, request.id);
    assert_eq!(subgraph.parent, fetch.id, "over HTTP");
    assert_eq!(sql.attributes["db.namespace"], "applications");
    if has_redis() {
        // The signature is taken once, by whichever process.
        let taken = |span: &Span| span.attributes.contains_key("db.operation.name");
        let here = |span: &&Span| span.trace == request.trace && span.process == "pratu-applications";
        assert!(spans.iter().filter(here).any(taken), "{spans:#?}");
    }
    let mutation = spans
        .iter()
        .find(|span| span.attributes.get("operation").is_some_and(|name| name == "SubmitApplication"));
    let mutation = &mutation.expect("every request is traced").trace;
    for (process, name) in [("pratu-applications", "commit"), ("pratu-applications", "insert outbox_message")]
    {
        assert!(find(&spans, process, name, mutation).is_some(), "{name}");
    }
    let personal = Personal::of_the_personas();
    for body in collector.bodies.lock().unwrap().iter() {
        personal.assert_not_in("a trace", body);
    }
}
