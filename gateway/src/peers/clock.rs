//! The sandbox's clock in the other processes: they follow wherever it is moved.

use std::time::Duration;

use ::clock::Clock;
use auth::Principal;
use axum::response::IntoResponse;
use axum::{Json, Router};
use tokio_util::sync::CancellationToken;

use super::{AskError, Peers, SignedDoor};
use crate::config::Role;

const PATH: &str = "/internal/clock";
const TIMEOUT: Duration = Duration::from_secs(2);
/// How often the sandbox is asked; when its clock is moved it also says so itself.
pub const FOLLOW: Duration = Duration::from_secs(1);
/// Between two tries at the start.
const RETRY: Duration = Duration::from_millis(200);
/// Tries after which it is said what is waited for.
const TRIES_QUIET: u32 = 25;

/// Follows the clock of the sandbox's process.
#[derive(Clone)]
pub struct Follower {
    peers: Peers,
    clock: Clock,
}

impl Follower {
    pub fn new(peers: Peers, clock: Clock) -> Self {
        Self { peers, clock }
    }

    /// Waits for the sandbox: time must not go back over what was kept.
    pub async fn begin(&self, stop: &CancellationToken) {
        for tries in 1_u32.. {
            match self.follow().await {
                Ok(()) => return,
                Err(error) if tries % TRIES_QUIET == 0 => tracing::warn!(%error, "waiting for the clock"),
                Err(_) => {}
            }
            if stop.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
                return;
            }
        }
    }

    /// Moves this process's clock to where the sandbox's is.
    pub async fn follow(&self) -> Result<(), AskError> {
        let body = Vec::new();
        let told = self.peers.ask(Role::Sandbox, PATH, &Principal::Nobody, body, TIMEOUT).await?;
        let told: Option<i64> = serde_json::from_slice(&told).ok();
        let offset = told.map_or_else(|| self.clock.offset(), chrono::Duration::microseconds);
        self.clock.move_to(offset);
        Ok(())
    }
}

/// Where the sandbox's process tells how far its clock was moved, in microseconds.
pub fn clock_door(door: &SignedDoor, clock: Clock) -> Router {
    door.route(PATH, move |_, _| {
        let offset = clock.offset().num_microseconds();
        async move { Json(offset).into_response() }
    })
}
