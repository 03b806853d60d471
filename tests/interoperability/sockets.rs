//! What `graphql-transport-ws` asks of a server, word by word.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::client::Request;

use super::socket::{Heard, Socket, events, request};
use crate::filing::{parties, submitted_food_premises};
use crate::installation::{Installation, eventually};
use crate::person::{Person, document};

async fn applied(place: &Installation) -> (Person<'_>, Value) {
    let somchai = Person::citizen(place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(place, &somchai, &me).await;
    (somchai, application)
}

fn asking(id: &str, query: &str) -> Value {
    json!({"id": id, "type": "subscribe", "payload": {"query": query}})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_s_messages_bear_its_id_and_end_as_it_does() {
    let place = Installation::start().await;
    let mut socket = Socket::of(&place, &Person::nobody(&place)).await;
    socket.say(asking("a \"quoted\" id", "{ __typename }")).await;
    let next = socket.hear_of("next").await;
    assert_eq!(
        next,
        json!({"id": "a \"quoted\" id", "type": "next", "payload": {"data": {"__typename": "Query"}}})
    );
    assert_eq!(socket.hear_of("complete").await, json!({"id": "a \"quoted\" id", "type": "complete"}));

    socket.say(asking("b", "{ nothing }")).await;
    let error = socket.hear_of("error").await;
    let extensions = &error["payload"][0]["extensions"];
    assert_eq!((&error["id"], &extensions["code"]), (&json!("b"), &json!("GRAPHQL_VALIDATION_FAILED")));
    assert!(extensions["requestId"].is_string(), "{error}");
    // An error is an end: the next thing that comes is of the next operation.
    socket.say(asking("b", "{ __typename }")).await;
    assert_eq!(socket.hear_of("next").await["id"], "b");
    assert_eq!(socket.hear_of("complete").await["id"], "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_completes_tells_nothing_more_and_its_id_is_free() {
    let place = Installation::start().await;
    let (somchai, application) = applied(&place).await;
    let mut socket = Socket::of(&place, &somchai).await;
    for _ in 0..3 {
        socket.say(events("1", &application, 1)).await;
        let next = socket.hear_of("next").await;
        assert_eq!(next["payload"]["data"]["applicationEvents"]["kind"], "SUBMITTED", "{next}");
        socket.say(json!({"id": "1", "type": "complete"})).await;
    }
    // Twice, or for what never was: it is as the client wants it.
    socket.say(json!({"id": "1", "type": "complete"})).await;
    socket.say(json!({"id": "unknown", "type": "complete"})).await;
    socket.say(json!({"type": "ping", "payload": {"at": 5}})).await;
    assert_eq!(socket.hear().await, Heard::Message(json!({"type": "pong", "payload": {"at": 5}})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_closed_with_the_code_that_says_why() {
    let mut place = Installation::start().await;
    place
        .restart_with(|config| {
            config.limits.connection_init_timeout_ms = 2_000;
            config.limits.keep_alive_ms = 1_000;
        })
        .await;
    let (somchai, application) = applied(&place).await;
    let init = || json!({"type": "connection_init"});

    let mut early = Socket::open(&place).await;
    early.say(json!({"type": "ping"})).await;
    assert_eq!(early.hear().await, Heard::Message(json!({"type": "pong"})), "pings may come before anything");
    early.say(asking("1", "{ __typename }")).await;
    assert_eq!(early.code().await, Some(4401));

    let mut twice = Socket::open(&place).await;
    twice.say(init()).await;
    twice.say(init()).await;
    assert_eq!(twice.code().await, Some(4429));

    let mut duplicate = Socket::of(&place, &somchai).await;
    duplicate.say(events("1", &application, 0)).await;
    duplicate.say(events("1", &application, 0)).await;
    assert_eq!(duplicate.code().await, Some(4409));

    assert_eq!(Socket::open(&place).await.code().await, Some(4408), "it never says who it is");
    let mut silent = Socket::of(&place, &somchai).await;
    assert_eq!(silent.hear().await, Heard::Message(json!({"type": "ping"})));
    assert_eq!(silent.code().await, Some(1001), "it answers no ping");

    let mut without: Request = request(&place);
    without.headers_mut().remove("sec-websocket-protocol");
    let mut without = Socket::open_with(without).await.unwrap();
    assert_eq!(without.code().await, Some(4406));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_s_own_token_is_the_socket_s_until_another_comes() {
    let place = Installation::start().await;
    let (somchai, _) = applied(&place).await;
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let authorized = |token: &str| {
        let mut request = request(&place);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    };
    let somchai = somchai.token.unwrap();
    for (payload, name) in [
        (json!({}), "สมชาย"),
        (json!({"authorization": null}), "สมชาย"),
        (json!({"authorization": format!("Bearer {}", malee.token.as_ref().unwrap())}), "มาลี"),
    ] {
        let mut socket = Socket::open_with(authorized(&somchai)).await.unwrap();
        socket.say(json!({"type": "connection_init", "payload": payload})).await;
        socket.hear_of("connection_ack").await;
        socket.say(asking("1", &document("Viewer"))).await;
        let next = socket.hear_of("next").await;
        let seen = next["payload"]["data"]["viewer"]["citizen"]["nameTh"].as_str().unwrap();
        assert!(seen.contains(name), "{seen}");
    }
    assert_eq!(Socket::open_with(authorized("nonsense")).await.err(), Some(StatusCode::UNAUTHORIZED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_drains_says_that_it_is_going_away() {
    let mut place = Installation::start().await;
    let (mut socket, token, application) = {
        let (somchai, application) = applied(&place).await;
        let mut socket = Socket::of(&place, &somchai).await;
        socket.say(events("1", &application, 1)).await;
        socket.hear_of("next").await;
        (socket, somchai.token, application)
    };
    let (code, ()) = tokio::join!(socket.code(), place.restart());
    assert_eq!(code, Some(1001));
    // Another process goes on where it left off.
    let mut somchai = Person::nobody(&place);
    somchai.token = token;
    let mut socket = Socket::of(&place, &somchai).await;
    socket.say(events("1", &application, 0)).await;
    assert_eq!(socket.hear_of("next").await["payload"]["data"]["applicationEvents"]["sequence"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_all_seats_whatever_they_ask_over() {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.limits.subscriptions_per_person_max = 3).await;
    let (somchai, application) = applied(&place).await;
    let mut socket = Socket::of(&place, &somchai).await;
    for id in ["1", "2"] {
        socket.say(events(id, &application, 1)).await;
        assert_eq!(socket.hear_of("next").await["id"], id);
    }
    socket.say(events("3", &application, 1)).await;
    let refused = socket.hear_of("error").await;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
    let variables = json!({"id": application, "after": 0});
    let refused = somchai.refused_subscription("ApplicationEvents", variables).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
    // Questions take no seat, and others have their own.
    socket.say(asking("4", "{ __typename }")).await;
    assert_eq!(socket.hear_of("next").await["id"], "4");
    let malee = Person::citizen(&place, "malee", "thaid").await;
    Socket::of(&place, &malee).await;

    // What is given back is free again.
    socket.hear_of("complete").await;
    socket.say(json!({"id": "1", "type": "complete"})).await;
    socket.say(events("5", &application, 1)).await;
    assert_eq!(socket.hear_of("next").await["id"], "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_over_the_last_seat_keeps_it() {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.limits.subscriptions_max = 1).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let _socket = Socket::of(&place, &somchai).await;
    assert_eq!(Socket::open_with(request(&place)).await.err(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_of_one_address_share_their_seats_and_logging_in_gives_one_back() {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.limits.subscriptions_per_address_max = 2).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let first = Socket::open(&place).await;
    let _logged_in = Socket::of(&place, &somchai).await;
    let _second = Socket::open(&place).await;
    assert_eq!(Socket::open_with(request(&place)).await.err(), Some(StatusCode::TOO_MANY_REQUESTS));
    drop(first);
    eventually("a free seat", async || Socket::open_with(request(&place)).await.ok()).await;
}
