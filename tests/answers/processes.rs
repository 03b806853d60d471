//! A new fee is shown by every process, whichever of them made the change.

use std::time::Instant;

use pratu::{Config, Server};
use serde_json::{Value, json};

use super::{TOLD_WITHIN_MS, new_fee};
use crate::installation::{Installation, eventually};
use crate::kills::setting;
use crate::person::{Person, document};

/// The fee of a food seller's licence in Nonthaburi, as the process at `url` shows it.
async fn fee(place: &Installation, url: &str) -> Value {
    let variables = json!({ "area": "1201", "search": "ขายอาหาร", "first": 1 });
    let request = json!({ "query": document("FindServices"), "variables": variables });
    let answer = place.http.post(format!("{url}/graphql")).json(&request).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["data"]["publicServices"]["nodes"][0]["offering"]["fee"]["amount"]["amount"].clone()
}

/// Another process with all roles on the same data.
async fn another(place: &Installation) -> Server {
    let listen = "127.0.0.1:0".parse().expect("an address");
    Server::start(Config { listen, ..place.config().clone() }).await.expect("it starts")
}

/// Changes the fee in the one process, and waits until the other shows it; how long that took.
async fn told(place: &Installation, other: &Server) -> u128 {
    for url in [&place.url, &other.public_url] {
        // Twice: the second comes from what is kept.
        assert_eq!((fee(place, url).await, fee(place, url).await), (json!("1000.00"), json!("1000.00")));
    }
    let officer = Person::officer(place, "officer-nonthaburi").await;
    officer.ask("EditOffering", new_fee(place).await).await;
    let changed = Instant::now();
    eventually("the new fee", || async {
        let shown = (fee(place, &place.url).await, fee(place, &other.public_url).await);
        (shown == (json!("1250.00"), json!("1250.00"))).then_some(())
    })
    .await;
    changed.elapsed().as_millis()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_of_nothing_keeps_a_fee_for_no_longer_than_a_second() {
    let Some(place) = Installation::start_on_postgres().await else { return };
    let other = another(&place).await;
    let took_ms = told(&place, &other).await;
    // How soon it asks after that second is up to the machine.
    assert!(took_ms < 5 * TOLD_WITHIN_MS, "{took_ms}");
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_redis_every_process_shows_a_new_fee_within_a_second() {
    let Some(mut place) = Installation::start_on_postgres().await else { return };
    let Some(redis) = setting("PRATU_TEST_REDIS") else { return };
    let prefix = format!("test-{:x}", rand::random::<u64>());
    // A command that takes long is no reason to go on without Redis where the machine is busy.
    let redis = json!({ "urls": [redis], "prefix": prefix, "timeout_ms": 5_000 });
    place.restart_with(|config| config.redis = serde_json::from_value(redis).unwrap()).await;
    let other = another(&place).await;
    let took_ms = told(&place, &other).await;
    assert!(took_ms < TOLD_WITHIN_MS, "{took_ms}");
    other.stop().await;
}
