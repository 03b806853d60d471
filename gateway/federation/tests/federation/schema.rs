//! Clients can ask for the public schema, and for nothing more.

use std::collections::HashMap;

use federation::{Engine, Grants, Settings, SupergraphError};
use serde_json::json;

use super::fixtures::SUPERGRAPH;
use super::world::{World, both};

#[tokio::test]
async fn introspection_is_answered_without_any_subgraph() {
    let world = World::in_process();
    let query = "query($name: String!) {
        __typename
        __schema { queryType { name } mutationType { name } subscriptionType { name } }
        __type(name: $name) { kind name fields { name isDeprecated } all: fields(includeDeprecated: true) {
            name isDeprecated deprecationReason args { name defaultValue type { name } }
            type { kind ofType { kind name } } } }
        order: __type(name: \"Order\") { __typename kind enumValues { name } }
        media: __type(name: \"Media\") { possibleTypes { name } interfaces { name } }
        none: __type(name: \"None\") { name }
    }";
    let answer = world.ask_as(query, json!({"name": "User"}), &Grants::default()).await;
    let data = &answer["data"];
    assert_eq!(answer.get("errors"), None);
    assert_eq!(data["__typename"], "Query");
    assert_eq!(data["__schema"]["subscriptionType"]["name"], "Subscription");
    let names = |list: &str| -> Vec<_> {
        data["__type"][list]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(
        names("all").contains(&"nickname".to_owned()) && !names("fields").contains(&"nickname".to_owned())
    );
    let nickname =
        data["__type"]["all"].as_array().unwrap().iter().find(|it| it["name"] == "nickname").unwrap();
    assert_eq!(
        *nickname,
        json!({
            "name": "nickname", "isDeprecated": true, "deprecationReason": "People have names.",
            "args": [{"name": "title", "defaultValue": "\"Dr. \"", "type": {"name": null}}],
            "type": {"kind": "SCALAR", "ofType": null},
        })
    );
    assert_eq!(
        data["order"],
        json!({"__typename": "__Type", "kind": "ENUM", "enumValues": [{"name": "UP"}, {"name": "DOWN"}]})
    );
    assert_eq!(
        data["media"],
        json!({"possibleTypes": [{"name": "Book"}, {"name": "Film"}], "interfaces": []})
    );
    assert_eq!(data["none"], json!(null));
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn introspection_and_data_are_answered_together() {
    let answer = World::in_process()
        .ask("{ me { __typename id } a: __typename __schema { queryType { fields { name } } } }")
        .await;
    assert_eq!(answer["data"]["me"], json!({"__typename": "User", "id": "1"}));
    assert_eq!(answer["data"]["a"], "Query");
    let fields = answer["data"]["__schema"]["queryType"]["fields"].as_array().unwrap();
    assert!(fields.iter().all(|field| !field["name"].as_str().unwrap().starts_with('_')), "{fields:?}");
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let world = World::in_process_with(Settings { introspection: false, ..Settings::default() }, None);
    for query in [
        "{ __schema { queryType { name } } }",
        "{ ...F } fragment F on Query { t: __type(name: \"User\") { name } }",
    ] {
        assert_eq!(world.ask(query).await["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    }
    assert_eq!(world.ask("{ __typename me { __typename } }").await["data"]["me"]["__typename"], "User");
}

#[test]
fn the_public_schema_has_nothing_of_the_federation() {
    let world = World::in_process();
    let sdl = world.engine.public_schema();
    assert!(sdl.contains("type User") && sdl.contains("interface Media"), "{sdl}");
    for inside in ["join__", "_Any", "_entities", "link__", "@authenticated", "__schema", "__Type"] {
        assert!(!sdl.contains(inside), "{inside} in {sdl}");
    }
}

#[test]
fn a_supergraph_that_cannot_be_served_is_an_error_and_no_panic() {
    let engine = |sdl: &str| Engine::new(sdl, HashMap::new(), Settings::default()).err();
    assert!(matches!(engine("type {"), Some(SupergraphError::Syntax(_))));
    assert!(matches!(engine("type A { b: Int }"), Some(SupergraphError::NoQueryType)));
    assert!(matches!(engine(SUPERGRAPH), Some(SupergraphError::MissingSubgraph(_))));
}

#[tokio::test]
async fn inaccessible_parts_serve_the_subgraphs_and_never_the_client() {
    let answer = both("{ product(upc: \"p1\") { label code: name } users { standing } }").await;
    assert_eq!(
        answer,
        json!({"data": {
            "product": {"label": "label of code 1", "code": "Product 1"},
            "users": [{"standing": "GOOD"}, {"standing": "GOOD"}, {"standing": null}],
        }})
    );
    let answer = both("{ product(upc: \"p1\") { code } }").await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    let answer = both("{ __type(name: \"Standing\") { enumValues { name } } }").await;
    assert_eq!(answer["data"]["__type"]["enumValues"], json!([{"name": "GOOD"}]));
}
