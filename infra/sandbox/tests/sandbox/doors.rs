//! The registry, the clock and the limits of all doors.

use serde_json::json;
use testkit::TestDatabase;

use crate::world::{World, json_of};

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
async fn the_clock_moves_by_hours_and_days_and_to_the_next_working_day() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let send = |body: serde_json::Value| {
        let request = world.client.post(world.at("/clock")).json(&body);
        async { json_of(request.send().await.unwrap()).await }
    };
    let (status, shown) = send(json!({ "to": "next_working_day" })).await;
    assert_eq!((status, &shown["in_thailand"]), (200, &json!("2026-11-24T08:30:00+07:00")));
    let (_, shown) = send(json!({ "days": 4, "hours": 1 })).await;
    assert_eq!(shown["in_thailand"], "2026-11-28T09:30:00+07:00");
    assert_eq!(shown["working_day"], false);
    let moved = world.send_form(&world.at("/clock"), "to=next_working_day&lang=en").await;
    assert_eq!(moved.headers()["location"], format!("{}?lang=en&done=moved#clock", world.at("")));
    assert_eq!(world.clock.today_in_thailand().to_string(), "2026-11-30");
    assert_eq!(send(json!({ "to": "yesterday" })).await.0, 400);
    assert_eq!(world.send_form(&world.at("/clock"), "days=-1").await.status(), 400);
}

#[tokio::test]
async fn a_body_above_64_kib_is_refused() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    for path in
        ["/bank/v1/oauth/token", "/clock", "/registry/companies", "/triggers", "/personas/somchai/reset"]
    {
        let body = " ".repeat(64 * 1024 + 1);
        let answer = world.client.post(world.at(path)).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 413, "{path}");
    }
}
