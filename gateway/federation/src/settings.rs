//! What an engine is set to.

use std::collections::HashSet;

use crate::authorize::Unauthorized;
use crate::limits::Limits;

#[derive(Clone, Debug)]
pub struct Settings {
    pub limits: Limits,
    pub unauthorized: Unauthorized,
    pub introspection: bool,
    /// Whether words of a subgraph's internal errors are kept from clients: those that it gave no code, or the
    /// code for what went wrong inside.
    pub mask_internal_errors: bool,
    /// One for each KiB of what subgraphs are asked: a large plan counts for several.
    pub plans_max: u64,
    /// One for each KiB of text: a large document counts for several.
    pub documents_max: u64,
    pub subgraph_timeout_ms: u64,
    /// Labels of progressive `@override` that are switched on; those of the form `percent(5)` are drawn for
    /// each request.
    pub override_labels: HashSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            limits: Limits::default(),
            unauthorized: Unauthorized::default(),
            introspection: true,
            mask_internal_errors: false,
            plans_max: 10_000,
            documents_max: 10_000,
            subgraph_timeout_ms: 10_000,
            override_labels: HashSet::new(),
        }
    }
}
