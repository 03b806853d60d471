//! `POST /sandbox/clock`: moves the sandbox's time forward, for legal clocks, expiry and back-off.

use std::path::{Path, PathBuf};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use clock::Clock;
use outbox::Outbox;
use serde::{Deserialize, Serialize};

const FILE: &str = "sandbox-clock";
const ADVANCE_S_MAX: i64 = 400 * 24 * 3600;

#[derive(Clone)]
struct SandboxClock {
    clock: Clock,
    file: PathBuf,
    /// Woken so that timers which fell due are delivered at once.
    outboxes: Vec<Outbox>,
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: i64,
}

#[derive(Serialize)]
struct Time {
    now: chrono::DateTime<chrono::Utc>,
    ahead_seconds: i64,
}

/// Takes up the offset of an earlier run: time never goes back over kept data.
pub fn restore(clock: &Clock, data: &Path) {
    let kept = std::fs::read_to_string(data.join(FILE)).ok();
    if let Some(seconds) = kept.and_then(|text| text.trim().parse().ok()) {
        clock.advance(chrono::Duration::seconds(seconds));
    }
}

pub fn routes(clock: Clock, data: &Path, outboxes: Vec<Outbox>) -> Router {
    let state = SandboxClock { clock, file: data.join(FILE), outboxes };
    Router::new().route("/sandbox/clock", get(show).post(advance)).with_state(state)
}

async fn show(State(state): State<SandboxClock>) -> Json<Time> {
    Json(state.time())
}

async fn advance(
    State(state): State<SandboxClock>,
    Json(advance): Json<Advance>,
) -> Result<Json<Time>, (StatusCode, String)> {
    if !(0..=ADVANCE_S_MAX).contains(&advance.advance_seconds) {
        let message = format!("advance_seconds must be from 0 to {ADVANCE_S_MAX}\n");
        return Err((StatusCode::BAD_REQUEST, message));
    }
    state.clock.advance(chrono::Duration::seconds(advance.advance_seconds));
    let time = state.time();
    if let Err(error) = std::fs::write(&state.file, time.ahead_seconds.to_string()) {
        tracing::warn!(%error, "the sandbox clock's offset was not kept");
    }
    for outbox in &state.outboxes {
        outbox.wake();
    }
    Ok(Json(time))
}

impl SandboxClock {
    fn time(&self) -> Time {
        Time { now: self.clock.now(), ahead_seconds: self.clock.offset().num_seconds() }
    }
}
