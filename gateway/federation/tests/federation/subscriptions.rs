//! Each event is completed by the other subgraphs, whatever carries it.

use std::sync::Arc;

use federation::{
    Grants, InProcess, OperationKind, RequestContext, Settings, Subgraph, SubgraphOperation, SubgraphRequest,
};
use futures::StreamExt;
use serde_json::{Map, Value, json};

use super::subgraphs::{Log, products};
use super::world::{Events, World, context, remote, serve, serve_with, typed};

const QUERY: &str = "subscription($n: Int) { made(count: $n) { upc shipping owner { name email } } }";

async fn events(world: &World, query: &str, variables: Value) -> Vec<Value> {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    let prepared = world.prepare(query, variables, &Grants::default()).unwrap();
    let events = world.engine.subscribe(prepared, context()).await.unwrap();
    events.map(|event| event.to_value()).collect().await
}

fn expected() -> Vec<Value> {
    let unauthorized = json!([{
        "message": "You may not see this part of the answer.",
        "path": ["made", "owner", "email"],
        "extensions": {"code": "UNAUTHORIZED_FIELD_OR_TYPE"},
    }]);
    let event = |upc: &str, shipping: &str, name: &str| {
        json!({
            "errors": unauthorized.clone(),
            "data": {"made": {"upc": upc, "shipping": shipping, "owner": {"name": name, "email": null}}},
        })
    };
    vec![event("p1", "10 for Some(1.5)", "User \"2\" ü"), event("p2", "20 for Some(3.0)", "User \"1\" ü")]
}

#[tokio::test]
async fn events_are_the_same_in_process_over_sse_and_over_multipart() {
    assert_eq!(events(&World::in_process(), QUERY, json!({"n": 2})).await, expected());
    assert_eq!(events(&World::http().await, QUERY, json!({"n": 2})).await, expected());
    let multipart = remote(serve(products::schema(Log::default()), Events::Multipart).await);
    let world = World::in_process_with(Settings::default(), Some(("products", multipart)));
    assert_eq!(events(&world, QUERY, json!({"n": 2})).await, expected());
}

#[tokio::test]
async fn a_subscription_that_cannot_be_opened_is_unavailable() {
    let dead = remote("http://127.0.0.1:1/".to_owned());
    let world = World::in_process_with(Settings::default(), Some(("products", dead)));
    let prepared = world.prepare(QUERY, Map::new(), &Grants::default()).unwrap();
    let errors = world.engine.subscribe(prepared, context()).await.err().unwrap();
    assert_eq!(errors[0].code, "UNAVAILABLE");
}

#[tokio::test]
async fn a_query_is_not_subscribed_to_and_a_subscription_not_executed() {
    let world = World::in_process();
    let query = world.prepare("{ me { id } }", Map::new(), &Grants::default()).unwrap();
    assert!(world.engine.subscribe(query, context()).await.is_err());
    let subscription = world.prepare(QUERY, Map::new(), &Grants::default()).unwrap();
    let answer = Arc::clone(&world.engine).execute(&subscription, &context()).await;
    assert_eq!(answer.errors[0].code, "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn a_subscription_is_opened_within_the_request_s_time() {
    let silent = serve_with(|_, _| async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        typed("text/event-stream", axum::body::Body::empty())
    });
    let world = World::in_process_with(Settings::default(), Some(("products", remote(silent.await))));
    let prepared = world.prepare(QUERY, Map::new(), &Grants::default()).unwrap();
    let mut context = context();
    let started = tokio::time::Instant::now();
    context.deadline = Some(started + std::time::Duration::from_millis(100));
    assert_eq!(world.engine.subscribe(prepared, context).await.err().unwrap()[0].code, "UNAVAILABLE");
    assert!(started.elapsed().as_secs() < 5);
}

struct Panics;

#[async_graphql::Subscription]
impl Panics {
    async fn made(&self) -> impl futures::Stream<Item = i32> {
        futures::stream::iter([1, 0]).map(|n| 1 / n)
    }
}

#[tokio::test]
async fn a_resolver_that_panics_ends_its_own_stream_only() {
    struct Query;
    #[async_graphql::Object]
    impl Query {
        async fn one(&self) -> i32 {
            1
        }
    }
    let schema = async_graphql::Schema::new(Query, async_graphql::EmptyMutation, Panics);
    let subgraph = InProcess::new(schema, |request, _: &RequestContext| request);
    let operation = SubgraphOperation {
        text: "subscription { made }".to_owned(),
        hash: 1,
        kind: OperationKind::Subscription,
        variables: Vec::new(),
    };
    let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    let request = SubgraphRequest { operation: Arc::new(operation), variables: Default::default(), limit };
    let events = subgraph.subscribe(request, &context()).await.unwrap();
    let events: Vec<_> = events.collect().await;
    assert_eq!(events.len(), 2);
    assert!(events[0].is_ok() && events[1].is_err());
}
