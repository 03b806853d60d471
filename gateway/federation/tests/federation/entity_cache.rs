//! Entities that are the same for everyone are asked for once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use federation::value::{Value as Tree, from_json, write_json};
use federation::{
    Answer, AnswerError, Digest, Engine, EntityCache, Grants, Looked, PathSegment, RequestContext, Settings,
    Subgraph, SubgraphError, SubgraphRequest,
};
use futures::stream::BoxStream;
use serde_json::{Map, Value, json};

/// Whose application it is, is `mine`'s to say; the offerings are public facts.
const SUPERGRAPH: &str = r#"
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @cacheControl(maxAge: Int, scope: String, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { FACTS @join__graph(name: "facts", url: "") MINE @join__graph(name: "mine", url: "") }
type Query @join__type(graph: FACTS) @join__type(graph: MINE) { offerings: [Offering] @join__field(graph: MINE) }
type Offering @join__type(graph: FACTS, key: "id") @join__type(graph: MINE, key: "id", resolvable: false) @cacheControl(maxAge: 60, scope: PUBLIC) {
  id: ID!
  fee(in: String): String @join__field(graph: FACTS)
  applied: Int @join__field(graph: FACTS) @cacheControl(scope: PRIVATE)
}
"#;

/// Says of each entity what it was asked; 3 is broken, and there is no 4.
#[derive(Default)]
struct World {
    asked: Arc<Mutex<Vec<String>>>,
    offered: Arc<Mutex<Vec<u32>>>,
    dead: Arc<Mutex<bool>>,
}

struct Part {
    facts: bool,
    world: World,
}

impl World {
    fn share(&self) -> Self {
        Self { asked: self.asked.clone(), offered: self.offered.clone(), dead: self.dead.clone() }
    }
}

#[async_trait]
impl Subgraph for Part {
    async fn execute(&self, request: SubgraphRequest, _: &RequestContext) -> Result<Answer, SubgraphError> {
        if !self.facts {
            let offered = self.world.offered.lock().unwrap().clone();
            let offerings: Vec<_> =
                offered.iter().map(|id| json!({"__typename": "Offering", "id": id.to_string()})).collect();
            return Ok(Answer { data: from_json(json!({ "offerings": offerings })), errors: Vec::new() });
        }
        if *self.world.dead.lock().unwrap() {
            return Err(SubgraphError::Timeout);
        }
        let mut variables = Vec::new();
        write_json(&mut variables, &Tree::object(request.variables));
        let variables: Value = serde_json::from_slice(&variables).unwrap();
        let ids: Vec<String> = variables["representations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect();
        self.world.asked.lock().unwrap().push(ids.join(" "));
        let money = variables["money"].as_str().unwrap_or("THB");
        let entity = |id: &String| match id.as_str() {
            "3" => json!({"fee": null, "applied": 1}),
            "4" => Value::Null,
            id => json!({"fee": format!("{id} {money}"), "applied": 1}),
        };
        let entities: Vec<_> = ids.iter().map(entity).collect();
        let broken = ids.iter().position(|id| id == "3").map(|at| AnswerError {
            message: "It is broken.".to_owned(),
            path: vec![
                PathSegment::Key("_entities".into()),
                PathSegment::Index(at),
                PathSegment::Key("fee".into()),
            ],
            extensions: Map::new(),
        });
        Ok(Answer { data: from_json(json!({ "_entities": entities })), errors: broken.into_iter().collect() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
        _: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        Err(SubgraphError::Timeout)
    }
}

/// Keeps everything; what is stale is only good when nothing else is to be had.
#[derive(Clone, Default)]
struct Shelf {
    kept: Arc<Mutex<HashMap<Digest, Tree>>>,
    stale: Arc<Mutex<bool>>,
}

struct Look(Shelf, Vec<Digest>);

#[async_trait]
impl EntityCache for Shelf {
    async fn look(&self, keys: Vec<Digest>) -> Box<dyn Looked> {
        Box::new(Look(self.clone(), keys))
    }
}

impl Look {
    fn all(&self) -> Vec<Option<Tree>> {
        let kept = self.0.kept.lock().unwrap();
        self.1.iter().map(|key| kept.get(key).cloned()).collect()
    }
}

impl Looked for Look {
    fn found(&mut self) -> Vec<Option<Tree>> {
        if *self.0.stale.lock().unwrap() { vec![None; self.1.len()] } else { self.all() }
    }

    fn spare(&mut self) -> Vec<Option<Tree>> {
        self.all()
    }

    fn keep(self: Box<Self>, subgraph: &str, entities: Vec<(usize, Tree)>, max_age_s: u32) {
        assert_eq!((subgraph, max_age_s), ("facts", 60));
        let mut kept = self.0.kept.lock().unwrap();
        kept.extend(entities.into_iter().map(|(at, entity)| (self.1[at], entity)));
    }
}

fn engine(world: &World, shelf: &Shelf) -> Arc<Engine> {
    engine_of(SUPERGRAPH, world, shelf)
}

fn engine_of(supergraph: &str, world: &World, shelf: &Shelf) -> Arc<Engine> {
    let part = |facts: bool| Arc::new(Part { facts, world: world.share() }) as Arc<dyn Subgraph>;
    let parts = HashMap::from([("facts".to_owned(), part(true)), ("mine".to_owned(), part(false))]);
    let engine = Engine::new(supergraph, parts, Settings::default()).unwrap();
    Arc::new(engine.with_entity_cache(Some(Arc::new(shelf.clone()))))
}

/// The answer to a query where these are offered, and which entities were asked for it.
async fn ask(
    world: &World,
    engine: &Arc<Engine>,
    offered: &[u32],
    query: &str,
    money: &str,
) -> (Value, Vec<String>) {
    *world.offered.lock().unwrap() = offered.to_vec();
    let variables = Map::from_iter([("money".to_owned(), json!(money))]);
    let document = engine.document(query).unwrap();
    let prepared = engine.prepare(&document, None, variables, &Grants::default()).unwrap();
    let answer = engine.execute(&prepared, &RequestContext::default()).await.to_value();
    (answer, std::mem::take(&mut *world.asked.lock().unwrap()))
}

const FEES: &str = "{ offerings { fee } }";
const FEES_IN: &str = "query($money: String) { offerings { fee(in: $money) } }";

#[tokio::test]
async fn of_a_batch_only_what_is_not_kept_is_asked_for() {
    let (world, shelf) = (World::default(), Shelf::default());
    let engine = engine(&world, &shelf);
    let fees = |answer: &Value| answer["data"]["offerings"].to_string();
    assert_eq!(ask(&world, &engine, &[1, 2], FEES, "").await.1, ["1 2"]);
    let (answer, asked) = ask(&world, &engine, &[5, 2, 1, 6, 2], FEES, "").await;
    assert_eq!(asked, ["5 6"]);
    let expected = r#"[{"fee":"5 THB"},{"fee":"2 THB"},{"fee":"1 THB"},{"fee":"6 THB"},{"fee":"2 THB"}]"#;
    assert_eq!(fees(&answer), expected);
    assert!(ask(&world, &engine, &[6, 5], FEES, "").await.1.is_empty());
}

#[tokio::test]
async fn what_is_asked_otherwise_or_with_other_variables_is_another_thing() {
    let (world, shelf) = (World::default(), Shelf::default());
    let engine = engine(&world, &shelf);
    for money in ["THB", "USD", "THB"] {
        let (answer, _) = ask(&world, &engine, &[1], FEES_IN, money).await;
        assert_eq!(answer["data"]["offerings"][0]["fee"], format!("1 {money}"));
    }
    assert_eq!(ask(&world, &engine, &[1], FEES, "").await.1, ["1"]);
}

#[tokio::test]
async fn what_is_private_broken_or_absent_is_asked_for_each_time() {
    let (world, shelf) = (World::default(), Shelf::default());
    let engine = engine(&world, &shelf);
    for _ in 0..2 {
        assert_eq!(ask(&world, &engine, &[1], "{ offerings { applied } }", "").await.1, ["1"]);
        assert_eq!(ask(&world, &engine, &[4], FEES, "").await.1, ["4"]);
    }
    ask(&world, &engine, &[1], FEES, "").await;
    for _ in 0..2 {
        let (answer, asked) = ask(&world, &engine, &[1, 2, 3], FEES, "").await;
        assert_eq!(asked, ["2 3"], "none of an answer with errors is kept");
        assert_eq!(answer["errors"][0]["path"], json!(["offerings", 2, "fee"]), "{answer}");
        assert_eq!(answer["data"]["offerings"][0]["fee"], "1 THB");
    }
}

#[tokio::test]
async fn without_their_subgraph_entities_are_served_from_what_was_kept() {
    let (world, shelf) = (World::default(), Shelf::default());
    let engine = engine(&world, &shelf);
    ask(&world, &engine, &[1], FEES, "").await;
    (*shelf.stale.lock().unwrap(), *world.dead.lock().unwrap()) = (true, true);
    let (answer, _) = ask(&world, &engine, &[1], FEES, "").await;
    assert_eq!(answer, json!({"data": {"offerings": [{"fee": "1 THB"}]}}));
    let (answer, _) = ask(&world, &engine, &[1, 2], FEES, "").await;
    assert_eq!(answer["data"]["offerings"], json!([{"fee": "1 THB"}, {"fee": null}]));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
}

#[tokio::test]
async fn what_is_kept_as_a_whole_is_not_made_of_what_was_kept() {
    let (world, shelf) = (World::default(), Shelf::default());
    let private = "offerings: [Offering] @join__field(graph: MINE)";
    assert!(SUPERGRAPH.contains(private));
    let public = format!("{private} @cacheControl(maxAge: 60, scope: PUBLIC)");
    let engine = engine_of(&SUPERGRAPH.replace(private, &public), &world, &shelf);
    for _ in 0..2 {
        assert_eq!(ask(&world, &engine, &[1], FEES, "").await.1, ["1"]);
    }
}
