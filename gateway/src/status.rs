//! `/status` and `/status.json`: what the public can use now, and what is going to be closed.
//!
//! Asked of the graph as anybody could ask it, so that it is true whichever process a role runs in, and
//! kept for a few seconds. What does not answer is down; the page itself answers all the same. It names
//! what people do, never what of ours they do it with.

mod page;
mod probe;
mod report;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use clock::Clock;
use database::Database;
use tokio::sync::{Mutex, RwLock};

use crate::graph::OwnGraph;
use crate::peers::Peers;
use report::{Report, Since};

/// How long an answer is given again,
const KEPT: Duration = Duration::from_secs(5);
/// and while a new one is being made, which takes long when something is away.
const KEPT_MEANWHILE: Duration = Duration::from_secs(60);

/// What the page is made from.
#[derive(Clone)]
struct Status {
    inner: Arc<Inner>,
}

struct Inner {
    graph: OwnGraph,
    peers: Peers,
    /// Those of this process, by the names of their services.
    databases: Vec<(&'static str, Database)>,
    clock: Clock,
    latest: RwLock<Option<(Instant, Arc<Report>)>>,
    /// Since when each part is as it is; held while asking, so that one asks for all.
    since: Mutex<Since>,
}

/// The page and the same as JSON, for a process that runs the gateway.
pub fn routes(
    graph: OwnGraph,
    peers: Peers,
    databases: Vec<(&'static str, Database)>,
    clock: Clock,
) -> Router {
    let inner = Inner { graph, peers, databases, clock, latest: RwLock::default(), since: Mutex::default() };
    Router::new()
        .route("/status", get(show))
        .route("/status.json", get(show_json))
        .with_state(Status { inner: Arc::new(inner) })
}

async fn show(State(status): State<Status>) -> Response {
    let report = status.report().await;
    let mut response = Html(page::html(&report)).into_response();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.extend(for_everybody());
    response
}

async fn show_json(State(status): State<Status>) -> Response {
    let report = status.report().await;
    let mut response = axum::Json(&*report).into_response();
    let headers = response.headers_mut();
    headers.extend(for_everybody());
    // Read by pages and programs of others, too; there is nothing private in it.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn for_everybody() -> [(HeaderName, HeaderValue); 2] {
    [
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=5")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ]
}

impl Status {
    /// The latest report; made anew when it is old, by one for all who ask.
    async fn report(&self) -> Arc<Report> {
        if let Some(fresh) = self.kept(KEPT).await {
            return fresh;
        }
        let mut since = match (self.inner.since.try_lock(), self.kept(KEPT_MEANWHILE).await) {
            (Ok(since), _) => since,
            (Err(_), Some(latest)) => return latest,
            (Err(_), None) => self.inner.since.lock().await,
        };
        if let Some(fresh) = self.kept(KEPT).await {
            return fresh;
        }
        let Inner { graph, peers, databases, clock, latest, .. } = &*self.inner;
        let found = probe::all(graph, peers, databases).await;
        let report = Arc::new(report::of(found, clock.now(), &mut since));
        *latest.write().await = Some((Instant::now(), Arc::clone(&report)));
        report
    }

    async fn kept(&self, age_max: Duration) -> Option<Arc<Report>> {
        let latest = self.inner.latest.read().await;
        let (made_at, report) = latest.as_ref()?;
        (made_at.elapsed() < age_max).then(|| Arc::clone(report))
    }
}
