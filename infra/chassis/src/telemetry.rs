//! Structured logs, to standard error, as lines for people or as JSON for machines; and traces.

mod traces;

use std::io::IsTerminal;

use tracing_subscriber::filter::{FilterFn, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

pub use traces::{Exporting, Traces, continue_from, pass_on};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Sends logs to standard error, and traces where `traces` says; `filter` is in the syntax of
/// `tracing-subscriber`'s `EnvFilter` and is for the logs alone. A second call in one process changes
/// nothing. Called within the runtime.
pub fn init(format: LogFormat, filter: &str, traces: &Traces) -> Exporting {
    let exporting = Exporting::begin(traces);
    let spans = exporting.tracer().map(|tracer| {
        let spans =
            tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
        spans.with_filter(FilterFn::new(traces::is_traced).with_max_level_hint(LevelFilter::DEBUG))
    });
    let registry = tracing_subscriber::registry().with(spans);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let started = match format {
        LogFormat::Text => registry.with(lines.with_target(false).compact().with_filter(filter)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_filter(filter)).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logs were set up before");
        return Exporting::default();
    }
    // A panic's message may hold anything, somebody's data too: where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(place, %backtrace, "panicked");
    }));
    exporting
}
