//! Hears what the catalogue published, and drops the answers that show it, in every gateway.

use cache::Tags;
use outbox::{Away, Consumer, Error, Received};

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
        if self.0.invalidate(&[tag_of("catalogue")]).await {
            return Ok(());
        }
        // It comes again: were this process to end before Redis is back, nobody else would know.
        Err(Away("Redis").into())
    }
}

#[cfg(test)]
mod tests {
    use cache::{Redis, RedisConfig};
    use clock::Clock;

    use super::*;

    #[tokio::test]
    async fn a_change_that_no_other_gateway_was_told_of_comes_again() {
        let message = || Received {
            id: uuid::Uuid::nil(),
            topic: catalogue::TOPICS_OF_CHANGES[0].to_owned(),
            payload: serde_json::Value::Null,
        };
        let alone = Invalidation(Tags::new(None, Clock::system()));
        assert!(alone.receive(&message()).await.is_ok());
        let nobody = RedisConfig { urls: vec!["redis://127.0.0.1:1".into()], ..RedisConfig::default() };
        let cut_off = Invalidation(Tags::new(Redis::open(&nobody).unwrap(), Clock::system()));
        assert!(cut_off.receive(&message()).await.is_err());
    }
}
