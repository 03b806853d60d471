//! A subgraph that fails costs its own fields, and its errors are told where the client asked.

use std::sync::Arc;

use axum::body::Body;
use federation::{Settings, Subgraph};
use serde_json::{Value, json};

use super::world::{World, both, remote, serve_with, typed};

/// One subgraph replaced, and little patience with all of them.
pub fn with(name: &'static str, subgraph: Arc<dyn Subgraph>) -> World {
    let settings = Settings { subgraph_timeout_ms: 200, ..Settings::default() };
    World::in_process_with(settings, Some((name, subgraph)))
}

fn with_reviews(reviews: Arc<dyn Subgraph>) -> World {
    with("reviews", reviews)
}

/// One subgraph replaced by a server that gives the same answer to everything.
pub async fn answering_for(name: &'static str, text: impl Into<String>) -> World {
    let text = text.into();
    let answer = move |_, _| {
        let text = text.clone();
        async move { typed("application/json", Body::from(text)) }
    };
    // Patience enough for large answers on a busy machine.
    World::in_process_with(Settings::default(), Some((name, remote(serve_with(answer).await))))
}

pub async fn answering(text: impl Into<String>) -> World {
    answering_for("reviews", text).await
}

pub fn unavailable(path: Value) -> Value {
    json!({
        "message": "This part of the answer is unavailable right now.",
        "path": path,
        "extensions": {"code": "UNAVAILABLE", "retryable": true},
    })
}

#[tokio::test]
async fn a_dead_subgraph_costs_its_own_fields_only() {
    let world = with_reviews(remote("http://127.0.0.1:1/".to_owned()));
    let answer = world.ask("{ latest { id } me { name karma } }").await;
    assert_eq!(answer["data"], json!({"latest": null, "me": {"name": "User \"1\" ü", "karma": null}}));
    assert_eq!(
        answer["errors"],
        json!([unavailable(json!(["latest"])), unavailable(json!(["me", "karma"]))])
    );
}

#[tokio::test]
async fn a_subgraph_that_says_nothing_is_given_up_in_time() {
    let silent = serve_with(|_, _| std::future::pending());
    let world = with_reviews(remote(silent.await));
    let started = std::time::Instant::now();
    let answer = world.ask("{ users { name karma } }").await;
    assert!(started.elapsed().as_secs() < 5);
    assert_eq!(answer["data"]["users"][0], json!({"name": "User \"1\" ü", "karma": null}));
    assert_eq!(answer["errors"][2], unavailable(json!(["users", 2, "karma"])));
}

#[tokio::test]
async fn nonsense_is_unavailable_and_not_passed_on() {
    for nonsense in [
        "",
        "<html>",
        "[]",
        "null",
        "{}",
        "{\"data\": 1}",
        "{\"data\": {\"latest\": {\"id\": \"x\"}",
        "{\"data\": null}",
        "{\"data\":{}} {}",
        "{\"data\": {\"_entities\": 7}}",
    ] {
        let world = answering(nonsense).await;
        let answer = world.ask("{ me { name karma } }").await;
        assert_eq!(answer["data"]["me"], json!({"name": "User \"1\" ü", "karma": null}), "{nonsense}");
        assert_eq!(answer["errors"], json!([unavailable(json!(["me", "karma"]))]), "{nonsense}");
    }
}

#[tokio::test]
async fn values_of_a_wrong_type_are_null_and_reported() {
    let world = answering(r#"{"data": {"latest": {"id": {"a": 1}, "body": ["x"], "author": "me"}}}"#).await;
    let answer = world.ask("{ latest { body author { id } } }").await;
    assert_eq!(answer["data"], json!({"latest": {"body": null, "author": null}}));
    assert_eq!(answer["errors"][0]["path"], json!(["latest", "body"]));
    let answer = world.ask("{ latest { id } me { name } }").await;
    assert_eq!(answer["data"], json!({"latest": null, "me": {"name": "User \"1\" ü"}}));
}

#[tokio::test]
async fn missing_and_extra_entities_are_survived() {
    let world = answering(r#"{"data": {"_entities": [{"__typename": "User", "karma": 7}]}}"#).await;
    let answer = world.ask("{ users { karma } }").await;
    assert_eq!(answer["data"]["users"], json!([{"karma": 7}, {"karma": null}, {"karma": null}]));
    assert_eq!(answer["errors"][0], unavailable(json!(["users", 1, "karma"])));
    let four = r#"{"data": {"_entities": [{"karma": 1}, null, {"karma": 3}, {"karma": 4}, "x"]}}"#;
    let answer = answering(four).await.ask("{ users { karma } }").await;
    assert_eq!(answer, json!({"data": {"users": [{"karma": 1}, {"karma": null}, {"karma": 3}]}}));
}

#[tokio::test]
async fn an_answer_nested_without_end_is_refused() {
    let deep = format!("{{\"data\":{}", "[".repeat(1_000_000));
    let answer = answering(deep).await.ask("{ me { karma } }").await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
}

#[tokio::test]
async fn nothing_of_the_subgraph_s_inside_reaches_the_client() {
    let text = r#"{"data": null, "errors": [{"message": "no", "extensions":
        {"code": "X", "serviceName": "reviews", "stacktrace": ["a"], "hint": {"b": [1]}}}]}"#;
    let answer = answering(text).await.ask("{ latest { id } }").await;
    assert_eq!(answer["errors"], json!([{"message": "no", "extensions": {"code": "X", "hint": {"b": [1]}}}]));
}

#[tokio::test]
async fn an_entity_s_error_is_told_at_its_place_in_the_answer() {
    // async-graphql leaves the index out of the path; only the second product lacks a rating.
    let answer = both("{ items: products { upc stars: rating } }").await;
    assert_eq!(answer["data"]["items"][1], json!({"upc": "p2", "stars": null}));
    assert_eq!(
        answer["errors"],
        json!([{
            "message": "Nobody rated this.",
            "path": ["items", 1, "stars"],
            "extensions": {"code": "NOT_FOUND"},
        }])
    );
}

#[tokio::test]
async fn an_error_under_a_renamed_alias_is_told_under_the_client_s_name() {
    let answer = both("{ products(first: 2) { name: rating } }").await;
    assert_eq!(answer["errors"][0]["path"], json!(["products", 1, "name"]));
}

#[tokio::test]
async fn a_null_that_may_not_be_spreads_to_the_nearest_place_it_may() {
    let answer = both("{ product(upc: \"p2\") { name serial } me { id } }").await;
    assert_eq!(answer["data"], json!({"product": null, "me": {"id": "1"}}));
    assert_eq!(answer["errors"][0]["path"], json!(["product", "serial"]));
    // `products` is a list that holds no nulls and is no null itself.
    assert_eq!(both("{ products { serial } }").await["data"], Value::Null);
}

#[tokio::test]
async fn an_entity_nobody_knows_is_null_without_an_error() {
    let answer = both("{ users { id karma } }").await;
    assert_eq!(
        answer,
        json!({"data": {"users": [
            {"id": "1", "karma": 1}, {"id": "2", "karma": 2}, {"id": "3", "karma": null},
        ]}})
    );
}

#[tokio::test]
async fn a_number_must_be_one_its_type_can_hold() {
    for (karma, shown) in [("7", json!(7)), ("7.0", json!(7)), ("-7e0", json!(-7))] {
        let text = format!(r#"{{"data": {{"_entities": [{{"karma": {karma}}}]}}}}"#);
        let answer = answering(text).await.ask("{ me { karma } }").await;
        assert_eq!(answer, json!({"data": {"me": {"karma": shown}}}));
    }
    for karma in ["1.5", "2147483648", "-1e300", "\"1\""] {
        let text = format!(r#"{{"data": {{"_entities": [{{"karma": {karma}}}]}}}}"#);
        let answer = answering(text).await.ask("{ me { karma } }").await;
        assert_eq!(answer["data"], json!({"me": {"karma": null}}), "{karma}");
        assert_eq!(answer["errors"][0]["path"], json!(["me", "karma"]));
    }
    let answer = answering(r#"{"data": {"latest": {"id": 12345678901234567890123}}}"#).await;
    assert_eq!(answer.ask("{ latest { id } }").await["data"]["latest"]["id"], "12345678901234567890123");
    let answer = answering(r#"{"data": {"latest": {"id": 1.5}}}"#).await.ask("{ latest { id } }").await;
    assert_eq!(answer["data"], json!({"latest": null}));
}

#[tokio::test]
async fn a_null_that_spreads_without_a_word_is_reported_where_it_began() {
    let answer = answering(r#"{"data": {"latest": {"id": null, "body": "x"}}}"#).await;
    let answer = answer.ask("{ latest { body id } }").await;
    assert_eq!(answer["data"], json!({"latest": null}));
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    assert_eq!(answer["errors"][0]["path"], json!(["latest", "id"]));
    // The subgraph has said it already.
    let told =
        r#"{"data": {"latest": {"id": null}}, "errors": [{"message": "no", "path": ["latest", "id"]}]}"#;
    let answer = answering(told).await.ask("{ latest { id } }").await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    assert_eq!(answer["errors"][0]["message"], "no");
}

#[tokio::test]
async fn a_flood_of_errors_is_cut_off() {
    let error = format!(
        r#"{{"message": "{}", "path": ["_entities"], "extensions": {{"x": "{}"}}}}"#,
        "m".repeat(50_000),
        "x".repeat(50_000)
    );
    let errors = vec![error; 200].join(",");
    let text = format!(r#"{{"data": null, "errors": [{errors}]}}"#);
    let world = answering(text).await;
    let answer = world.ask("{ users { karma } }").await.to_string();
    assert!(answer.len() < 500_000, "{}", answer.len());
    assert_eq!(answer.matches("INTERNAL_SERVER_ERROR").count(), 100);
}

#[tokio::test]
async fn a_huge_object_nobody_asked_for_costs_little_time() {
    let members: String = (0..300_000).map(|n| format!(",\"m{n}\":1")).collect();
    let text = format!(r#"{{"data": {{"latest": {{"body": "x"}}{members}}}}}"#);
    let world = answering(text).await;
    let started = std::time::Instant::now();
    assert_eq!(world.ask("{ latest { body } }").await, json!({"data": {"latest": {"body": "x"}}}));
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[tokio::test]
async fn nothing_is_begun_when_the_time_is_up() {
    let world = World::in_process();
    let query = "mutation { greet(name: \"1\") praise(name: \"2\") }";
    let prepared = world.prepare(query, Default::default(), &Default::default()).unwrap();
    let mut context = super::world::context();
    context.deadline = Some(tokio::time::Instant::now());
    let answer = world.engine.execute(&prepared, &context).await.to_value();
    assert_eq!(answer["data"], json!({"greet": null, "praise": null}));
    assert_eq!(answer["errors"], json!([unavailable(json!(["greet"])), unavailable(json!(["praise"]))]));
    assert!(world.log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn words_of_a_subgraph_that_were_meant_for_no_client_reach_none() {
    let text = r#"{"data": {"latest": null}, "errors": [
        {"message": "connect ECONNREFUSED 10.0.0.7", "path": ["latest"], "extensions": {"host": "db-1"}},
        {"message": "Not today.", "path": ["latest"], "extensions": {"code": "CLOSED"}}]}"#;
    let answer = move |_, _| async move { typed("application/json", Body::from(text)) };
    let settings = Settings { mask_internal_errors: true, ..Settings::default() };
    let reviews = remote(serve_with(answer).await);
    let world = World::in_process_with(settings, Some(("reviews", reviews)));
    let answer = world.ask("{ latest { id } }").await;
    let told = |message: &str, code: &str| json!({"message": message, "path": ["latest"], "extensions": {"code": code}});
    let masked = told("Something went wrong on our side.", "INTERNAL_SERVER_ERROR");
    assert_eq!(answer["errors"], json!([masked, told("Not today.", "CLOSED")]));
}
