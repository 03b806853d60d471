//! Messages between processes: a relay hands them to a process of the role that listens.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth::Principal;
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures::FutureExt;
use outbox::{Away, Consumer, Error, Received};
use tokio::time::Instant;

use super::{AskError, Peers, SignedDoor};
use crate::config::Role;

/// Receivers of other services' messages write to their own database and do nothing else.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long nobody but one is sent to a role that did not answer: messages for others must not wait
/// behind those that nobody takes.
pub const PAUSE: Duration = Duration::from_secs(2);

/// A role that says that it is ready and still takes nothing is asked later and later, up to about a minute:
/// all that waits for it would be tried each time.
const PAUSE_DOUBLINGS_MAX: u32 = 5;
/// How long a consumer may take: less than half of [`TIMEOUT`], so that who sends hears in time that it is this
/// message, and not the role.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(4);

/// The answer to a message that a consumer did not take in.
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
/// Answers about a message, which say nothing about the others.
const ABOUT_THE_MESSAGE: [StatusCode; 3] = [REFUSED, StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE];

/// The consumers of a role that runs elsewhere, as one.
pub struct RemoteRole {
    role: Role,
    topics: Vec<&'static str>,
    peers: Peers,
    pause: Mutex<Pause>,
}

/// How a role is left alone that takes no messages.
#[derive(Default)]
struct Pause {
    /// `None` while it takes them.
    until: Option<Instant>,
    /// When it is asked next whether it is back.
    look_at: Option<Instant>,
    /// How often it said so since it last took one.
    said_back: u32,
}

impl RemoteRole {
    /// `topics` are what the role's consumers listen to.
    pub fn new(role: Role, topics: Vec<&'static str>, peers: Peers) -> Self {
        Self { role, topics, peers, pause: Mutex::default() }
    }

    /// Whether it did not answer when it was last asked, and answers now; the pause is over then.
    pub async fn is_back(&self) -> bool {
        let is_asked = {
            let pause = self.pause();
            pause.until.is_some() && pause.look_at.is_none_or(|at| at <= Instant::now())
        };
        let is_back = is_asked && self.peers.ready(self.role).await.is_some();
        if is_back {
            let mut pause = self.pause();
            pause.said_back = pause.said_back.saturating_add(1);
            let doublings = pause.said_back.min(PAUSE_DOUBLINGS_MAX);
            pause.look_at = Some(Instant::now() + PAUSE * (1 << doublings));
            pause.until = None;
        }
        is_back
    }

    /// Whether to try. After a pause one goes ahead, and the others only when it came through.
    fn may_try(&self) -> bool {
        let mut pause = self.pause();
        match pause.until {
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                pause.until = Some(Instant::now() + TIMEOUT);
                true
            }
            None => true,
        }
    }

    fn note(&self, answered: bool) {
        let mut pause = self.pause();
        match answered {
            true => *pause = Pause::default(),
            false => pause.until = Some(Instant::now() + PAUSE),
        }
    }

    fn pause(&self) -> MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
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
        let is_refused = matches!(&error, AskError::Refused { status, .. }
            if ABOUT_THE_MESSAGE.iter().any(|one| one.as_u16() == *status));
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
                if let Err(error) = received(consumer.as_ref(), &message).await {
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

/// Hands a message over. A receiver that breaks down or takes too long has not taken it in; the connection
/// stays, so that the sender does not take the whole role for gone.
async fn received(consumer: &dyn Consumer, message: &Received) -> Result<(), Error> {
    let receiving = AssertUnwindSafe(consumer.receive(message)).catch_unwind();
    match tokio::time::timeout(RECEIVE_TIMEOUT, receiving).await {
        Ok(Ok(taken_in)) => taken_in,
        Ok(Err(_)) => Err("the receiver broke down".into()),
        Err(_) => Err("the receiver took too long".into()),
    }
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

#[cfg(test)]
mod tests;
