//! What identity listens to: the other services' word on whether a person can be forgotten.

use std::sync::Arc;

use outbox::{Consumer, Error, Received};

use crate::Service;
use crate::store::erasure::CONSUMER;

/// What it listens to.
pub const TOPICS: &[&str] = &["applications.erasure_answered", "payments.erasure_answered"];

/// Takes in messages of other services.
pub struct Listener {
    service: Service,
}

impl Service {
    /// What it listens to.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(Listener { service: self.clone() })]
    }
}

#[async_trait::async_trait]
impl Consumer for Listener {
    fn name(&self) -> &'static str {
        CONSUMER
    }

    fn topics(&self) -> &'static [&'static str] {
        TOPICS
    }

    async fn receive(&self, message: &Received) -> Result<(), Error> {
        let inner = &self.service.inner;
        let (answered, now) = (message.parse()?, inner.clock.now());
        let done = inner.store.hear_of_obstacles(&inner.outbox, message.id, &answered, now).await?;
        if done {
            self.service.hear_of_ends().await?;
            inner.store.database().scrub().await?;
        }
        Ok(())
    }
}
