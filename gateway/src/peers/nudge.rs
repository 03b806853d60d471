//! A word to the other processes that something is new, so that they need not wait until they ask.
//!
//! It carries nothing: who hears it asks where the news is. Lost, it costs seconds.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::clock::Follower;
use super::sessions::Sessions;
use super::{Peers, SignedDoor};
use crate::config::Role;

const PATH: &str = "/internal/news";
/// How long whoever has news waits for the others to hear them.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What this process hears from others.
#[derive(Clone, Default)]
pub struct Hearing {
    /// None where the sandbox is, or where there is none.
    pub clock: Option<Follower>,
    /// None where identity is, or where no token is checked.
    pub sessions: Option<Sessions>,
}

impl Hearing {
    pub async fn follow_clock(&self) {
        if let Some(clock) = &self.clock
            && let Err(error) = clock.follow().await
        {
            tracing::warn!(%error, "the sandbox's clock was not read");
        }
    }

    pub async fn hear_sessions(&self) {
        if let Some(sessions) = &self.sessions {
            sessions.hear().await;
        }
    }

    /// Whether all that has to be known before anything can be answered is known.
    pub fn is_ready(&self) -> bool {
        self.sessions.as_ref().is_none_or(Sessions::were_heard)
    }
}

/// Where a process hears that there are news; it answers when it knows them.
pub fn nudge_door(door: &SignedDoor, hearing: Hearing) -> Router {
    door.route(PATH, move |_, _| {
        let hearing = hearing.clone();
        async move {
            // The clock first: sessions are read by it.
            hearing.follow_clock().await;
            hearing.hear_sessions().await;
            StatusCode::NO_CONTENT.into_response()
        }
    })
}

/// Tells the others when `count` is another than before a request.
#[derive(Clone)]
pub struct Nudges<C> {
    peers: Peers,
    roles: &'static [Role],
    count: C,
}

impl<C: Fn() -> u64> Nudges<C> {
    pub fn new(peers: Peers, roles: &'static [Role], count: C) -> Self {
        Self { peers, roles, count }
    }

    /// A layer for routes whose requests may make news: the answer leaves when the others have heard, so
    /// that who logged out here is logged out everywhere.
    pub async fn after(State(nudges): State<Self>, request: Request, next: Next) -> Response {
        let before = (nudges.count)();
        let response = next.run(request).await;
        if (nudges.count)() != before {
            let deaf = nudges.peers.ask_everyone(nudges.roles, PATH, TIMEOUT).await;
            if deaf > 0 {
                tracing::warn!(deaf, "processes did not hear the news; they will ask for them");
            }
        }
        response
    }
}
