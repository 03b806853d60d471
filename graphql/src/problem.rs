//! Expected outcomes of a mutation that are not success: data, members of its payload union.
//!
//! Each member has the three fields of `interface Problem { code message retryable }`, so that an
//! old app survives a new member. A subgraph declares the interface over the members it uses, with
//! `#[derive(Interface)] #[graphql(name = "Problem", …)] enum Problem { … }`; the services'
//! `schema/problem.rs` show how.

use async_graphql::SimpleObject;

use crate::{ErrorCode, LocalizedText};

/// One answer or argument that was refused.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(shareable)]
pub struct FieldProblem {
    /// Which one: a JSON pointer (RFC 6901) into the answers or the input.
    pub pointer: String,
    /// Why, for the citizen to read.
    pub message: LocalizedText,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty),* } $code:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, SimpleObject)]
        #[graphql(shareable)]
        pub struct $name {
            /// A stable code of the published catalogue.
            pub code: String,
            /// What happened, for developers; clients show their own words by code.
            pub message: String,
            /// Whether the same request may succeed later, unchanged.
            pub retryable: bool,
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl $name {
            pub fn new(message: impl Into<String> $(, $field: $ty)*) -> Self {
                let code: ErrorCode = $code;
                Self {
                    code: code.as_str().to_owned(),
                    message: message.into(),
                    retryable: code.retryable(),
                    $($field,)*
                }
            }
        }
    )+};
}

problems! {
    /// What was sent cannot be taken in; `fields` says which part and why. Nothing typed is lost.
    InvalidInput {
        /// The parts that were refused.
        fields: Vec<FieldProblem>
    } ErrorCode::BadUserInput;

    /// There is no such thing, or it is not yours to see.
    NotFoundProblem {} ErrorCode::NotFound;

    /// The idempotency key was used before with another input.
    ConflictProblem {} ErrorCode::Conflict;

    /// It stands at a point where this cannot be done.
    StateProblem {} ErrorCode::Conflict;

    /// Something needed for this does not answer; try again.
    UnavailableProblem {} ErrorCode::Unavailable;
}
