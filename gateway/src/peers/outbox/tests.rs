//! What a role that runs elsewhere is taken for, by how it answers a message.

use axum::routing::get;
use cache::Seen;
use serde_json::json;

use super::*;
use crate::peers::testing::{peers_at, serving};

fn message(topic: &str) -> Received {
    let id = ::clock::Clock::system().uuid();
    Received { id, topic: topic.to_owned(), payload: json!({}) }
}

async fn payments(routes: Router) -> RemoteRole {
    let peers = peers_at(Role::Payments, &[serving(routes).await]);
    RemoteRole::new(Role::Payments, vec!["things.happened"], peers)
}

fn is_away(taken: Result<(), Error>) -> bool {
    taken.expect_err("it was not taken in").is::<Away>()
}

#[tokio::test]
async fn a_message_that_is_too_long_holds_up_no_other() {
    let answers = Arc::new(Mutex::new(vec![StatusCode::NO_CONTENT, StatusCode::PAYLOAD_TOO_LARGE]));
    let next = move || std::future::ready(answers.lock().unwrap().pop().unwrap());
    let role = payments(Router::new().fallback(next)).await;
    assert!(!is_away(role.receive(&message("things.happened")).await));
    role.receive(&message("things.happened")).await.unwrap();
}

/// Breaks down.
struct Broken;

#[async_trait::async_trait]
impl Consumer for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn topics(&self) -> &[&'static str] {
        &["things.happened"]
    }

    async fn receive(&self, _: &Received) -> Result<(), Error> {
        panic!("as a bug would")
    }
}

#[tokio::test]
async fn a_receiver_that_breaks_down_is_not_taken_for_a_role_that_is_gone() {
    let door = SignedDoor::new(&peers_at(Role::Payments, &[]), Seen::new(None)).expect("there is a secret");
    let role = payments(outbox_door(&door, Role::Payments, vec![Arc::new(Broken)])).await;
    assert!(!is_away(role.receive(&message("things.happened")).await));
    role.receive(&message("nobody.listens")).await.unwrap();
}

#[tokio::test]
async fn a_role_that_is_ready_and_takes_nothing_is_asked_later_and_later() {
    let routes = Router::new().route("/readyz", get(|| async {}));
    let role = payments(routes.fallback(|| async { StatusCode::UNAUTHORIZED })).await;
    assert!(!role.is_back().await, "it was not away");
    assert!(is_away(role.receive(&message("things.happened")).await));
    assert!(role.is_back().await);
    assert!(is_away(role.receive(&message("things.happened")).await));
    assert!(!role.is_back().await, "what waits for it would be tried each time");
}
