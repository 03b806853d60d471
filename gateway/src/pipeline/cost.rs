//! Refuses an operation that would cost more than its caller may ask for at once.

use auth::Principal;
use axum::http::StatusCode;
use federation::Prepared;
use graphql::ErrorCode;

use super::{Caller, Refusal};
use crate::config::Cost;

/// Says what it costs, where that is allowed.
pub fn check(limits: &Cost, caller: &Caller, prepared: &Prepared) -> Result<u64, Refusal> {
    let cost = prepared.cost();
    let cost_max = cost_max(limits, caller);
    if cost_max == 0 || cost <= cost_max {
        return Ok(cost);
    }
    metrics::counter!("graphql_too_expensive_total").increment(1);
    let message =
        format!("This costs {cost}, and more than {cost_max} is not answered: ask for less at once.");
    let code = ErrorCode::CostEstimatedTooExpensive;
    let mut refusal = Refusal::new(StatusCode::BAD_REQUEST, code, &message);
    refusal.graphql = true;
    for error in &mut refusal.errors {
        error.extensions.insert("cost".to_owned(), serde_json::json!({ "estimated": cost, "max": cost_max }));
    }
    Err(refusal)
}

fn cost_max(limits: &Cost, caller: &Caller) -> u64 {
    match &caller.principal {
        Principal::Citizen(_) => limits.citizen_max,
        Principal::Officer(_) => limits.officer_max,
        // Somebody else's token, which only a door alone takes.
        Principal::Nobody if caller.subject.is_some() || caller.grants.authenticated => limits.partner_max,
        Principal::Nobody => limits.anonymous_max,
    }
}
