//! Forgetting a payer: says whether money is unsettled. Nothing personal is kept here, so that nothing
//! has to go: bills, receipts and the books name a party by an id that leads nowhere any more.

use outbox::{Consumer, Error, Received};
use serde::Deserialize;
use uuid::Uuid;

use crate::Service;

/// The name under which messages are taken in once.
pub const CONSUMER: &str = "payments.erasure";

/// What it listens to.
pub const TOPICS: &[&str] = &["identity.erasure_asked"];

/// `identity.erasure_asked`.
#[derive(Debug, Deserialize)]
pub struct Asked {
    pub erasure_id: Uuid,
    pub citizen_id: Uuid,
    pub round: i64,
}

/// Takes in what identity asks before an erasure.
pub struct Witness {
    pub service: Service,
}

#[async_trait::async_trait]
impl Consumer for Witness {
    fn name(&self) -> &'static str {
        CONSUMER
    }

    fn topics(&self) -> &'static [&'static str] {
        TOPICS
    }

    async fn receive(&self, message: &Received) -> Result<(), Error> {
        Ok(self.service.answer_erasure(message.id, &message.parse()?).await?)
    }
}
