//! The contract: values that cross subgraphs, so that every service says the same thing the same way.
//!
//! `subgraphs/*.graphql` and `supergraph.graphql` are exported and composed by `make schema`;
//! `operations/*.graphql` are the documents of our own clients and tests.

mod caching;
mod date;
mod failure;
mod id;
mod level;
mod money;
mod page;
mod problem;
mod text;
mod weights;

pub use caching::{CacheControlScope, cache_control};
pub use date::Date;
pub use failure::{ErrorCode, Failure};
pub use id::{
    ApplicationId, BillId, ErasureId, EvidenceId, FindingId, MandateId, OfferingId, PartyId, PaymentId,
    ProposalId, ReceiptId, RefundId,
};
pub use level::{AuthenticatorAssuranceLevel, IdentityAssuranceLevel};
pub use money::{Currency, Money};
pub use page::{PAGE_SIZE, PAGE_SIZE_MAX, Page, PageConnection};
pub use problem::{
    ConflictProblem, FieldProblem, InvalidInput, NotFoundProblem, StateProblem, UnavailableProblem,
};
pub use text::LocalizedText;
pub use weights::{cost, list_size};

/// The composed schema of all subgraphs, as checked in.
pub const SUPERGRAPH: &str = include_str!("../supergraph.graphql");
