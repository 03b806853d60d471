//! A new version is rolled out: every process is replaced in turn, under load, and nobody notices.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pratu::Config;
use pratu::config::{Limits, Role};
use reqwest::Client;
use serde_json::{Value, json};

use crate::filing::{food_premises_answers, key, offering, parties, start, submitted_food_premises};
use crate::installation::{Installation, client};
use crate::person::{Person, document};

/// How often the balancer asks a door whether it is ready.
const LOOK: Duration = Duration::from_millis(200);
/// Between two requests of one client.
const PAUSE: Duration = Duration::from_millis(25);
const ROLES: [Role; 5] = [Role::Catalogue, Role::Identity, Role::Applications, Role::Payments, Role::Gateway];

/// What stands in front of the doors: it knows which of them are ready.
struct Balancer {
    doors: Vec<SocketAddr>,
    ready: Mutex<Vec<SocketAddr>>,
    turn: AtomicUsize,
    http: Client,
    over: AtomicBool,
}

impl Balancer {
    fn over(doors: Vec<SocketAddr>) -> Arc<Self> {
        let balancer = Arc::new(Self {
            ready: Mutex::new(doors.clone()),
            doors,
            turn: AtomicUsize::new(0),
            http: client(),
            over: AtomicBool::new(false),
        });
        tokio::spawn(Arc::clone(&balancer).look());
        balancer
    }

    async fn look(self: Arc<Self>) {
        while !self.is_over() {
            let mut ready = Vec::new();
            for door in &self.doors {
                let asked = self.http.get(format!("http://{door}/readyz")).timeout(Duration::from_secs(1));
                if asked.send().await.is_ok_and(|answer| answer.status().is_success()) {
                    ready.push(*door);
                }
            }
            *self.ready.lock().expect("nobody panics with it") = ready;
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Sends one of the documents, and gives its data; any error is one too many.
    async fn ask(&self, token: &str, operation: &str, variables: Value) -> Value {
        let door = {
            let ready = self.ready.lock().expect("nobody panics with it");
            assert!(!ready.is_empty(), "no door is ready");
            ready[self.turn.fetch_add(1, Ordering::SeqCst) % ready.len()]
        };
        let request = json!({ "query": document(operation), "variables": variables });
        let sent = self.http.post(format!("http://{door}/graphql")).bearer_auth(token).json(&request);
        let answer = sent.send().await.unwrap_or_else(|error| panic!("{operation} at {door}: {error:?}"));
        let status = answer.status();
        let mut answer: Value = answer.json().await.expect("JSON");
        assert!(status.is_success() && answer.get("errors").is_none(), "{operation}: {status} {answer}");
        answer["data"].take()
    }
}

/// Reads what all subgraphs give together, again and again.
async fn reads(balancer: Arc<Balancer>, token: String, application: Value) -> usize {
    let mut answered = 0;
    while !balancer.is_over() {
        let detail = balancer.ask(&token, "ApplicationDetail", json!({ "id": application })).await;
        assert_eq!(detail["application"]["id"], application, "{detail}");
        balancer.ask(&token, "Viewer", json!({})).await;
        answered += 2;
        tokio::time::sleep(PAUSE).await;
    }
    answered
}

/// Saves one draft again and again: each revision follows the one before, so that nothing was lost or done
/// twice.
async fn writes(balancer: Arc<Balancer>, token: String, draft: Value) -> usize {
    let (mut revision, mut saved) = (draft["revision"].clone(), 0);
    while !balancer.is_over() {
        let input = json!({
            "idempotencyKey": key(), "applicationId": draft["id"], "revision": revision,
            "answers": food_premises_answers(),
        });
        let answer = balancer.ask(&token, "SaveApplicationDraft", json!({ "input": input })).await;
        let answer = &answer["saveApplicationDraft"];
        assert_eq!(answer["__typename"], "DraftSaved", "{answer}");
        revision = answer["application"]["revision"].clone();
        saved += 1;
        tokio::time::sleep(PAUSE).await;
    }
    saved
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "half a minute and every process there is: infra/test --test system -- --ignored split::rolling"]
async fn no_request_fails_while_every_process_of_every_role_is_replaced() {
    let limits = Limits { drain_notice_ms: 2_000, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let Some(mut place) = Installation::start_split(config, 2).await else { return };
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let offered = offering(&place, "LAO-01", "1201").await;
    let draft = start(&somchai, &offered, &me).await;
    let token = somchai.token.clone().expect("somebody is logged in");

    let processes = place.processes();
    let balancer = Balancer::over(processes.addresses(Role::Gateway));
    let mut load: Vec<_> =
        (0..3).map(|_| tokio::spawn(reads(balancer.clone(), token.clone(), application.clone()))).collect();
    load.push(tokio::spawn(writes(balancer.clone(), token, draft)));
    for role in ROLES {
        processes.roll(role).await;
        assert!(load.iter().all(|one| !one.is_finished()), "requests fail while {role} is rolled");
    }
    balancer.over.store(true, Ordering::SeqCst);
    for one in load {
        let answered = one.await.expect("no request failed");
        assert!(answered > 100, "{answered} requests are no load");
    }
}
