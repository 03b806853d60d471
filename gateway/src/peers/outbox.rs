//! Messages between processes: a relay hands them to a process of the role that listens.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth::Principal;
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use outbox::{Away, Consumer, Error, Received};
use tokio::time::Instant;

use super::{AskError, Peers, SignedDoor};
use crate::config::Role;

/// Receivers of other services' messages write to their own database and do nothing else.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long nobody but one is sent to a role that did not answer: messages for others must not wait
/// behind those that nobody takes.
pub const PAUSE: Duration = Duration::from_secs(2);

/// The answer to a message that a consumer did not take in.
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// The consumers of a role that runs elsewhere, as one.
pub struct RemoteRole {
    role: Role,
    topics: Vec<&'static str>,
    peers: Peers,
    /// Until when it is left alone.
    paused_until: Mutex<Option<Instant>>,
}

impl RemoteRole {
    /// `topics` are what the role's consumers listen to.
    pub fn new(role: Role, topics: Vec<&'static str>, peers: Peers) -> Self {
        Self { role, topics, peers, paused_until: Mutex::new(None) }
    }

    /// Whether it did not answer when it was last asked, and answers now; the pause is over then.
    pub async fn is_back(&self) -> bool {
        let is_away = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let is_back = is_away && self.peers.ready(self.role).await.is_some();
        if is_back {
            self.note(true);
        }
        is_back
    }

    /// Whether to try. After a pause one goes ahead, and the others only when it came through.
    fn may_try(&self) -> bool {
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        match *paused {
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                *paused = Some(Instant::now() + TIMEOUT);
                true
            }
            None => true,
        }
    }

    fn note(&self, answered: bool) {
        let until = (!answered).then(|| Instant::now() + PAUSE);
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

#[async_trait::async_trait]
impl Consumer for RemoteRole {
    fn name(&self) -> &'static str {
        self.role.name()
    }

    fn topics(&self) -> &[&'static str] {
        &self.topics
    }

    async fn receive(&self, message: &Received) -> Result<(), Error> {
        if !self.may_try() {
            return Err(Away(self.role.name()).into());
        }
        let body = serde_json::to_vec(message)?;
        let path = path_of(self.role);
        let sent = self.peers.ask(self.role, path, &Principal::Nobody, body, TIMEOUT).await;
        let Err(error) = sent else {
            self.note(true);
            return Ok(());
        };
        // A message that is refused says nothing about the others.
        let is_refused = matches!(&error, AskError::Refused { status, .. } if *status == REFUSED.as_u16());
        self.note(is_refused);
        if is_refused {
            return Err(error.into());
        }
        tracing::warn!(role = %self.role, %error, "no process takes messages");
        Err(Away(self.role.name()).into())
    }
}

/// Where the process of `role` takes messages in: done when all `consumers` of the topic have them, each
/// of which knows by the message's id what it has already.
pub fn outbox_door(door: &SignedDoor, role: Role, consumers: Vec<Arc<dyn Consumer>>) -> Router {
    let consumers: Arc<[Arc<dyn Consumer>]> = consumers.into();
    door.route(path_of(role), move |_, body| {
        let consumers = Arc::clone(&consumers);
        async move {
            let Ok(message) = serde_json::from_slice::<Received>(&body) else {
                return StatusCode::BAD_REQUEST.into_response();
            };
            let mut status = StatusCode::NO_CONTENT;
            for consumer in consumers.iter().filter(|one| one.topics().contains(&message.topic.as_str())) {
                if let Err(error) = consumer.receive(&message).await {
                    tracing::warn!(
                        consumer = consumer.name(), topic = message.topic, message = %message.id,
                        error = &*error, "message was not taken in"
                    );
                    status = REFUSED;
                }
            }
            status.into_response()
        }
    })
}

fn path_of(role: Role) -> &'static str {
    match role {
        Role::Gateway => "/outbox/gateway",
        Role::Catalogue => "/outbox/catalogue",
        Role::Identity => "/outbox/identity",
        Role::Applications => "/outbox/applications",
        Role::Payments => "/outbox/payments",
        Role::Sandbox => "/outbox/sandbox",
    }
}
