//! The way of money: bill issued, payment started, money seen, bill settled, money given back.
//!
//! No call to a provider is made inside a transaction. Whoever changes a bill, or a payment of it,
//! holds the bill's row first, so that money that comes two ways at once stands in line.

mod bill;
mod compare;
mod desk;
mod finding;
mod inquiry;
mod notification;
mod reconcile;
mod refund;
mod settle;
mod start;
mod withdraw;

use std::panic::Location;

use chrono::{DateTime, Duration, Utc};
use failpoint::Point;

pub use desk::{Hand, Handled};
pub use inquiry::Checked;
pub use reconcile::DayDue;
pub use start::{PaymentOrder, Started};

use crate::Service;
use crate::provider::{Intent, ProviderError};
use crate::store::payment::Payment;

/// Topics of messages to oneself: things to do outside a transaction, and timers.
pub mod topic {
    /// A timer: what became of a payment? Again later, until its time is over.
    pub const WATCH: &str = "payments.watch";
    /// The same, once and now: someone says that money came.
    pub const ASK: &str = "payments.ask";
    /// A payment is no longer wanted.
    pub const WITHDRAW: &str = "payments.withdraw";
    /// A refund is owed.
    pub const REFUND: &str = "payments.refund";
    /// A timer: a day is over; compare it with what the provider says of it.
    pub const RECONCILE: &str = "payments.reconcile";
}

/// How long after its end a payment is still watched: clocks differ, and banks take a while.
const GRACE_S: i64 = 180;
/// The first wait between two attempts, and the longest.
const BACK_OFF_FIRST_S: i64 = 5;
const BACK_OFF_MAX_S: i64 = 120;

impl Service {
    /// A call to a provider, token and all, ends within the time that is configured.
    #[track_caller]
    fn within<T>(
        &self,
        call: impl Future<Output = Result<T, ProviderError>>,
    ) -> impl Future<Output = Result<T, ProviderError>> {
        let at = Location::caller();
        async move {
            let timeout = std::time::Duration::from_millis(self.config.provider_timeout_ms);
            failpoint::reach_at(Point::BeforeProvider, at);
            let answer = tokio::time::timeout(timeout, call).await;
            failpoint::reach_at(Point::AfterProvider, at);
            answer.unwrap_or(Err(ProviderError::Timeout))
        }
    }
}

/// The wait after this many attempts: 5, 10, 20 … 120 s.
fn back_off(attempt: u32) -> Duration {
    Duration::seconds((BACK_OFF_FIRST_S << attempt.min(10)).min(BACK_OFF_MAX_S))
}

/// When watching a payment ends.
fn watched_until(payment: &Payment) -> DateTime<Utc> {
    payment.expires_at + Duration::seconds(GRACE_S)
}

/// What the provider is told of a payment; nothing personal.
fn intent_of(payment: &Payment, description: &str) -> Intent {
    Intent {
        method: payment.method,
        reference: payment.reference.clone(),
        amount_satang: payment.amount_satang,
        description: description.to_owned(),
        created_at: payment.created_at,
        expires_at: payment.expires_at,
        provider_ref: payment.provider_ref.clone(),
    }
}
