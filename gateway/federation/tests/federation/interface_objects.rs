//! A subgraph may know an interface as one object: names are translated on the way in and kept on the way back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use federation::value::{Value as Tree, from_json, write_json};
use federation::{
    Answer, Engine, Grants, RequestContext, Settings, Subgraph, SubgraphError, SubgraphRequest,
};
use futures::stream::BoxStream;
use serde_json::{Value, json};

const PETS: &str = include_str!("../fixtures/pets.graphql");

/// Gives what its resolver makes of an operation and its representations.
struct Played {
    resolve: fn(&str, &[Value]) -> Value,
    asked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Subgraph for Played {
    async fn execute(&self, request: SubgraphRequest, _: &RequestContext) -> Result<Answer, SubgraphError> {
        let mut variables = Vec::new();
        write_json(&mut variables, &Tree::object(request.variables));
        let variables: Value = serde_json::from_slice(&variables).unwrap();
        self.asked.lock().unwrap().push(format!("{} {variables}", request.operation.text));
        let representations = variables["representations"].as_array().cloned().unwrap_or_default();
        let data = (self.resolve)(&request.operation.text, &representations);
        Ok(Answer { data: from_json(data), errors: Vec::new() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
        _: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        Err(SubgraphError::Timeout)
    }
}

fn animal(id: &Value) -> Value {
    match id.as_str() {
        Some("c1") => json!({"__typename": "Cat", "id": "c1", "name": "Nuan", "lives": 9}),
        Some("d1") => json!({"__typename": "Dog", "id": "d1", "name": "Dam", "tricks": ["sit"]}),
        _ => Value::Null,
    }
}

fn animals(_: &str, representations: &[Value]) -> Value {
    match representations {
        [] => json!({"animals": [animal(&json!("c1")), animal(&json!("d1")), null]}),
        all => json!({"_entities": all.iter().map(|it| animal(&it["id"])).collect::<Vec<_>>()}),
    }
}

fn tags(_: &str, representations: &[Value]) -> Value {
    let tagged = |id: &Value| json!({"__typename": "Animal", "id": id, "tag": format!("tag of {}", id.as_str().unwrap())});
    match representations {
        [] => json!({"tagged": [tagged(&json!("d1")), tagged(&json!("gone"))]}),
        all => {
            assert!(
                all.iter().all(|it| it["__typename"] == "Animal"),
                "the interface's name is all it knows: {all:?}"
            );
            json!({"_entities": all.iter().map(|it| tagged(&it["id"])).collect::<Vec<_>>()})
        }
    }
}

async fn ask(query: &str) -> (Value, Vec<String>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let played = |resolve| Arc::new(Played { resolve, asked: asked.clone() }) as Arc<dyn Subgraph>;
    let subgraphs =
        HashMap::from([("animals".to_owned(), played(animals)), ("tags".to_owned(), played(tags))]);
    let engine = Engine::new(PETS, subgraphs, Settings::default()).unwrap();
    let document = engine.document(query).unwrap();
    let prepared = engine.prepare(&document, None, Default::default(), &Grants::default()).unwrap();
    let answer = engine.execute(&prepared, &RequestContext::default()).await.to_value();
    let asked = asked.lock().unwrap().clone();
    (answer, asked)
}

#[tokio::test]
async fn an_object_of_an_interface_keeps_its_type_when_the_interface_answers() {
    let (answer, asked) =
        ask("{ animals { __typename tag ... on Cat { lives } ... on Dog { tricks } } }").await;
    assert_eq!(
        answer,
        json!({"data": {"animals": [
            {"__typename": "Cat", "tag": "tag of c1", "lives": 9},
            {"__typename": "Dog", "tag": "tag of d1", "tricks": ["sit"]},
            null,
        ]}}),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_object_known_as_its_interface_learns_its_type() {
    let (answer, asked) = ask("{ tagged { __typename id tag name ... on Dog { tricks } } }").await;
    assert_eq!(
        answer["data"]["tagged"][0],
        json!({"__typename": "Dog", "id": "d1", "tag": "tag of d1", "name": "Dam", "tricks": ["sit"]}),
        "{asked:?}"
    );
    // Nobody knows its type, yet what is known of it is told.
    assert_eq!(answer["data"]["tagged"][1]["tag"], "tag of gone");
    assert_eq!(answer["data"]["tagged"][1]["name"], Value::Null);
}

#[tokio::test]
async fn what_the_interface_knows_alone_needs_no_other_subgraph() {
    let (answer, asked) = ask("{ tagged { id tag } }").await;
    assert_eq!(answer["data"]["tagged"][1], json!({"id": "gone", "tag": "tag of gone"}));
    assert_eq!(asked.len(), 1, "{asked:?}");
}
