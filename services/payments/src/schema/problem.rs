//! Expected outcomes that are not success.

use async_graphql::{Interface, SimpleObject};
use chrono::{DateTime, Utc};
use graphql::{ConflictProblem, ErrorCode, InvalidInput, LocalizedText, NotFoundProblem, StateProblem};
use switches::Closure;

use crate::model::{BillStatus, PaymentMethod};

/// An expected outcome that is not success: data, not an error.
#[allow(clippy::duplicated_attributes, reason = "two fields of one type are no duplicate")]
#[derive(Interface)]
#[graphql(
    field(name = "code", ty = "&String", desc = "A stable code of the published catalogue."),
    field(name = "message", ty = "&String", desc = "What happened, for developers."),
    field(name = "retryable", ty = "&bool", desc = "Whether the same request may succeed later, unchanged.")
)]
pub enum Problem {
    BillNotPayable(BillNotPayable),
    NotFound(NotFoundProblem),
    Conflict(ConflictProblem),
    State(StateProblem),
    InvalidInput(InvalidInput),
    MethodClosed(PaymentMethodClosed),
}

/// The bill is settled or cancelled already: there is nothing to pay.
#[derive(SimpleObject)]
pub struct BillNotPayable {
    /// A stable code of the published catalogue.
    code: String,
    /// What happened, for developers; clients show their own words by code.
    message: String,
    /// Whether the same request may succeed later, unchanged.
    retryable: bool,
    /// Where the bill stands.
    bill_status: BillStatus,
}

impl BillNotPayable {
    pub fn new(bill_status: BillStatus) -> Self {
        let message = match bill_status {
            BillStatus::Settled => "The bill is paid already.",
            BillStatus::Cancelled | BillStatus::Open => "The bill is no longer to be paid.",
        };
        let code = ErrorCode::Conflict;
        Self {
            code: code.as_str().to_owned(),
            message: message.to_owned(),
            retryable: code.retryable(),
            bill_status,
        }
    }
}

/// No payment can be started by this method for the moment. Payments already begun go on.
#[derive(SimpleObject)]
pub struct PaymentMethodClosed {
    /// A stable code of the published catalogue.
    code: String,
    /// What happened, for developers; clients show their own words by code.
    message: String,
    /// Whether the same request may succeed later, unchanged.
    retryable: bool,
    /// Why it is closed, for the payer to read.
    text: LocalizedText,
    /// When it opens again; null when that is not known.
    opens_at: Option<DateTime<Utc>>,
    /// The methods by which the bill can be paid now.
    open_methods: Vec<PaymentMethod>,
}

impl PaymentMethodClosed {
    pub fn new(closure: Closure, open_methods: Vec<PaymentMethod>) -> Self {
        let code = ErrorCode::Unavailable;
        Self {
            code: code.as_str().to_owned(),
            message: "This method is closed to new payments for the moment.".to_owned(),
            retryable: code.retryable(),
            text: closure.text,
            opens_at: closure.until,
            open_methods,
        }
    }
}
