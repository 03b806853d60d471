//! The start page, the registry, the clock and the limits of all doors.

use serde_json::json;
use testkit::TestDatabase;

use crate::world::{World, json_of};

#[tokio::test]
async fn the_start_page_introduces_everybody_in_both_languages() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let answer = world.client.get(world.at("")).send().await.unwrap();
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let page = answer.text().await.unwrap();
    for text in ["สมชาย ครัวอุดม", "Malee Nadon", "ThaiD (sandbox)", "behave=duplicate", "Now in Thailand"]
    {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script") && !page.contains("src="));
}

#[tokio::test]
async fn the_registry_tells_which_companies_a_person_directs() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let ask = |secret: &'static str, body: serde_json::Value| {
        let request = world.client.post(world.at("/registry/companies")).bearer_auth(secret).json(&body);
        async { json_of(request.send().await.unwrap()).await }
    };
    let secret = "sandbox-registry-secret";
    let (status, told) = ask(secret, json!({ "pid": "1200100002029" })).await;
    assert_eq!((status, told["companies"].as_array().unwrap().len()), (200, 2));
    assert_eq!(told["companies"][1]["registration_number"], "0125550000440");
    assert_eq!(told["companies"][1]["role"], "director");
    assert_eq!(ask(secret, json!({ "pid": "1234567890123" })).await.1, json!({ "companies": [] }));
    assert_eq!(ask(secret, json!({ "pid": "12345" })).await.0, 400);
    assert_eq!(ask("guess", json!({ "pid": "1200100002029" })).await.0, 401);
}

#[tokio::test]
async fn the_clock_moves_forward_only() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let before = world.clock.now();
    let advance =
        |seconds: i64| world.client.post(world.at("/clock")).json(&json!({ "advance_s": seconds })).send();
    assert_eq!(advance(3_600).await.unwrap().status(), 200);
    assert_eq!(world.clock.now() - before, chrono::Duration::hours(1));
    assert_eq!(advance(-1).await.unwrap().status(), 400);
    assert_eq!(advance(366 * 86_400 + 1).await.unwrap().status(), 400);
    assert_eq!(world.send_form(&world.at("/clock"), "advance_s=60").await.status(), 303);
    let shown = json_of(world.client.get(world.at("/clock")).send().await.unwrap()).await.1;
    assert_eq!(shown["moved_s"], 3_660);
}

#[tokio::test]
async fn a_body_above_64_kib_is_refused() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    for path in ["/bank/v1/oauth/token", "/clock", "/registry/companies"] {
        let body = " ".repeat(64 * 1024 + 1);
        let answer = world.client.post(world.at(path)).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 413, "{path}");
    }
}
