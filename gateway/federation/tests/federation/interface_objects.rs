//! A subgraph may know an interface as one object: names are translated on the way in and kept on the way back.

use federation::{Answer, Grants};
use serde_json::{Value, json};

use super::played::{self, data};

const PETS: &str = include_str!("../fixtures/pets.graphql");

fn animal(id: &Value) -> Value {
    match id.as_str() {
        Some("c1") => json!({"__typename": "Cat", "id": "c1", "name": "Nuan", "lives": 9}),
        Some("d1") => json!({"__typename": "Dog", "id": "d1", "name": "Dam", "tricks": ["sit"]}),
        _ => Value::Null,
    }
}

fn animals(_: &str, representations: &[Value]) -> Answer {
    match representations {
        [] => data(json!({"animals": [animal(&json!("c1")), animal(&json!("d1")), null]})),
        all => data(json!({"_entities": all.iter().map(|it| animal(&it["id"])).collect::<Vec<_>>()})),
    }
}

fn tags(_: &str, representations: &[Value]) -> Answer {
    let tagged = |id: &Value| json!({"__typename": "Animal", "id": id, "tag": format!("tag of {}", id.as_str().unwrap())});
    match representations {
        [] => data(json!({"tagged": [tagged(&json!("d1")), tagged(&json!("gone"))]})),
        all => {
            assert!(
                all.iter().all(|it| it["__typename"] == "Animal"),
                "the interface's name is all it knows: {all:?}"
            );
            data(json!({"_entities": all.iter().map(|it| tagged(&it["id"])).collect::<Vec<_>>()}))
        }
    }
}

async fn ask(query: &str) -> (Value, Vec<String>) {
    played::ask(PETS, &[("animals", animals), ("tags", tags)], query, &Grants::default()).await
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

#[tokio::test]
async fn an_object_of_unknown_type_does_not_show_what_one_of_its_types_hides() {
    // Only of cats the tag is hidden, and nobody knows whether the second is one.
    let (before, cat) = PETS.split_once("type Cat").unwrap();
    let hidden = format!(
        "{before}type Cat{}",
        cat.replacen("tag: String @join__field", "tag: String @join__field @authenticated", 1)
    );
    let (answer, asked) = played::ask(
        &hidden,
        &[("animals", animals), ("tags", tags)],
        "{ tagged { id tag } }",
        &Grants::default(),
    )
    .await;
    assert_eq!(
        answer["data"]["tagged"],
        json!([{"id": "d1", "tag": "tag of d1"}, {"id": "gone", "tag": null}]),
        "{asked:?}"
    );
}
