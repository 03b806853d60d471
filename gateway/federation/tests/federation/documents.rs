//! What is wrong with a document or its variables is said clearly and early.

use federation::{Grants, Limits, Settings};
use serde_json::{Value, json};

use super::world::World;

async fn code(world: &World, query: &str, variables: Value) -> String {
    let answer = world.ask_as(query, variables, &Grants::default()).await;
    assert_eq!(answer.get("data"), None, "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_kind_of_mistake_has_its_code() {
    let world = World::in_process();
    let parse =
        ["", "{", "{ me { name }", "}", "query", "{ me(: 1) }", "fragment F on User { id }", "{ a \u{0} }"];
    for query in parse {
        assert_eq!(code(&world, query, json!({})).await, "GRAPHQL_PARSE_FAILED", "{query}");
    }
    let validation = [
        "{ nothing }",
        "{ me }",
        "{ me { name { x } } }",
        "{ me { ...F } } fragment F on User { ...F }",
        "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
        "query($x: Int) { me { name } }",
        "{ product(upc: $x) { upc } }",
        "{ products(first: \"x\") { upc } }",
        "{ me { name @unknown } }",
        "query A { me { id } } query A { me { id } }",
        "{ me { x: id x: name } }",
        "subscription { a: made { upc } b: made { upc } }",
    ];
    for query in validation {
        assert_eq!(code(&world, query, json!({})).await, "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn each_kind_of_wrong_variable_is_refused() {
    let world = World::in_process();
    let query = "query($id: ID!, $n: Int, $f: Filter, $s: [String!]) {
        product(upc: $id) { upc } products(first: $n, filter: $f) { upc } }";
    let query = query.replace(", $s: [String!]", "");
    let wrong = [
        json!({}),
        json!({"id": null}),
        json!({"id": 1.5}),
        json!({"id": {}}),
        json!({"id": "p1", "n": "1"}),
        json!({"id": "p1", "n": 1.5}),
        json!({"id": "p1", "n": 2147483648_i64}),
        json!({"id": "p1", "n": true}),
        json!({"id": "p1", "f": 1}),
        json!({"id": "p1", "f": {}}),
        json!({"id": "p1", "f": {"order": null}}),
        json!({"id": "p1", "f": {"order": "SIDEWAYS"}}),
        json!({"id": "p1", "f": {"order": "UP", "unknown": 1}}),
        json!({"id": "p1", "f": {"order": "UP", "skip": null, "cheaperThan": "x"}}),
    ];
    for variables in wrong {
        assert_eq!(code(&world, &query, variables.clone()).await, "BAD_USER_INPUT", "{variables}");
    }
    let answer =
        world.ask_as(&query, json!({"id": "p1", "f": {"order": "SIDEWAYS"}}), &Grants::default()).await;
    assert_eq!(answer["errors"][0]["message"], "Variable \"$f.order\" is not one of the values of Order.");
    let right = json!({"id": "p1", "n": 1.0, "f": {"order": "UP"}, "unused": [1]});
    let answer = world.ask_as(&query, right, &Grants::default()).await;
    assert_eq!(answer["data"]["product"]["upc"], "p1", "{answer}");
}

#[tokio::test]
async fn the_operation_is_chosen_by_name() {
    let world = World::in_process();
    let document = world.engine.document("query A { me { id } } query B { latest { id } }").unwrap();
    let prepare = |name| world.engine.prepare(&document, name, Default::default(), &Grants::default());
    let prepared = prepare(Some("B")).unwrap();
    assert_eq!(prepared.operation_name(), Some("B"));
    assert_eq!(prepared.root_fields().collect::<Vec<_>>(), ["latest"]);
    for name in [None, Some("C"), Some("")] {
        assert_eq!(prepare(name).err().unwrap()[0].code, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn fragments_that_multiply_are_stopped_before_they_are_spread() {
    let world = World::in_process();
    let mut query = "{ me { ...F0 } }".to_owned();
    for n in 0..40 {
        query += &format!(" fragment F{n} on User {{ ...F{} ...F{} }}", n + 1, n + 1);
    }
    query += " fragment F40 on User { id }";
    assert_eq!(code(&world, &query, json!({})).await, "GRAPHQL_VALIDATION_FAILED");
    let deep = "{ me { reviews { author { reviews { author { id } } } } } }";
    let settings = Settings { limits: Limits { depth_max: 5, ..Limits::default() }, ..Settings::default() };
    let shallow = World::in_process_with(settings, None);
    assert_eq!(code(&shallow, deep, json!({})).await, "GRAPHQL_PARSE_FAILED");
    assert_eq!(
        world.ask(deep).await["data"]["me"]["reviews"][0]["author"]["reviews"][0]["author"]["id"],
        "1"
    );
}

#[tokio::test]
async fn too_many_root_fields_are_refused() {
    let world = World::in_process();
    let fields: String = (0..21).map(|n| format!("a{n}: latest {{ id }} ")).collect();
    assert_eq!(code(&world, &format!("{{ {fields} }}"), json!({})).await, "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn literals_beyond_their_type_are_refused_without_a_panic() {
    let world = World::in_process();
    for literal in ["99999999999999999999", "9999999999", "-9999999999", "1e999"] {
        let answer = world.ask(&format!("{{ products(first: {literal}) {{ upc }} }}")).await;
        assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{literal} {answer}");
    }
}
