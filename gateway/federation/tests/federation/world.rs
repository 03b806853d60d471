//! Engines over the fixture, in process and over HTTP, with what the subgraphs were asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_graphql::Executor;
use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use federation::{
    Address, Answer, Connections, Engine, Grants, Http, HttpSettings, InProcess, RequestContext, Settings,
    Subgraph, SubgraphError, SubgraphRequest,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::{Map, Value, json};

use super::fixtures::SUPERGRAPH;
use super::subgraphs::{Caller, Log, accounts, products, reviews};

pub type Asked = Arc<Mutex<Vec<String>>>;

/// One engine and what can be seen of its subgraphs.
pub struct World {
    pub engine: Arc<Engine>,
    pub log: Log,
    pub asked: Asked,
}

/// Writes down what a subgraph is asked before it is.
struct Recorded {
    name: &'static str,
    inner: Arc<dyn Subgraph>,
    asked: Asked,
}

impl Recorded {
    fn note(&self, request: &SubgraphRequest) {
        let mut variables = Vec::new();
        federation::value::write_json(
            &mut variables,
            &federation::value::Value::object(request.variables.clone()),
        );
        let variables = String::from_utf8(variables).unwrap();
        self.asked.lock().unwrap().push(format!("{} {} {variables}", self.name, request.operation.text));
    }
}

#[async_trait]
impl Subgraph for Recorded {
    async fn execute(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<Answer, SubgraphError> {
        self.note(&request);
        self.inner.execute(request, context).await
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        self.note(&request);
        self.inner.subscribe(request, context).await
    }
}

pub type Replaced = Option<(&'static str, Arc<dyn Subgraph>)>;

impl World {
    pub fn in_process() -> Self {
        Self::in_process_with(Settings::default(), None)
    }

    /// With one subgraph replaced by another.
    pub fn in_process_with(settings: Settings, replaced: Replaced) -> Self {
        Self::in_process_under(SUPERGRAPH, settings, replaced)
    }

    pub fn in_process_under(supergraph: &str, settings: Settings, replaced: Replaced) -> Self {
        let log = Log::default();
        let given: Vec<(&'static str, Arc<dyn Subgraph>)> = vec![
            ("accounts", Arc::new(InProcess::new(accounts::schema(log.clone()), attach))),
            ("products", Arc::new(InProcess::new(products::schema(log.clone()), attach))),
            ("reviews", Arc::new(InProcess::new(reviews::schema(log.clone()), attach))),
        ];
        Self::over(supergraph, given, replaced, log, settings)
    }

    pub async fn http() -> Self {
        let log = Log::default();
        let given: Vec<(&'static str, Arc<dyn Subgraph>)> = vec![
            ("accounts", remote(serve(accounts::schema(log.clone()), Events::Sse).await)),
            ("products", remote(serve(products::schema(log.clone()), Events::Sse).await)),
            ("reviews", remote(serve(reviews::schema(log.clone()), Events::Sse).await)),
        ];
        Self::over(SUPERGRAPH, given, None, log, Settings::default())
    }

    fn over(
        supergraph: &str,
        given: Vec<(&'static str, Arc<dyn Subgraph>)>,
        mut replaced: Replaced,
        log: Log,
        settings: Settings,
    ) -> Self {
        let asked = Asked::default();
        let mut subgraphs: HashMap<String, Arc<dyn Subgraph>> = HashMap::new();
        for (name, inner) in given {
            let inner = match replaced.take_if(|(replaced, _)| *replaced == name) {
                Some((_, other)) => other,
                None => inner,
            };
            subgraphs.insert(name.to_owned(), Arc::new(Recorded { name, inner, asked: asked.clone() }));
        }
        let engine = Arc::new(Engine::new(supergraph, subgraphs, settings).unwrap());
        World { engine, log, asked }
    }

    pub async fn ask(&self, query: &str) -> Value {
        self.ask_as(query, json!({}), &Grants::default()).await
    }

    pub async fn ask_as(&self, query: &str, variables: Value, grants: &Grants) -> Value {
        let Value::Object(variables) = variables else { panic!("variables are an object") };
        match self.prepare(query, variables, grants) {
            Ok(prepared) => self.engine.execute(&prepared, &context()).await.to_value(),
            Err(errors) => federation::Response::from_errors(errors).to_value(),
        }
    }

    pub fn prepare(
        &self,
        query: &str,
        variables: Map<String, Value>,
        grants: &Grants,
    ) -> Result<federation::Prepared, Vec<federation::GraphQLError>> {
        self.engine.prepare(&self.engine.document(query)?, None, variables, grants)
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Asks both transports and gives the one answer they must agree on.
pub async fn both(query: &str) -> Value {
    both_as(query, json!({}), &Grants::default()).await
}

pub async fn both_as(query: &str, variables: Value, grants: &Grants) -> Value {
    let here = World::in_process();
    let there = World::http().await;
    let answer = here.ask_as(query, variables.clone(), grants).await;
    assert_eq!(answer, there.ask_as(query, variables, grants).await, "the transports disagree");
    assert_eq!(here.asked().len(), there.asked().len());
    answer
}

pub fn context() -> RequestContext {
    let mut context = RequestContext::default();
    context.extensions.insert(Caller("somchai".to_owned()));
    context
}

fn attach(request: async_graphql::Request, context: &RequestContext) -> async_graphql::Request {
    match context.extensions.get::<Caller>() {
        Some(caller) => request.data(caller.clone()),
        None => request,
    }
}

/// Signs with the caller's name and the body's length, which the server checks.
pub fn remote(url: String) -> Arc<dyn Subgraph> {
    let address = Address { url: url.parse().unwrap(), ready: None };
    Arc::new(Http::new("there", connections(), vec![address], Arc::new(sign), HttpSettings::default()))
}

pub fn connections() -> Connections {
    Connections::new(HeaderValue::from_static("test"))
}

fn sign(context: &RequestContext, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let caller = context.extensions.get::<Caller>().cloned().unwrap_or_default();
    headers.insert("x-caller", HeaderValue::from_str(&caller.0).unwrap());
    headers.insert("x-body-bytes", HeaderValue::from(body.len()));
    headers
}

/// How a served subgraph sends events.
#[derive(Clone, Copy, PartialEq)]
pub enum Events {
    Sse,
    Multipart,
}

pub async fn serve<E: Executor>(executor: E, events: Events) -> String {
    serve_with(move |headers: HeaderMap, body: bytes::Bytes| {
        let executor = executor.clone();
        async move {
            assert_eq!(headers["x-body-bytes"], body.len().to_string(), "signed another body");
            let mut request: async_graphql::Request = serde_json::from_slice(&body).unwrap();
            request = request.data(Caller(headers["x-caller"].to_str().unwrap().to_owned()));
            if !headers[header::ACCEPT].to_str().unwrap().starts_with("text/event-stream") {
                let answer = serde_json::to_vec(&executor.execute(request).await).unwrap();
                return typed("application/graphql-response+json", Body::from(answer));
            }
            let answers =
                executor.execute_stream(request, None).map(|it| serde_json::to_string(&it).unwrap());
            match events {
                Events::Sse => {
                    let text = answers.map(|event| format!(": still here\n\nevent: next\ndata: {event}\n\n"));
                    let end = futures::stream::once(async { "event: complete\n\n".to_owned() });
                    let text = text.chain(end).map(Ok::<_, std::io::Error>);
                    typed("text/event-stream", Body::from_stream(text))
                }
                Events::Multipart => {
                    let part =
                        |event| format!("\r\n--graphql\r\nContent-Type: application/json\r\n\r\n{event}");
                    let text = answers.map(move |event| part(format!("{{\"payload\":{event}}}")));
                    let text = futures::stream::once(async move { part("{}".to_owned()) }).chain(text);
                    let end = futures::stream::once(async { "\r\n--graphql--\r\n".to_owned() });
                    let text = text.chain(end).map(Ok::<_, std::io::Error>);
                    typed(
                        "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0",
                        Body::from_stream(text),
                    )
                }
            }
        }
    })
    .await
}

pub async fn serve_with<F, R>(handler: F) -> String
where
    F: Fn(HeaderMap, bytes::Bytes) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/", axum::routing::post(handler));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/")
}

pub fn typed(kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
