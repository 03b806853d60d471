//! A word to the other processes that something is new, so that they need not wait until they ask.
//!
//! It carries nothing: who hears it asks where the news is. Lost, it costs seconds.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

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

/// Tells the others when `count`, which only grows, is another than before a request.
#[derive(Clone)]
pub struct Nudges<C> {
    peers: Peers,
    roles: &'static [Role],
    count: C,
    /// The count that the others have heard of. Held while they are told: whoever has news meanwhile waits, and
    /// the next telling is for all of them.
    told: Arc<Mutex<u64>>,
}

impl<C: Fn() -> u64> Nudges<C> {
    pub fn new(peers: Peers, roles: &'static [Role], count: C) -> Self {
        Self { peers, roles, count, told: Arc::default() }
    }

    /// A layer for routes whose requests may make news: the answer leaves when the others have heard, so
    /// that who logged out here is logged out everywhere.
    pub async fn after(State(nudges): State<Self>, request: Request, next: Next) -> Response {
        let before = (nudges.count)();
        let response = next.run(request).await;
        let after = (nudges.count)();
        if after != before {
            nudges.tell(after).await;
        }
        response
    }

    async fn tell(&self, news: u64) {
        let mut told = self.told.lock().await;
        if *told >= news {
            return;
        }
        let news = (self.count)();
        let deaf = self.peers.ask_everyone(self.roles, PATH, TIMEOUT).await;
        if deaf > 0 {
            tracing::warn!(deaf, "processes did not hear the news; they will ask for them");
        }
        *told = news;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use axum::routing::post;
    use axum::{body::Body, middleware};
    use tokio::sync::Semaphore;
    use tower::ServiceExt;

    use super::*;
    use crate::peers::testing::{peers_at, serving};

    #[tokio::test]
    async fn many_who_log_out_at_once_are_told_of_together() {
        const MANY: usize = 50;
        let (heard, gate) = (Arc::<AtomicU64>::default(), Arc::new(Semaphore::new(0)));
        let hears = {
            let (heard, gate) = (heard.clone(), gate.clone());
            move || async move {
                heard.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
            }
        };
        let peers = peers_at(Role::Gateway, &[serving(Router::new().fallback(hears)).await]);
        let ended = Arc::<AtomicU64>::default();
        let count = {
            let ended = ended.clone();
            move || ended.load(Ordering::SeqCst)
        };
        let nudges = Nudges::new(peers, &[Role::Gateway], count);
        let logout = {
            let ended = ended.clone();
            move || async move {
                // All have ended before the first is told of.
                if ended.fetch_add(1, Ordering::SeqCst) + 1 == MANY as u64 {
                    gate.add_permits(MANY);
                }
            }
        };
        let layer = middleware::from_fn_with_state(nudges, Nudges::after);
        let routes = Router::new().route("/", post(logout)).layer(layer);
        let logouts = (0..MANY)
            .map(|_| routes.clone().oneshot(Request::post("/").body(Body::empty()).expect("a request")));
        for answered in futures::future::join_all(logouts).await {
            assert!(answered.expect("a router answers").status().is_success());
        }
        let heard = heard.load(Ordering::SeqCst);
        assert!((1..=2).contains(&heard), "{heard} times");
    }
}
