//! Outcomes that are not success, and how a refusal becomes one.

use async_graphql::{Interface, SimpleObject};
use graphql::{
    ConflictProblem, ErrorCode, Failure, InvalidInput, NotFoundProblem, StateProblem, UnavailableProblem,
};

use super::application::Application;
use super::closure::ServiceClosedProblem;
use crate::store::Refusal;
use crate::store::draft::DRAFTS_MAX;

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
    RevisionConflict(RevisionConflict),
    StateProblem(StateProblem),
    NotFoundProblem(NotFoundProblem),
    ConflictProblem(ConflictProblem),
    UnavailableProblem(UnavailableProblem),
    ServiceClosedProblem(ServiceClosedProblem),
}

/// The draft was saved elsewhere since the revision you read. Nothing was changed: here is what it
/// says now, to merge with.
#[derive(SimpleObject)]
pub struct RevisionConflict {
    /// A stable code of the published catalogue.
    code: String,
    /// What happened, for developers.
    message: String,
    /// Whether the same request may succeed later, unchanged.
    retryable: bool,
    /// The application as it stands now.
    application: Application,
}

impl Problem {
    /// The problem a refusal is; a failure stays one.
    pub fn of(refusal: Refusal) -> Result<Self, Failure> {
        Ok(match refusal {
            Refusal::Failed(failure) => return Err(failure),
            Refusal::NotFound => NotFoundProblem::new("There is no such thing, or it is not yours.").into(),
            Refusal::NotAllowed(reason) => StateProblem::new(reason.to_string()).into(),
            Refusal::NotOffered(reason) => StateProblem::new(reason).into(),
            Refusal::Closed(closure) => ServiceClosedProblem::from(*closure).into(),
            Refusal::TooManyDrafts => StateProblem::new(format!(
                "There are {DRAFTS_MAX} drafts already: submit or withdraw one first."
            ))
            .into(),
            Refusal::KeyReused => ConflictProblem::new(
                "The idempotency key was used for something else, or is empty or too long.",
            )
            .into(),
            Refusal::Invalid(fields) => InvalidInput::new("Some parts were refused.", fields).into(),
            Refusal::Unavailable => {
                UnavailableProblem::new("Your profile cannot be read now; nothing was begun.").into()
            }
            Refusal::OldRevision(application) => RevisionConflict {
                code: ErrorCode::Conflict.as_str().to_owned(),
                message: "The draft was saved elsewhere since the revision you read.".to_owned(),
                retryable: false,
                application: (*application).into(),
            }
            .into(),
        })
    }
}

/// Declares a mutation's success and its payload union, and how a result becomes its answer.
macro_rules! payload {
    (
        $(#[$success_doc:meta])* $success:ident { $(#[$field_doc:meta])* $field:ident: $ty:ty }
        $(#[$union_doc:meta])* $union:ident = $($problem:ident)|+
    ) => {
        $(#[$success_doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $success { $(#[$field_doc])* $field: $ty }

        $(#[$union_doc])*
        #[derive(async_graphql::Union)]
        pub enum $union { $success($success), $($problem($problem)),+ }

        impl $union {
            fn answer(
                result: Result<impl Into<$ty>, $crate::store::Refusal>,
            ) -> Result<Option<Self>, graphql::Failure> {
                let refusal = match result {
                    Ok(done) => return Ok(Some($success { $field: done.into() }.into())),
                    Err(refusal) => refusal,
                };
                match $crate::schema::problem::Problem::of(refusal)? {
                    $($crate::schema::problem::Problem::$problem(problem) => Ok(Some(problem.into())),)+
                    #[allow(unreachable_patterns, reason = "a union may list every problem there is")]
                    other => {
                        let which = async_graphql::OutputType::introspection_type_name(&other).into_owned();
                        Err(graphql::Failure::internal(format!("{which} is not in the payload")))
                    }
                }
            }
        }
    };
}
pub(super) use payload;
