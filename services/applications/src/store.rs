//! Every SQL statement, and the transactions they belong to: one per thing that happens.

pub mod application;
pub mod closure;
pub mod draft;
pub mod erasure;
pub mod event;
pub mod evidence;
pub mod legal_clock;
pub mod listing;
pub mod object;
pub mod offering;
pub mod payment;
pub mod review;
pub mod submission;
pub mod upload;

use std::collections::HashMap;

use cache::{Listener, Wake};
use clock::Clock;
use database::{Database, Migrations, Tx};
use graphql::{ErrorCode, Failure, FieldProblem};
use idempotency::{Begin, Key};
use outbox::Outbox;
use sealing::{Sealer, SubjectKey};
use serde::Serialize;
use serde_json::json;
use switches::Switches;
use uuid::Uuid;

use crate::model::NotAllowed;
use application::Application;

/// The tables of this service.
pub static MIGRATIONS: Migrations = database::migrations!(
    "applications",
    "0001_application",
    "0002_legal_clock",
    "0003_event_partitions",
    "0004_queue_by_service",
);

/// The applications' data.
#[derive(Clone)]
pub struct Store {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    sealer: Sealer,
    outbox: Outbox,
    /// What is closed to new applications, as catalogue said.
    pub(crate) switches: Switches,
    /// Wakes those who follow an application, by its id: the table is the truth.
    wake: Wake,
}

/// Who reads: what is neither theirs nor their agency's is not there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reader {
    Parties(Vec<Uuid>),
    Agency(String),
}

/// Why something was not done.
#[derive(Debug)]
pub enum Refusal {
    /// Not there, or not the caller's.
    NotFound,
    /// The rules refuse it.
    NotAllowed(NotAllowed),
    /// The offering is closed to new applications, or to this kind of party.
    NotOffered(&'static str),
    /// Those who run this platform closed the public service for the moment.
    Closed(Box<switches::Closure>),
    /// The party has as many drafts as one may have.
    TooManyDrafts,
    /// The idempotency key was used for something else.
    KeyReused,
    /// What was sent is wrong, field by field.
    Invalid(Vec<FieldProblem>),
    /// The draft was saved elsewhere meanwhile; here it is as it stands.
    OldRevision(Box<Application>),
    /// Another service cannot be asked now.
    Unavailable,
    /// A failure, not an outcome.
    Failed(Failure),
}

macro_rules! failures {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        }
    )+};
}
failures!(
    database::Error,
    sealing::Error,
    serde_json::Error,
    object_store::Error,
    crate::model::answers::BadForm,
);

impl From<NotAllowed> for Refusal {
    fn from(reason: NotAllowed) -> Self {
        Self::NotAllowed(reason)
    }
}

/// Where there is no problem to answer with, a refusal is a failure.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Failed(failure) => failure,
            Refusal::NotFound => {
                Self::new(ErrorCode::NotFound, "There is no such thing, or it is not yours.")
            }
            Refusal::Unavailable => Self::unavailable("Something needed for this does not answer."),
            other => Self::internal(format!("a refusal nobody expected: {other:?}")),
        }
    }
}

/// A write that is safe to send twice: who, what, under which key.
pub struct Once<'a> {
    subject: String,
    operation: &'static str,
    key: &'a str,
}

impl<'a> Once<'a> {
    pub fn new(subject: Uuid, operation: &'static str, key: &'a str) -> Self {
        Self { subject: subject.to_string(), operation, key }
    }

    fn key(&self) -> Key<'_> {
        Key { subject: &self.subject, operation: self.operation, key: self.key }
    }
}

impl Store {
    pub fn new(database: Database, clock: Clock, sealer: Sealer, outbox: Outbox, wake: Wake) -> Self {
        let switches = Switches::new(database.clone(), clock.clone(), outbox.clone());
        Self { database, clock, sealer, outbox, switches, wake }
    }

    /// Hears when something happens to the application, in whichever process.
    pub fn listen(&self, application_id: Uuid) -> Listener {
        self.wake.listen(&topic(application_id))
    }

    /// The keys that open what is sealed for these parties, in one query; the erased have none.
    pub async fn subject_keys(&self, parties: &[Uuid]) -> Result<HashMap<Uuid, SubjectKey>, sealing::Error> {
        self.sealer.subject_keys(&mut self.database.clone(), parties).await
    }

    /// Begins a write: the id it made when it was done before, or `None` the first time.
    async fn begin(
        &self,
        tx: &mut Tx,
        once: &Once<'_>,
        fingerprint: &impl Serialize,
    ) -> Result<Option<Uuid>, Refusal> {
        // Under a key: what was typed must not be guessed from its plain digest.
        let fingerprint =
            self.sealer.blind_index("idempotency_key.fingerprint", &serde_json::to_string(fingerprint)?);
        match idempotency::begin(tx, &once.key(), &fingerprint, self.clock.now()).await? {
            Begin::First => Ok(None),
            Begin::Conflict => Err(Refusal::KeyReused),
            Begin::Replay(result) => Ok(Some(serde_json::from_value(result["id"].clone())?)),
        }
    }

    /// Remembers what the write made, for a replay.
    async fn complete(&self, tx: &mut Tx, once: &Once<'_>, id: Uuid) -> Result<(), Refusal> {
        Ok(idempotency::complete(tx, &once.key(), json!({ "id": id })).await?)
    }

    /// Wakes the subscriptions of an application once the change can be seen.
    fn wake_after_commit(&self, tx: &mut Tx, application_id: Uuid) {
        let wake = self.wake.clone();
        tx.after_commit(move || wake.wake(&topic(application_id)));
    }
}

fn topic(application_id: Uuid) -> String {
    format!("application:{application_id}")
}
