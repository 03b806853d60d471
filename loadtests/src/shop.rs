//! The subgraphs of the comparison: the shop that the engine's own benches use, served over HTTP.

#[path = "../../gateway/federation/benches/engine/shop/accounts.rs"]
mod accounts;
#[path = "../../gateway/federation/benches/engine/shop/inventory.rs"]
mod inventory;
#[path = "../../gateway/federation/benches/engine/shop/products.rs"]
mod products;
#[path = "../../gateway/federation/benches/engine/shop/reviews.rs"]
mod reviews;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Executor;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

const USERS: usize = 6;
const PRODUCTS: usize = 10;
const REVIEWS: usize = 24;

const SUPERGRAPH: &str = include_str!("../../gateway/federation/benches/shop.graphql");
/// The shape of The Guild's benchmark query: 7 requests to 4 subgraphs, an answer of about 88 KB.
pub const QUERY: &str = include_str!("../../gateway/federation/benches/engine/large.graphql");
const NAMES: [&str; 4] = ["accounts", "inventory", "products", "reviews"];
/// Answers that are remembered per subgraph.
const ANSWERS_MAX: usize = 1_000;

/// The supergraph with the subgraphs' addresses.
pub fn supergraph(base: &str) -> String {
    NAMES.iter().fold(SUPERGRAPH.to_owned(), |sdl, name| {
        sdl.replace(
            &format!("name: \"{name}\", url: \"\""),
            &format!("name: \"{name}\", url: \"{base}/{name}\""),
        )
    })
}

/// What a gateway asked: to which subgraph, and the body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    pub subgraph: String,
    pub body: String,
}

/// What was asked so far.
#[derive(Default)]
struct Journal {
    calls: AtomicU64,
    asked: Mutex<Vec<Asked>>,
}

/// Serves all four under `/NAME`, how often they were called under `/calls`, and what was asked under `/asked`.
pub async fn serve(listener: tokio::net::TcpListener, executed: bool) -> anyhow::Result<()> {
    let journal = Arc::new(Journal::default());
    let told = journal.clone();
    let calls = get(move || async move { told.calls.load(Ordering::Relaxed).to_string() });
    let told = journal.clone();
    let asked = get(move || async move {
        axum::Json(std::mem::take(&mut *told.asked.lock().unwrap_or_else(PoisonError::into_inner)))
    });
    let router = Router::new()
        .route("/calls", calls)
        .route("/asked", asked)
        .merge(subgraph("accounts", accounts::schema(), &journal, executed))
        .merge(subgraph("inventory", inventory::schema(), &journal, executed))
        .merge(subgraph("products", products::schema(), &journal, executed))
        .merge(subgraph("reviews", reviews::schema(), &journal, executed));
    Ok(axum::serve(listener, router).await?)
}

struct Served<E> {
    name: &'static str,
    schema: E,
    journal: Arc<Journal>,
    executed: bool,
    /// The answer to each body: what is measured is the gateway, and it shall not wait for the subgraphs.
    answers: Mutex<HashMap<Bytes, Bytes>>,
}

fn subgraph<E: Executor>(name: &'static str, schema: E, journal: &Arc<Journal>, executed: bool) -> Router {
    let served = Served { name, schema, journal: journal.clone(), executed, answers: Mutex::default() };
    Router::new().route(&format!("/{name}"), post(answer::<E>)).with_state(Arc::new(served))
}

async fn answer<E: Executor>(State(served): State<Arc<Served<E>>>, body: Bytes) -> Response {
    served.journal.calls.fetch_add(1, Ordering::Relaxed);
    let known = (!served.executed)
        .then(|| served.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&body).cloned());
    let answer = match known.flatten() {
        Some(answer) => answer,
        None => served.execute(body).await,
    };
    ([(header::CONTENT_TYPE, "application/graphql-response+json")], answer).into_response()
}

impl<E: Executor> Served<E> {
    async fn execute(&self, body: Bytes) -> Bytes {
        let answer = match serde_json::from_slice::<async_graphql::Request>(&body) {
            Ok(request) => self.schema.execute(request).await,
            Err(error) => async_graphql::Response::from_errors(vec![async_graphql::ServerError::new(
                error.to_string(),
                None,
            )]),
        };
        let answer = Bytes::from(serde_json::to_vec(&answer).unwrap_or_default());
        let mut asked = self.journal.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() < ANSWERS_MAX {
            let body = String::from_utf8_lossy(&body).into_owned();
            asked.push(Asked { subgraph: self.name.to_owned(), body });
        }
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() < ANSWERS_MAX {
            answers.insert(body, answer.clone());
        }
        answer
    }
}

/// The number in an id such as `p7`, when there is such a thing.
fn number(id: &str, prefix: char, count: usize) -> Option<usize> {
    let number = id.strip_prefix(prefix)?.parse().ok()?;
    (1..=count).contains(&number).then_some(number)
}

/// The subgraphs as the engine asks them without HTTP.
pub fn in_process() -> HashMap<String, Arc<dyn federation::Subgraph>> {
    fn asked<E: Executor>(name: &str, schema: E) -> (String, Arc<dyn federation::Subgraph>) {
        (name.to_owned(), Arc::new(federation::InProcess::new(schema, |request, _| request)))
    }
    HashMap::from([
        asked("accounts", accounts::schema()),
        asked("inventory", inventory::schema()),
        asked("products", products::schema()),
        asked("reviews", reviews::schema()),
    ])
}
