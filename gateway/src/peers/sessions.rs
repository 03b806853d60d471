//! What a process without identity has to know to check tokens: identity's keys, and who logged out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::clock::Clock;
use auth::{EndedSessions, Keys, Principal, TokenVerifier};
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Peers, SignedDoor};
use crate::config::Role;

const PATH: &str = "/internal/sessions";
const TIMEOUT: Duration = Duration::from_secs(3);
/// Tokens live for five minutes, and clocks differ.
const FIRST_S: i64 = 7 * 60;
/// How far back is read again: an end is seen only once it is committed.
const OVERLAP_S: i64 = 60;
/// Pages of ends read at one time.
const PAGES_MAX: usize = 1_000;

/// What a process asks identity for: the ends after this one.
#[derive(Serialize, Deserialize)]
pub struct After(pub DateTime<Utc>, pub Uuid);

/// What identity tells.
#[derive(Serialize, Deserialize)]
pub struct News {
    /// The public keys, as a JWKS.
    pub keys: serde_json::Value,
    /// A page of sessions that ended, in order; the last page is empty.
    pub ended: Vec<(DateTime<Utc>, Uuid)>,
}

/// Keeps a verifier of tokens up to date from afar. Cloning shares it.
#[derive(Clone)]
pub struct Sessions {
    peers: Peers,
    clock: Clock,
    keys: Keys,
    ended: EndedSessions,
    heard_at: Arc<Mutex<DateTime<Utc>>>,
    heard: Arc<AtomicBool>,
}

impl Sessions {
    pub fn new(peers: Peers, clock: Clock) -> Self {
        let first = clock.now() - chrono::Duration::seconds(FIRST_S);
        let (keys, ended) = (Keys::default(), EndedSessions::default());
        Self { peers, clock, keys, ended, heard_at: Arc::new(Mutex::new(first)), heard: Arc::default() }
    }

    /// Checks tokens of `issuer` by what was heard.
    pub fn verifier(&self, issuer: &str, audience: &str) -> TokenVerifier {
        TokenVerifier::new(issuer, audience, self.keys.clone(), self.ended.clone(), self.clock.clone())
    }

    /// Whether identity was heard at all: before, no token can be told from a forged one.
    pub fn were_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    /// Hears what is new. To be called every few seconds: until then the tokens of a session that ended
    /// elsewhere are taken here.
    pub async fn hear(&self) {
        if let Err(error) = self.try_to_hear().await {
            tracing::warn!(
                error = &*error,
                "identity was not heard; keys and ended sessions stay as they are"
            );
        }
    }

    async fn try_to_hear(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let now = self.clock.now();
        let heard = *self.heard_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut after = After(heard - chrono::Duration::seconds(OVERLAP_S), Uuid::nil());
        // Where there are more, it goes on from there the next time.
        let mut until = heard;
        for _ in 0..PAGES_MAX {
            let body = serde_json::to_vec(&after)?;
            let news = self.peers.ask(Role::Identity, PATH, &Principal::Nobody, body, TIMEOUT).await?;
            let News { keys, ended } = serde_json::from_slice(&news)?;
            self.keys.replace(&serde_json::from_value::<JwkSet>(keys)?);
            let Some((at, session)) = ended.last() else {
                until = now;
                self.heard.store(true, Ordering::Relaxed);
                break;
            };
            (until, after) = (*at, After(*at, *session));
            ended.iter().for_each(|(_, session)| self.ended.add(*session));
        }
        *self.heard_at.lock().unwrap_or_else(PoisonError::into_inner) = until;
        Ok(())
    }
}

/// Where identity's process tells it; `news` is its own word.
pub fn sessions_door<N, F, E>(door: &SignedDoor, news: N) -> Router
where
    N: Fn(After) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<News, E>> + Send,
    E: std::error::Error,
{
    door.route(PATH, move |_, body| {
        let news = news.clone();
        async move {
            let Ok(after) = serde_json::from_slice(&body) else {
                return StatusCode::BAD_REQUEST.into_response();
            };
            match news(after).await {
                Ok(news) => Json(news).into_response(),
                Err(error) => {
                    tracing::error!(%error, "keys and ended sessions cannot be told");
                    StatusCode::SERVICE_UNAVAILABLE.into_response()
                }
            }
        }
    })
}
