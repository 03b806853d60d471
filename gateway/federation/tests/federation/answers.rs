//! Answers are whole and in the client's shape, wherever their parts come from.

use federation::Grants;
use serde_json::json;

use super::world::{World, both, both_as};

#[tokio::test]
async fn an_entity_is_completed_by_another_subgraph() {
    let answer = both("{ me { name karma reviews { body author { name } } } }").await;
    assert_eq!(
        answer,
        json!({"data": {"me": {
            "name": "User \"1\" ü",
            "karma": 1,
            "reviews": [{"body": "Line 1\nwith \t tab", "author": {"name": "User \"1\" ü"}}],
        }}})
    );
}

#[tokio::test]
async fn required_fields_are_fetched_and_a_null_one_is_sent() {
    let answer = both("{ products { shipping } }").await;
    assert_eq!(
        answer["data"]["products"],
        json!([
            {"shipping": "10 for Some(1.5)"},
            {"shipping": "20 for Some(3.0)"},
            {"shipping": "30 for None"},
        ])
    );
}

#[tokio::test]
async fn an_entity_that_stands_in_many_places_is_asked_for_once() {
    let world = World::in_process();
    let answer = world.ask("{ matrix { id name } products(first: 6) { owner { name } } }").await;
    assert_eq!(answer["data"]["matrix"][2], json!([null, {"id": "1", "name": "User \"1\" ü"}]));
    assert_eq!(answer["data"]["matrix"][0][1]["name"], "User \"2\" ü");
    assert_eq!(answer["data"]["products"][5]["owner"]["name"], "User \"1\" ü");
    let asked: Vec<_> = world.asked().into_iter().filter(|asked| asked.starts_with("accounts")).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    // Once for each alias of the batch at most, and never once per place.
    let times = asked[0].matches(r#""id":"1""#).count();
    assert!((1..=2).contains(&times), "{asked:?}");
}

#[tokio::test]
async fn aliases_and_fragments_shape_the_answer() {
    let query = "
        query { a: products(first: 1) { ...Names } b: product(upc: \"p2\") { ...Names title: name upc } }
        fragment Names on Product { label: name name owner { id } ... { owner { who: name } } }";
    assert_eq!(
        both(query).await["data"],
        json!({
            "a": [{"label": "Product 1", "name": "Product 1", "owner": {"id": "2", "who": "User \"2\" ü"}}],
            "b": {"label": "Product 2", "name": "Product 2", "owner": {"id": "1", "who": "User \"1\" ü"},
                  "title": "Product 2", "upc": "p2"},
        })
    );
}

#[tokio::test]
async fn an_alias_may_be_called_like_a_key() {
    let answer =
        both("{ me { id: name upc: id __typename _x: karma } product(upc: \"p1\") { upc: name id: upc } }");
    assert_eq!(
        answer.await["data"],
        json!({
            "me": {"id": "User \"1\" ü", "upc": "1", "__typename": "User", "_x": 1},
            "product": {"upc": "Product 1", "id": "p1"},
        })
    );
}

#[tokio::test]
async fn an_alias_like_a_key_is_null_when_its_entity_is_missing() {
    // Nothing is known of the third user's karma; the key must not show in its place.
    let answer = both("{ users { upc: id id: karma } }").await;
    assert_eq!(
        answer["data"]["users"],
        json!([{"upc": "1", "id": 1}, {"upc": "2", "id": 2}, {"upc": "3", "id": null}])
    );
}

#[tokio::test]
async fn fragments_on_an_interface_apply_to_their_own_types() {
    let query =
        "{ shelf { __typename id ... on Book { pages praise key: id } ... on Film { minutes key: id } } }";
    assert_eq!(
        both(query).await["data"]["shelf"],
        json!([
            {"__typename": "Book", "id": "b1", "pages": 300, "praise": "Praise for b1", "key": "b1"},
            {"__typename": "Film", "id": "f1", "minutes": 90, "key": "f1"},
        ])
    );
}

#[tokio::test]
async fn union_members_are_told_apart() {
    let query = "{ search { __typename ... on Product { upc shipping } ... on Book { id praise } } }";
    assert_eq!(
        both(query).await["data"]["search"],
        json!([
            {"__typename": "Product", "upc": "p1", "shipping": "10 for Some(1.5)"},
            null,
            {"__typename": "Book", "id": "b1", "praise": "Praise for b1"},
        ])
    );
}

#[tokio::test]
async fn conditions_decide_what_is_asked() {
    let query = "query($yes: Boolean!, $no: Boolean = false) {
        me { id @skip(if: $yes) name @include(if: $yes) ... @include(if: $no) { karma } ... F @skip(if: $no) }
        gone: latest @include(if: $no) { id }
    } fragment F on User { role }";
    let world = World::in_process();
    let answer = world.ask_as(query, json!({"yes": true}), &Grants::default()).await;
    assert_eq!(answer, json!({"data": {"me": {"name": "User \"1\" ü", "role": "EDITOR"}}}));
    assert_eq!(world.asked().len(), 1, "{:?}", world.asked());
    let answer = world.ask_as(query, json!({"yes": false, "no": true}), &Grants::default()).await;
    assert_eq!(answer, json!({"data": {"me": {"id": "1", "karma": 1}, "gone": {"id": "latest"}}}));
}

#[tokio::test]
async fn a_fragment_that_is_switched_off_costs_no_request() {
    // The planner would ask for the entity and get an error.
    let query = "query($a: Boolean!, $b: Boolean!) {
        shelf { id ... on Book @include(if: $a) { praise pages @include(if: $b) } } }";
    let world = World::in_process();
    let answer = world.ask_as(query, json!({"a": false, "b": true}), &Grants::default()).await;
    assert_eq!(answer, json!({"data": {"shelf": [{"id": "b1"}, {"id": "f1"}]}}));
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn an_object_whose_selections_are_all_skipped_is_empty() {
    let query = "query($no: Boolean = false) { me { name @include(if: $no) } users { account @include(if: $no) { balance } } }";
    assert_eq!(both(query).await, json!({"data": {"me": {}, "users": [{}, {}, {}]}}));
}

#[tokio::test]
async fn mutations_happen_in_their_order_across_subgraphs() {
    let world = World::in_process();
    let query = "mutation { a: greet(name: \"1\") b: stock(name: \"2\") c: praise(name: \"3\") d: greet(name: \"4\") }";
    assert_eq!(world.ask(query).await, json!({"data": {"a": 1, "b": 2, "c": 3, "d": 4}}));
    assert_eq!(*world.log.lock().unwrap(), ["greet 1", "stock 2", "praise 3", "greet 4"]);
}

#[tokio::test]
async fn a_mutation_s_payload_is_completed_like_any_answer() {
    let answer = both("mutation { make(upc: \"p2\") { name shipping owner { name } } }").await;
    assert_eq!(
        answer["data"]["make"],
        json!({"name": "Product 2", "shipping": "20 for Some(3.0)", "owner": {"name": "User \"1\" ü"}})
    );
}

#[tokio::test]
async fn variables_reach_every_subgraph_that_uses_them() {
    let query = "query($n: Int = 1, $filter: Filter, $title: String!) {
        products(filter: $filter) { upc reviews(first: $n) { id } owner { nickname(title: $title) } } }";
    let variables = json!({"filter": {"order": "DOWN", "cheaperThan": 30}, "title": "q\"\\\n\u{1F600}"});
    let answer = both_as(query, variables, &Grants::default()).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    assert_eq!(
        answer["data"]["products"],
        json!([
            {"upc": "p2", "reviews": [{"id": "p2-1"}], "owner": {"nickname": "q\"\\\n\u{1F600}1"}},
            {"upc": "p1", "reviews": [{"id": "p1-1"}], "owner": {"nickname": "q\"\\\n\u{1F600}2"}},
        ])
    );
}

#[tokio::test]
async fn a_custom_scalar_passes_through_as_it_is() {
    assert_eq!(
        both("{ product(upc: \"p1\") { details } }").await["data"]["product"]["details"],
        json!({ "a \"quoted\" name": [1, 2.5, null, { "deep": "\\ \u{1F600}" }] })
    );
}

#[tokio::test]
async fn the_caller_is_known_in_every_transport() {
    assert_eq!(both("{ me { shouted } }").await["data"]["me"]["shouted"], "SOMCHAI");
}

#[tokio::test]
async fn one_name_may_stand_for_other_fields_of_other_types() {
    let query =
        "{ search { ... on Product { list: reviews(first: 1) { id } } ... on Book { list: pages } } }";
    let answer = both(query).await;
    // Lists and numbers under one name cannot be told apart by a client.
    assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    let query = "{ search { ... on Product { text: upc } ... on Book { text: id } } }";
    assert_eq!(both(query).await["data"]["search"], json!([{"text": "p1"}, null, {"text": "b1"}]));
}
