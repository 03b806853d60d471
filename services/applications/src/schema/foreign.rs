//! Types of other subgraphs, by key alone.

use async_graphql::SimpleObject;
use graphql::{OfferingId, PartyId};

/// A public service (บริการภาครัฐ).
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct PublicService {
    /// Its code.
    pub code: String,
}

/// An agency (หน่วยงาน).
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Agency {
    /// Its code.
    pub code: String,
}

/// A public service as one agency offers it.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Offering {
    /// Its id.
    pub id: OfferingId,
}

/// A citizen or a company.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Party {
    /// Its id.
    pub id: PartyId,
}
