//! What payments listens to: applications' fees and ends, and its own timers.

use std::sync::Arc;

use outbox::{Consumer, Error, Received};
use serde::Deserialize;
use uuid::Uuid;

use crate::Service;
use crate::flow::{DayDue, topic};

/// This service's consumers.
pub fn consumers(service: &Service) -> Vec<Arc<dyn Consumer>> {
    vec![Arc::new(Inbox { service: service.clone() })]
}

/// What it listens to.
pub const TOPICS: &[&str] = &[
    "applications.fee_fell_due",
    "applications.closed",
    topic::WATCH,
    topic::ASK,
    topic::WITHDRAW,
    topic::REFUND,
    topic::RECONCILE,
];

struct Inbox {
    service: Service,
}

#[derive(Deserialize)]
struct AboutPayment {
    payment_id: Uuid,
    #[serde(default)]
    attempt: u32,
}

#[derive(Deserialize)]
struct AboutRefund {
    refund_id: Uuid,
    #[serde(default)]
    attempt: u32,
}

#[async_trait::async_trait]
impl Consumer for Inbox {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn topics(&self) -> &'static [&'static str] {
        TOPICS
    }

    async fn receive(&self, message: &Received) -> Result<(), Error> {
        let service = &self.service;
        match message.topic.as_str() {
            "applications.fee_fell_due" => service.issue_bill(message.id, message.parse()?).await?,
            "applications.closed" => service.close_application(message.id, message.parse()?).await?,
            topic::WATCH => {
                let AboutPayment { payment_id, attempt } = message.parse()?;
                service.watch_payment(message.id, payment_id, attempt).await?;
            }
            topic::ASK => {
                let AboutPayment { payment_id, .. } = message.parse()?;
                if !service.ask_about(message.id, payment_id).await? {
                    return Err("the provider did not answer".into());
                }
            }
            topic::WITHDRAW => {
                let AboutPayment { payment_id, attempt } = message.parse()?;
                service.withdraw_payment(message.id, payment_id, attempt).await?;
            }
            topic::REFUND => {
                let AboutRefund { refund_id, attempt } = message.parse()?;
                service.attempt_refund(message.id, refund_id, attempt).await?;
            }
            topic::RECONCILE => service.reconcile(message.id, message.parse::<DayDue>()?).await?,
            _ => {}
        }
        Ok(())
    }
}
