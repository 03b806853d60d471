//! Hears what the catalogue published, and drops the answers that show it, in every gateway.

use cache::Tags;
use outbox::{Consumer, Error, Received};

use crate::pipeline::tag_of;

/// Runs where the messages are sent from: Redis carries it to the gateways in other processes.
pub struct Invalidation(pub Tags);

#[async_trait::async_trait]
impl Consumer for Invalidation {
    fn name(&self) -> &'static str {
        "gateway_answers"
    }

    fn topics(&self) -> &[&'static str] {
        catalogue::TOPICS_OF_CHANGES
    }

    async fn receive(&self, _: &Received) -> Result<(), Error> {
        self.0.invalidate(&[tag_of("catalogue")]).await;
        Ok(())
    }
}
