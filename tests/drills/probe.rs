//! Small questions at a fixed rate, whatever becomes of those before: they show how long a fault is felt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::installation::client;

/// A question of each kind is due this often.
const EVERY: Duration = Duration::from_millis(100);
/// Whoever waits longer gives up.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What is asked: something public, and something of one's own.
const PUBLIC: &str = "{ publicServices(first: 1) { nodes { code } } }";
const PRIVATE: &str = "{ applications(first: 1) { nodes { id status bill { id status } } } }";

/// How the questions of one drill were answered.
#[derive(Clone, Debug, Default)]
pub struct Felt {
    pub asked: usize,
    /// When a question was due that was not answered, or with errors.
    pub failed: Vec<Instant>,
}

impl Felt {
    /// How long after `instant` the last question failed; zero when none did.
    pub fn until_well(&self, instant: Instant) -> Duration {
        let last = self.failed.iter().max().copied();
        last.map_or(Duration::ZERO, |last| last.saturating_duration_since(instant))
    }
}

/// Asks until it is ended.
pub struct Probe {
    felt: Arc<Mutex<Felt>>,
    task: JoinHandle<()>,
}

impl Probe {
    /// `token` is of somebody who may see their applications.
    pub fn start(url: &str, token: &str) -> Self {
        let felt = Arc::<Mutex<Felt>>::default();
        let (url, token, notes) = (format!("{url}/graphql"), token.to_owned(), Arc::clone(&felt));
        let task = tokio::spawn(async move {
            let http = client();
            let mut due = tokio::time::interval(EVERY);
            loop {
                due.tick().await;
                let at = Instant::now();
                for (query, token) in [(PUBLIC, None), (PRIVATE, Some(&token))] {
                    let mut post = http.post(&url).timeout(TIMEOUT).json(&json!({ "query": query }));
                    if let Some(token) = token {
                        post = post.bearer_auth(token);
                    }
                    let notes = Arc::clone(&notes);
                    tokio::spawn(async move {
                        let well = is_well(post).await;
                        let mut felt = notes.lock().unwrap_or_else(PoisonError::into_inner);
                        felt.asked += 1;
                        if !well {
                            felt.failed.push(at);
                        }
                    });
                }
            }
        });
        Self { felt, task }
    }

    /// Asks no more, waits for the last answers, and tells.
    pub async fn end(self) -> Felt {
        self.task.abort();
        tokio::time::sleep(TIMEOUT).await;
        self.felt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn is_well(post: reqwest::RequestBuilder) -> bool {
    let Ok(answer) = post.send().await else { return false };
    let Ok(answer) = answer.json::<Value>().await else { return false };
    answer["errors"].is_null() && answer["data"].is_object()
}
