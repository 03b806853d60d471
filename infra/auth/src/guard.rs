//! The first of a resolver's three moves: who.

use async_graphql::Context;
use graphql::{ErrorCode, Failure};

use crate::principal::unauthenticated;
use crate::{Citizen, Officer, Principal};

static NOBODY: Principal = Principal::Nobody;

/// Who is calling; nobody when the transport brought no one.
pub fn principal<'a>(ctx: &Context<'a>) -> &'a Principal {
    ctx.data_opt::<Principal>().unwrap_or(&NOBODY)
}

/// The calling citizen, or the failure to answer with.
pub fn citizen<'a>(ctx: &Context<'a>) -> Result<&'a Citizen, Failure> {
    match principal(ctx) {
        Principal::Citizen(citizen) => Ok(citizen),
        Principal::Nobody => Err(unauthenticated()),
        Principal::Officer(_) => Err(Failure::new(ErrorCode::Forbidden, "This is for citizens.")),
    }
}

/// The calling officer, or the failure to answer with.
pub fn officer<'a>(ctx: &Context<'a>) -> Result<&'a Officer, Failure> {
    match principal(ctx) {
        Principal::Officer(officer) => Ok(officer),
        Principal::Nobody => Err(unauthenticated()),
        Principal::Citizen(_) => Err(Failure::new(ErrorCode::Forbidden, "This is for officers.")),
    }
}
