//! Nobody is served another's answer; and each part of a key is there for a reason.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cache::Tags;
use clock::Clock;
use federation::value::{from_json, write_json};
use federation::{
    AnswerError, Engine, Grants, Prepared, RequestContext, Settings, Subgraph, SubgraphError, SubgraphRequest,
};
use futures::future::join_all;
use futures::stream::BoxStream;
use serde_json::{Map, Value, json};

use super::key::Parts;
use super::{Answers, Made, tag_of};
use crate::config::AnswerCache;

const SUPERGRAPH: &str = r#"
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY) { query: Query }
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @cacheControl(maxAge: Int, scope: String, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { FACTS @join__graph(name: "facts", url: "") }
type Query @join__type(graph: FACTS) {
  fact(n: Int): String @cacheControl(maxAge: 60, scope: PUBLIC)
  other: String @cacheControl(maxAge: 60, scope: PUBLIC)
  members: String @authenticated @cacheControl(maxAge: 60, scope: PUBLIC)
  broken: String @cacheControl(maxAge: 60, scope: PUBLIC)
  now: Int @cacheControl(maxAge: 0, scope: PUBLIC)
}
"#;

/// Facts that a version of the subgraph knows, and how often it was asked.
struct Facts {
    version: u32,
    asked: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl Subgraph for Facts {
    async fn execute(
        &self,
        request: SubgraphRequest,
        _: &RequestContext,
    ) -> Result<federation::Answer, SubgraphError> {
        let time = self.asked.fetch_add(1, Ordering::SeqCst);
        // Whoever asks meanwhile asks at the same time.
        tokio::task::yield_now().await;
        let mut variables = Vec::new();
        write_json(&mut variables, &federation::value::Value::object(request.variables));
        let variables = String::from_utf8_lossy(&variables);
        let mut data = Map::new();
        for name in ["fact", "other", "members", "broken"] {
            if request.operation.text.contains(name) {
                data.insert(name.to_owned(), json!(format!("{name} {} {variables}", self.version)));
            }
        }
        if request.operation.text.contains("now") {
            data.insert("now".to_owned(), json!(time));
        }
        let broken = data.contains_key("broken").then(|| AnswerError {
            message: "It is broken.".to_owned(),
            path: vec![federation::PathSegment::Key("broken".into())],
            extensions: Map::new(),
        });
        let errors = broken.into_iter().collect();
        Ok(federation::Answer { data: from_json(Value::Object(data)), errors })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
        _: &RequestContext,
    ) -> Result<BoxStream<'static, Result<federation::Answer, SubgraphError>>, SubgraphError> {
        Err(SubgraphError::Timeout)
    }
}

/// Two versions of one installation that share what they keep.
struct World {
    engines: [Arc<Engine>; 2],
    answers: Answers,
    asked: Arc<AtomicUsize>,
}

impl World {
    fn new() -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let engine = |version: u32| {
            let facts: Arc<dyn Subgraph> = Arc::new(Facts { version, asked: asked.clone() });
            let sdl = SUPERGRAPH.replace("n: Int", if version == 1 { "n: Int" } else { "n: Int, m: Int" });
            let parts = HashMap::from([("facts".to_owned(), facts)]);
            Arc::new(Engine::new(&sdl, parts, Settings::default()).unwrap())
        };
        let tags = Tags::new(None, Clock::system());
        let answers = Answers::new(AnswerCache::default(), tags, true, 5_000);
        Self { engines: [engine(1), engine(2)], answers, asked }
    }

    fn prepared(&self, version: usize, query: &str, variables: &Value, authenticated: bool) -> Prepared {
        let engine = &self.engines[version];
        let grants = Grants { authenticated, ..Grants::default() };
        let variables = variables.as_object().cloned().unwrap_or_default();
        engine.prepare(&engine.document(query).unwrap(), None, variables, &grants).unwrap()
    }

    async fn kept(&self, prepared: &Prepared) -> Vec<u8> {
        let made = prepared.clone();
        let make = move || async move { made.engine().execute(&made, &RequestContext::default()).await };
        match self.answers.of(prepared, make).await {
            Made::Kept(found) => found.value.plain.to_vec(),
            Made::Passing(response) => response.to_json_bytes().to_vec(),
        }
    }

    /// Everything that can be asked, twice, in an order by chance: what was answered wrongly.
    async fn wrong(&self) -> Vec<String> {
        let documents = [
            (
                "query($n: Int) { fact(n: $n) }",
                vec![json!({}), json!({"n": null}), json!({"n": 1}), json!({"n": 2})],
            ),
            ("{ other }", vec![json!({})]),
            ("{ other members }", vec![json!({})]),
            ("{ fact(n: 1) }", vec![json!({})]),
            ("{ fact(n: 2) other }", vec![json!({})]),
        ];
        let mut all = Vec::new();
        for (query, given) in &documents {
            for variables in given {
                for (version, authenticated) in [(0, false), (0, true), (1, false), (1, true)] {
                    all.push((rand::random::<u64>(), version, *query, variables, authenticated));
                    all.push((rand::random::<u64>(), version, *query, variables, authenticated));
                }
            }
        }
        all.sort_by_key(|(chance, ..)| *chance);
        let mut wrong = Vec::new();
        for (_, version, query, variables, authenticated) in all {
            let prepared = self.prepared(version, query, variables, authenticated);
            let right = prepared.engine().execute(&prepared, &RequestContext::default()).await;
            if self.kept(&prepared).await != right.to_json_bytes() {
                wrong.push(format!("version {version} {query} {variables} {authenticated}"));
            }
        }
        wrong
    }
}

#[tokio::test]
async fn everyone_is_served_what_they_would_be_told_without_a_cache() {
    let world = World::new();
    assert_eq!(world.wrong().await, Vec::<String>::new());
    let asked = world.asked.load(Ordering::SeqCst);
    world.kept(&world.prepared(0, "{ other }", &json!({}), false)).await;
    assert_eq!(world.asked.load(Ordering::SeqCst), asked, "it is kept");
}

#[tokio::test]
async fn a_key_without_any_one_of_its_parts_serves_somebody_a_wrong_answer() {
    for (part, key) in Parts::lacking() {
        let mut world = World::new();
        world.answers.key = key;
        assert!(!world.wrong().await.is_empty(), "{part} is in the key for nothing");
    }
}

#[tokio::test]
async fn those_who_ask_at_once_are_answered_by_one_execution_even_where_nothing_is_kept() {
    let world = World::new();
    let now = world.prepared(0, "{ now }", &json!({}), false);
    let answers = join_all((0..20).map(|_| world.kept(&now))).await;
    assert_eq!(world.asked.load(Ordering::SeqCst), 1);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_ne!(world.kept(&now).await, answers[0]);
}

#[tokio::test]
async fn an_answer_with_errors_is_not_kept() {
    let world = World::new();
    let broken = world.prepared(0, "{ broken other }", &json!({}), false);
    for time in 1..=3 {
        assert!(String::from_utf8(world.kept(&broken).await).unwrap().contains("It is broken."));
        assert_eq!(world.asked.load(Ordering::SeqCst), time);
    }
}

#[tokio::test]
async fn what_a_subgraph_changed_is_asked_for_again() {
    let world = World::new();
    let fact = world.prepared(0, "{ other }", &json!({}), false);
    world.kept(&fact).await;
    world.answers.tags().invalidate(&[tag_of("another")]).await;
    world.kept(&fact).await;
    assert_eq!(world.asked.load(Ordering::SeqCst), 1);
    world.answers.tags().invalidate(&[tag_of("facts")]).await;
    world.kept(&fact).await;
    assert_eq!(world.asked.load(Ordering::SeqCst), 2);
}
