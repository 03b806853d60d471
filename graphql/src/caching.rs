//! `@cacheControl`, as Apollo's tools know it, which async-graphql does not export: as a type directive.
//!
//! What says nothing is private and kept by nobody. An answer is kept for the lowest age of all that it
//! shows, and for everybody only when all of it is `PUBLIC`.

use async_graphql::{Enum, TypeDirective};

/// For whom a value may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CacheControlScope {
    /// The same for everyone.
    Public,
    /// For the one who asks.
    Private,
}

// async-graphql keeps a description of the function for the directive, and composition keeps none.
#[TypeDirective(
    name = "cacheControl",
    location = "FieldDefinition",
    location = "Object",
    location = "Interface",
    composable = "https://specs.pratu.invalid/cacheControl/v1.0"
)]
pub fn cache_control(max_age: Option<i32>, scope: Option<CacheControlScope>, inherit_max_age: Option<bool>) {}
