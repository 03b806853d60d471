//! Forgetting an applicant: says what stands in the way, and shreds their key when identity has decided.

use outbox::{Consumer, Error, Received};
use serde::Deserialize;
use uuid::Uuid;

use crate::store::{Refusal, Store};

/// The name under which messages are taken in once.
pub const CONSUMER: &str = "applications.erasure";

/// What it listens to.
pub const TOPICS: &[&str] = &["identity.erasure_asked", "identity.citizen_erased"];

/// `identity.erasure_asked`.
#[derive(Debug, Deserialize)]
pub struct Asked {
    pub erasure_id: Uuid,
    pub citizen_id: Uuid,
    pub round: i64,
}

/// `identity.citizen_erased`, as far as it is read here.
#[derive(Debug, Deserialize)]
struct Erased {
    citizen_id: Uuid,
}

/// Takes in what identity tells of erasures.
pub struct Forgetter {
    store: Store,
}

impl Forgetter {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait::async_trait]
impl Consumer for Forgetter {
    fn name(&self) -> &'static str {
        CONSUMER
    }

    fn topics(&self) -> &'static [&'static str] {
        TOPICS
    }

    async fn receive(&self, message: &Received) -> Result<(), Error> {
        let taken_in: Result<(), Refusal> = match message.topic.as_str() {
            "identity.erasure_asked" => self.store.answer_erasure(message.id, &message.parse()?).await,
            "identity.citizen_erased" => {
                let Erased { citizen_id } = message.parse()?;
                self.store.forget_applicant(message.id, citizen_id).await
            }
            _ => Ok(()),
        };
        taken_in.map_err(|refusal| format!("{refusal:?}").into())
    }
}
