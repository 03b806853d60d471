//! `/healthz`, `/readyz` and `/metrics`: for those who run it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use database::Database;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

const UPKEEP: Duration = Duration::from_secs(5);

/// The databases this process needs to do its work.
type Needed = Arc<Vec<(&'static str, Database)>>;

pub fn routes(databases: Vec<(&'static str, Database)>) -> Router {
    recorder();
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(|| async { recorder().map(PrometheusHandle::render).unwrap_or_default() }))
        .with_state(Arc::new(databases))
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
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}
