//! `/healthz`, `/readyz` and `/metrics`: for those who run it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use database::Database;
use federation::Engine;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

const UPKEEP: Duration = Duration::from_secs(5);
/// Upper bounds of the histograms' buckets, in seconds: from a cached answer to the request timeout.
const DURATION_S: [f64; 11] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// The databases this process needs to do its work.
type Needed = Arc<Vec<(&'static str, Database)>>;

pub fn routes(databases: Vec<(&'static str, Database)>, engine: Arc<Engine>) -> Router {
    recorder();
    Router::new()
        .route("/healthz", get(move || async move { alive(&engine) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(|| async { recorder().map(PrometheusHandle::render).unwrap_or_default() }))
        .with_state(Arc::new(databases))
}

/// Alive unless planning has lost as many threads as there are cores: then the process is to be replaced.
fn alive(engine: &Engine) -> (StatusCode, String) {
    let lost = engine.lost_threads();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if lost < cores {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{lost} threads plan without an end\n"))
    }
}

/// Ready when every database answers; otherwise says which do not.
async fn ready(State(databases): State<Needed>) -> (StatusCode, String) {
    let mut silent = Vec::new();
    for (name, database) in databases.iter() {
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

/// Takes the samples of histograms in, now and then: between scrapes, or without any, they would pile up.
pub async fn upkeep(stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
        if let Some(recorder) = recorder() {
            recorder.run_upkeep();
        }
    }
}

/// The process's one recorder; `None` when another was installed first.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || PrometheusBuilder::new().set_buckets(&DURATION_S).ok()?.install_recorder().ok();
    RECORDER.get_or_init(install).as_ref()
}
