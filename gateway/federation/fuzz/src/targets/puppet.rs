//! Engines over the fixtures whose subgraphs answer what the run at hand decides.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;
use federation::value::{Value as Tree, write_json};
use federation::{
    Answer, Engine, Limits, RequestContext, Response, Settings, Subgraph, SubgraphError, SubgraphRequest,
    subgraph_locations,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::Value;

use super::model::Model;
use super::nonsense::Nonsense;

/// One supergraph, its engine, and its schemas as the fuzzer reads them.
pub struct Fixture {
    pub engine: Arc<Engine>,
    /// With all that subgraphs speak of.
    pub whole: Model,
    /// What clients see.
    pub public: Model,
    /// Made to be hard to plan over.
    pub rich: bool,
}

/// Where the one stands that takes inputs of every kind.
pub const FORMS: usize = 3;

pub static FIXTURES: LazyLock<[Fixture; 10]> = LazyLock::new(|| {
    [
        Fixture::new(include_str!("../../../tests/fixtures/supergraph.graphql")),
        Fixture::new(include_str!("../../../tests/fixtures/library.graphql")),
        Fixture::new(include_str!("../../../tests/fixtures/pets.graphql")),
        Fixture::new(include_str!("forms.graphql")),
        Fixture::rich(include_str!("../../../tests/fixtures/worlds/board/supergraph.graphql")),
        Fixture::rich(include_str!("../../../tests/fixtures/worlds/gallery/supergraph.graphql")),
        Fixture::rich(include_str!("../../../tests/fixtures/worlds/harbour/supergraph.graphql")),
        Fixture::rich(include_str!("../../../tests/fixtures/worlds/kitchen/supergraph.graphql")),
        Fixture::rich(include_str!("../../../tests/fixtures/worlds/media/supergraph.graphql")),
        Fixture::rich(include_str!("../../../tests/fixtures/worlds/office/supergraph.graphql")),
    ]
});

impl Fixture {
    fn new(supergraph: &str) -> Self {
        let puppet: Arc<dyn Subgraph> = Arc::new(Puppet);
        let locations = subgraph_locations(supergraph).expect("the fixture is valid");
        let subgraphs = locations.into_iter().map(|it| (it.name, puppet.clone())).collect();
        Self::over(supergraph, subgraphs)
    }

    fn rich(supergraph: &str) -> Self {
        Fixture { rich: true, ..Self::new(supergraph) }
    }

    pub fn over(supergraph: &str, subgraphs: HashMap<String, Arc<dyn Subgraph>>) -> Self {
        // Caches that remember every input would look like a leak.
        let settings = Settings {
            limits: Limits { fields_max: 500, ..Limits::default() },
            plans_max: 50,
            documents_max: 50,
            subgraph_timeout_ms: 60_000,
            ..Settings::default()
        };
        let engine = Engine::new(supergraph, subgraphs, settings).expect("the fixture can be served");
        let public = Model::new(engine.public_schema());
        Fixture { engine: Arc::new(engine), whole: Model::new(supergraph), public, rich: false }
    }
}

/// What the subgraphs answer in one run, in the order they are asked.
#[derive(Clone)]
pub struct Script(Arc<Mutex<Nonsense>>);

impl Script {
    pub fn new(nonsense: Nonsense) -> Self {
        Script(Arc::new(Mutex::new(nonsense)))
    }

    pub fn context(self) -> RequestContext {
        let mut context = RequestContext::default();
        context.extensions.insert(self);
        context
    }
}

struct Puppet;

/// Events of one subscription.
const EVENTS: usize = 2;

#[async_trait]
impl Subgraph for Puppet {
    async fn execute(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<Answer, SubgraphError> {
        judge(&request);
        answer(&request, context)
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        judge(&request);
        let answers: Vec<_> = (0..EVENTS).map(|_| answer(&request, context)).collect();
        Ok(futures::stream::iter(answers).boxed())
    }
}

fn answer(request: &SubgraphRequest, context: &RequestContext) -> Result<Answer, SubgraphError> {
    let Script(nonsense) = context.extensions.get::<Script>().expect("every run has a script");
    nonsense.lock().unwrap_or_else(PoisonError::into_inner).answer(request)
}

/// Whatever the client asked, a subgraph is sent GraphQL and JSON.
fn judge(request: &SubgraphRequest) {
    let text = &request.operation.text;
    // A parser of subgraphs: the engine's own refuses large whole numbers.
    let operation = async_graphql::parser::parse_query(text);
    assert!(operation.is_ok(), "not GraphQL: {text}");
    let mut variables = Vec::new();
    write_json(&mut variables, &Tree::object(request.variables.clone()));
    let variables = serde_json::from_slice::<Value>(&variables);
    let variables = variables.unwrap_or_else(|error| panic!("variables are not JSON: {error} of {text}"));
    for name in &request.operation.variables {
        let used = text.contains(&format!("${name}"));
        assert!(used, "{name} is said to be used in {text} with {variables}");
    }
}

/// All answers to a document that is ready: one, or one for each event.
pub fn answers(fixture: &Fixture, prepared: federation::Prepared, context: RequestContext) -> Vec<Response> {
    runtime().block_on(async {
        if prepared.kind() != federation::OperationKind::Subscription {
            return vec![fixture.engine.execute(&prepared, &context).await];
        }
        match fixture.engine.subscribe(prepared, context).await {
            Ok(events) => events.collect().await,
            Err(errors) => vec![Response::from_errors(errors)],
        }
    })
}

pub fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
    });
    &RUNTIME
}
