//! Our other processes: where they are, and how one asks another.
//!
//! What goes from process to process is signed with the secret they share, for one path, one body and
//! now, and is taken once. The machine's own clock is signed by, never the sandbox's, which is moved in one
//! process before the others know.

pub mod clock;
mod door;
pub mod forward;
mod graph;
mod nudge;
mod outbox;
pub mod sessions;
#[cfg(test)]
mod testing;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::clock::Clock;
use auth::{PRINCIPAL_HEADER, Principal, PrincipalSigner};
use axum::http::HeaderMap;
use bytes::Bytes;
use chassis::telemetry::pass_on;
use tokio::time::{Instant, timeout_at};

use crate::Config;
use crate::config::Role;

pub use door::SignedDoor;
pub use graph::{RemoteGraph, graph_door};
pub use nudge::{Hearing, Nudges, nudge_door};
pub use outbox::{PAUSE, RemoteRole, outbox_door};

/// Silence of another process after which it counts as gone.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long a process may take to say whether it is ready, or lives.
const READY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an address where nobody listened or answered is asked last.
const UNREACHABLE: Duration = Duration::from_secs(2);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Asks the processes of other roles. Cloning shares it.
#[derive(Clone)]
pub struct Peers {
    inner: Arc<Inner>,
}

struct Inner {
    addresses: Vec<(Role, Vec<String>)>,
    /// None where nothing is split: then nobody is asked.
    signer: Option<PrincipalSigner>,
    client: reqwest::Client,
    clock: Clock,
    turn: AtomicUsize,
    /// Since when: as many as there are addresses at most.
    unreachable: Mutex<HashMap<String, Instant>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("there is no process of {0}")]
    Nowhere(Role),
    #[error("{role} does not answer: {reason}")]
    Silent { role: Role, reason: String },
    #[error("{role} answered {status}")]
    Refused { role: Role, status: u16 },
}

impl Peers {
    pub fn new(config: &Config) -> Self {
        let secret = config.subgraph_secret.as_ref();
        let inner = Inner {
            addresses: Role::ALL.map(|role| (role, config.addresses_of(role))).to_vec(),
            signer: secret.map(|secret| PrincipalSigner::new(secret.reveal().as_bytes())),
            client: chassis::stream_client(SILENCE_MAX),
            clock: Clock::system(),
            turn: AtomicUsize::new(0),
            unreachable: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What checks the signatures of others; `None` where nothing is split.
    pub fn signer(&self) -> Option<PrincipalSigner> {
        self.inner.signer.clone()
    }

    /// The clock that signatures are dated by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    fn addresses(&self, role: Role) -> &[String] {
        let found = self.inner.addresses.iter().find(|(known, _)| *known == role);
        found.map_or(&[], |(_, addresses)| addresses)
    }

    /// The processes of `role`, each request's first one another than the last's; those that could not be
    /// reached a moment ago come last.
    fn in_turn(&self, role: Role) -> Vec<&str> {
        let addresses = self.addresses(role);
        let first = self.inner.turn.fetch_add(1, Ordering::Relaxed);
        let unreachable = self.inner.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        let is_unreachable =
            |address: &str| unreachable.get(address).is_some_and(|since| since.elapsed() < UNREACHABLE);
        let mut all: Vec<&str> = (0..addresses.len())
            .map(|at| addresses[first.wrapping_add(at) % addresses.len()].as_str())
            .collect();
        all.sort_by_key(|address| is_unreachable(address));
        all
    }

    /// Notes that nobody listens or answers at `address`.
    fn note_unreachable(&self, address: &str) {
        let mut unreachable = self.inner.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        unreachable.insert(address.to_owned(), Instant::now());
    }

    /// Every process there is, each once whatever it runs.
    fn everyone(&self, roles: &[Role]) -> BTreeSet<&str> {
        roles.iter().flat_map(|role| self.addresses(*role)).map(String::as_str).collect()
    }

    /// Asks one process of `role` as `principal`: the next in turn that answers within `limit`, of which one
    /// that is silent uses up half while there are others. So what is asked must be safe to ask twice.
    pub async fn ask(
        &self,
        role: Role,
        path: &str,
        principal: &Principal,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Bytes, AskError> {
        let (deadline, body) = (Instant::now() + limit, Bytes::from(body));
        let mut failure = AskError::Nowhere(role);
        let addresses = self.in_turn(role);
        for (at, address) in addresses.iter().enumerate() {
            let (now, is_last) = (Instant::now(), at + 1 == addresses.len());
            let until = if is_last { deadline } else { now + deadline.saturating_duration_since(now) / 2 };
            let asked = self.ask_at(role, address, path, principal, body.clone());
            failure = match timeout_at(until, asked).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => {
                    self.note_unreachable(address);
                    AskError::Silent { role, reason: "it took too long".to_owned() }
                }
            };
        }
        Err(failure)
    }

    async fn ask_at(
        &self,
        role: Role,
        address: &str,
        path: &str,
        principal: &Principal,
        body: Bytes,
    ) -> Result<Bytes, AskError> {
        let silent = |error: reqwest::Error| {
            if error.is_connect() {
                self.note_unreachable(address);
            }
            let reason = match &error {
                error if error.is_connect() => "nobody listens".to_owned(),
                error if error.is_timeout() => "it is silent".to_owned(),
                _ => error.without_url().to_string(),
            };
            AskError::Silent { role, reason }
        };
        let (clock, signer) = (&self.inner.clock, self.inner.signer.as_ref());
        let signed =
            signer.and_then(|signer| signer.sign(principal, path, &body, clock.now(), clock.uuid()).ok());
        let request = self.inner.client.post(format!("{address}{path}")).body(body);
        let request = request.header(PRINCIPAL_HEADER, signed.ok_or(AskError::Nowhere(role))?);
        let mut trace = HeaderMap::new();
        pass_on(&mut trace);
        let mut response = request.headers(trace).send().await.map_err(silent)?;
        if !response.status().is_success() {
            return Err(AskError::Refused { role, status: response.status().as_u16() });
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(silent)? {
            answer.extend_from_slice(&chunk);
            if answer.len() > ANSWER_BYTES_MAX {
                return Err(AskError::Silent { role, reason: "its answer is too long".to_owned() });
            }
        }
        Ok(answer.into())
    }

    /// A process of `role` that says that it is ready.
    async fn ready(&self, role: Role) -> Option<&str> {
        for address in self.in_turn(role) {
            if self.says_at(address, "/readyz").await.is_ok_and(|said| said.is_success()) {
                return Some(address);
            }
        }
        None
    }

    /// Whether the process at `address` answers anything at all.
    async fn lives(&self, address: &str) -> bool {
        self.says_at(address, "/healthz").await.is_ok()
    }

    async fn says_at(&self, address: &str, path: &str) -> reqwest::Result<reqwest::StatusCode> {
        let asked = self.inner.client.get(format!("{address}{path}")).timeout(READY_TIMEOUT);
        Ok(asked.send().await?.status())
    }

    /// Whether a process of `role` is ready; true where this process asks none.
    pub async fn is_ready(&self, role: Role) -> bool {
        self.addresses(role).is_empty() || self.ready(role).await.is_some()
    }

    /// Asks every process of `roles` at the same time, and waits no longer than `limit` for any. Tells how
    /// many did not answer.
    async fn ask_everyone(&self, roles: &[Role], path: &str, limit: Duration) -> usize {
        let asks = self.everyone(roles).into_iter().map(|address| async move {
            let asked = self.ask_at(roles[0], address, path, &Principal::Nobody, Bytes::new());
            tokio::time::timeout(limit, asked).await.is_ok_and(|answer| answer.is_ok())
        });
        futures::future::join_all(asks).await.into_iter().filter(|answered| !answered).count()
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;

    use super::testing::{peers_at, serving};
    use super::*;

    /// A process that answers `/readyz` so.
    async fn process(status: StatusCode) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let routes = axum::Router::new().route("/readyz", get(move || async move { status }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    #[tokio::test]
    async fn a_role_is_ready_when_one_of_its_processes_is_or_when_it_has_none() {
        let (away, ready) = (process(StatusCode::SERVICE_UNAVAILABLE).await, process(StatusCode::OK).await);
        let peers = [("identity".to_owned(), vec![away.clone()]), ("payments".to_owned(), vec![away, ready])];
        let peers = Peers::new(&Config { peers: peers.into(), ..Config::default() });
        assert!(!peers.is_ready(Role::Identity).await);
        assert!(peers.is_ready(Role::Payments).await && peers.is_ready(Role::Catalogue).await);
    }

    #[tokio::test]
    async fn a_process_that_stands_still_costs_no_answer_of_another() {
        let still = serving(Router::new().fallback(std::future::pending::<()>)).await;
        let alive = serving(Router::new().fallback(|| async { "here" })).await;
        let peers = peers_at(Role::Identity, &[still, alive]);
        let limit = Duration::from_secs(1);
        // The first in turn is another each time.
        for _ in 0..2 {
            let answer = peers.ask(Role::Identity, "/", &Principal::Nobody, Vec::new(), limit).await;
            assert_eq!(answer.expect("one is alive"), "here");
        }
        assert_eq!(peers.in_turn(Role::Identity).last(), Some(&format!("http://{still}").as_str()));
    }
}
