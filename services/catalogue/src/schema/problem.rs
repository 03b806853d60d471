//! Outcomes of a write that are not success.

use async_graphql::{Interface, SimpleObject};
use graphql::{ConflictProblem, ErrorCode, InvalidInput, NotFoundProblem};

use super::offering::Offering;

/// What every outcome that is not success has: an old app survives a new one.
#[derive(Interface)]
#[allow(clippy::duplicated_attributes, reason = "three fields, two of one type")]
#[graphql(
    name = "Problem",
    field(name = "code", ty = "&String", desc = "A stable code of the published catalogue."),
    field(name = "message", ty = "&String", desc = "What happened, for developers."),
    field(name = "retryable", ty = "&bool", desc = "Whether the same request may succeed later, unchanged.")
)]
pub enum Problem {
    InvalidInput(InvalidInput),
    OfferingRevisionConflict(OfferingRevisionConflict),
    NotFoundProblem(NotFoundProblem),
    ConflictProblem(ConflictProblem),
}

/// The offering was changed since the revision you read. Nothing was changed now: here is how it stands,
/// to decide anew.
#[derive(SimpleObject)]
pub struct OfferingRevisionConflict {
    /// A stable code of the published catalogue.
    code: String,
    /// What happened, for developers.
    message: String,
    /// Whether the same request may succeed later, unchanged.
    retryable: bool,
    /// The offering as it stands now.
    offering: Offering,
}

impl OfferingRevisionConflict {
    pub fn new(offering: Offering) -> Self {
        Self {
            code: ErrorCode::Conflict.as_str().to_owned(),
            message: "The offering was changed since the revision you read.".to_owned(),
            retryable: false,
            offering,
        }
    }
}
