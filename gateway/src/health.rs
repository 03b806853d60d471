//! `/healthz`, `/readyz` and `/metrics`: for those who run it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use database::Database;
use tokio_util::sync::CancellationToken;

use crate::measures;
use crate::peers::Hearing;
use crate::pipeline::Door;

/// What this process needs to do its work.
#[derive(Clone, Default)]
pub struct Needed {
    pub databases: Vec<(&'static str, Database)>,
    pub hearing: Hearing,
    /// Told when the process drains: then others are to be asked.
    pub stop: CancellationToken,
}

/// `door` is there with the gateway alone.
pub fn routes(needed: Needed, door: Option<Arc<Door>>) -> Router {
    let measured = door.clone();
    Router::new()
        .route("/healthz", get(move || async move { alive(door.as_deref()) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(move || async move { measures::shown(measured.as_ref()) }))
        .with_state(Arc::new(needed))
}

/// Alive unless planning has lost as many threads as there are cores: then the process is to be replaced.
fn alive(door: Option<&Door>) -> (StatusCode, String) {
    let lost = door.map_or(0, |door| door.engine.now().lost_threads());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if lost < cores {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{lost} threads plan without an end\n"))
    }
}

/// Ready when every database of this process answers and what it must hear from others was heard, until it
/// drains; otherwise says what is missing.
async fn ready(State(needed): State<Arc<Needed>>) -> (StatusCode, String) {
    let mut silent = Vec::new();
    if needed.stop.is_cancelled() {
        silent.push("it is draining");
    }
    if !needed.hearing.is_ready() {
        silent.push("the keys of identity");
    }
    for (name, database) in &needed.databases {
        if let Err(error) = database.ping().await {
            tracing::warn!(database = name, %error, "a database does not answer");
            silent.push(*name);
        }
    }
    if silent.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", silent.join(", ")))
    }
}
