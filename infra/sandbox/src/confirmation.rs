//! Telling the merchant of a payment: tried a few times, then forgotten, as banks do.
//!
//! Confirmations are kept nowhere. A merchant who misses one (or whose bank died) has the inquiry.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clock::Clock;
use tokio::sync::Semaphore;

use crate::order::Behaviour;
use crate::{Config, secret};

const TRIES_MAX: u32 = 3;
const TRY_TIMEOUT_S: u64 = 5;
/// How often a late confirmation looks at the clock, which may have been moved.
const LOOK: Duration = Duration::from_millis(200);
/// Confirmations on the wire at the same time.
const SENDING_MAX: usize = 32;

/// What is told, and to whom.
#[derive(Clone, Debug)]
pub struct Confirmation {
    pub url: String,
    pub body: String,
    /// The `webhook-id` of a notification to be signed; the bank's are not.
    pub signed_as: Option<String>,
}

/// Sends confirmations in the background. Cloning shares it.
#[derive(Clone)]
pub struct Sender {
    client: reqwest::Client,
    sending: Arc<Semaphore>,
    webhook_secret: Arc<str>,
    gap: Duration,
    late: Duration,
}

impl Sender {
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        secret::webhook_signature(&config.gwallet_webhook_secret, "", 0, "")
            .context("gwallet_webhook_secret is not whsec_ and base64")?;
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(TRY_TIMEOUT_S))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("making an HTTP client")?;
        Ok(Self {
            client,
            sending: Arc::new(Semaphore::new(SENDING_MAX)),
            webhook_secret: config.gwallet_webhook_secret.as_str().into(),
            gap: Duration::from_millis(config.confirmation_gap_ms),
            late: Duration::from_millis(config.confirmation_late_ms),
        })
    }

    /// Sends in the background, as the payer asked the bank to behave.
    pub fn send(&self, clock: &Clock, mut confirmation: Confirmation, behaviour: Behaviour) {
        let (copies, wait) = match behaviour {
            Behaviour::Missing => return,
            Behaviour::Duplicate => (2, Duration::ZERO),
            Behaviour::Late => (1, self.late),
            _ => (1, Duration::ZERO),
        };
        if behaviour == Behaviour::Unsigned {
            confirmation.signed_as = None;
        }
        let (sender, clock) = (self.clone(), clock.clone());
        tokio::spawn(async move {
            pass(&clock, wait).await;
            for _ in 0..copies {
                sender.deliver(&clock, &confirmation).await;
            }
        });
    }

    async fn deliver(&self, clock: &Clock, confirmation: &Confirmation) {
        for attempt in 1..=TRIES_MAX {
            match self.try_once(clock, confirmation).await {
                Ok(status) if status.is_success() => return,
                Ok(status) => tracing::warn!(attempt, %status, "sandbox: a confirmation was not accepted"),
                Err(error) => {
                    let error = error.without_url();
                    tracing::warn!(attempt, %error, "sandbox: a confirmation did not arrive");
                }
            }
            if attempt < TRIES_MAX {
                tokio::time::sleep(self.gap).await;
            }
        }
    }

    async fn try_once(
        &self,
        clock: &Clock,
        confirmation: &Confirmation,
    ) -> reqwest::Result<reqwest::StatusCode> {
        let _permit = self.sending.acquire().await;
        let body = &confirmation.body;
        let mut request = self.client.post(&confirmation.url).header("content-type", "application/json");
        if let Some(id) = &confirmation.signed_as {
            let timestamp = clock.now().timestamp();
            request = request.header("webhook-id", id).header("webhook-timestamp", timestamp);
            if let Some(signature) = secret::webhook_signature(&self.webhook_secret, id, timestamp, body) {
                request = request.header("webhook-signature", signature);
            }
        }
        Ok(request.body(body.clone()).send().await?.status())
    }
}

/// Waits that long by the machine's clock, or until the movable one was moved as far.
async fn pass(clock: &Clock, wait: Duration) {
    let due_at = clock.now() + wait;
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < wait && clock.now() < due_at {
        tokio::time::sleep(LOOK.min(wait)).await;
    }
}
