//! What is inaccessible, enums and inputs that differ by position, mutations, custom scalars and defaults.

use serde_json::json;

use super::{ask, data};
use crate::oracle::pair::Pair;
use crate::oracle::world::World;

#[tokio::test]
async fn an_object_and_an_enum_value_nobody_may_see_are_null() {
    let query = "{ rooms { keeper { name level contact { kind: __typename ... on Phone { number } } } } }";
    let (answer, _) = ask("office", query).await;
    assert_eq!(
        answer["data"]["rooms"][0]["keeper"],
        json!({"name": "Bob {}", "level": null, "contact": null})
    );
    assert_eq!(answer.get("errors"), None);
}

#[tokio::test]
async fn an_inaccessible_type_is_no_member_of_a_public_union() {
    let pair = Pair::new(&World::read("office"));
    let contact = pair.engine.public_schema().lines().find(|line| line.starts_with("union Contact")).unwrap();
    assert!(contact.contains("Phone") && contact.contains("Post") && !contact.contains("Pager"), "{contact}");
    let errors = pair.engine.document("{ people { contact { ... on Pager { beep } } } }");
    assert!(errors.is_err());
}

#[tokio::test]
async fn an_enum_that_is_only_answered_has_the_values_of_all_parts() {
    let answer = data("office", "{ rooms { keeper { boss { level rank } rank } } }").await;
    assert_eq!(
        answer["rooms"][0]["keeper"],
        json!({"boss": {"level": "SENIOR", "rank": "RETIRED"}, "rank": "SENIOR"})
    );
}

#[tokio::test]
async fn an_input_has_the_fields_that_all_parts_know() {
    let engine = Pair::new(&World::read("office")).engine;
    assert!(engine.document("{ rooms(near: {floor: 1, door: 3}) { id } }").is_err());
    assert!(engine.document("{ people(filter: {where: {floor: 1, unit: 2.5}}) { id } }").is_err());
    data("office", "{ rooms(near: {floor: 1}) { id } people(filter: {where: {floor: 1}}) { id } }").await;
}

#[tokio::test]
async fn mutations_happen_in_their_order_whichever_part_they_are_of() {
    let (_, asked) = ask(
        "office",
        "mutation { a: count book(room: 1) { room { rent } by { salary } } promote(id: 2) { desk { seats } }
            release(room: 3) { keeper { name } } b: count }",
    )
    .await;
    let mutations: Vec<_> = asked.iter().filter(|it| it.contains("mutation")).collect();
    assert!(mutations.len() >= 4, "{asked:#?}");
}

#[tokio::test]
async fn an_object_without_a_key_is_put_together_from_the_roots_that_have_it() {
    let (answer, asked) = ask("office", "{ house { street floors } }").await;
    assert_eq!(answer["data"]["house"], json!({"street": "Rama IV", "floors": 9}));
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn a_requirement_nobody_may_see_is_fetched_all_the_same() {
    let (answer, asked) = ask("office", "{ rooms { rent } }").await;
    let mut told: Vec<_> =
        answer["data"]["rooms"].as_array().unwrap().iter().map(ToString::to_string).collect();
    told.sort();
    assert_eq!(told, ["null", r#"{"rent":99.5}"#, r#"{"rent":null}"#], "{asked:?}");
}
