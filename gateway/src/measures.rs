//! What is measured of this process, for `/metrics` (Prometheus).
//!
//! What is counted as it happens stands where it happens; here is what is looked up when somebody asks.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::gauge;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio_util::sync::CancellationToken;

use crate::pipeline::Door;

const UPKEEP: Duration = Duration::from_secs(5);
/// Upper bounds of the histograms' buckets, in seconds: from a kept answer, which takes less than a
/// millisecond, to the request timeout. Bounds that are promised stand among them.
const DURATION_S: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
    15.0,
];

/// Begins to count. Handles that were made before count nothing.
pub fn begin() {
    if recorder().is_some() {
        metrics_process::Collector::default().describe();
        gauge!("pratu_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    }
}

/// Everything, as Prometheus reads it. `door` is there with the gateway alone.
pub fn shown(door: Option<&Arc<Door>>) -> String {
    let Some(recorder) = recorder() else { return String::new() };
    Collector::default().collect();
    if let Some(door) = door {
        let (running, _) = door.guards.load.state();
        gauge!("graphql_executions_running").set(running as f64);
        gauge!("graphql_subscriptions_max").set(door.limits.subscriptions_max as f64);
        gauge!("graphql_plans_lost").set(door.engine.now().lost_threads() as f64);
    }
    recorder.render()
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
