//! Closing a Digital ID provider and opening it again, by officers who run this platform.

use async_graphql::{Context, InputObject};
use graphql::{Failure, PageConnection};
use switches::door::{self, ClosureInput, SwitchChange, SwitchPayload};
use switches::{Kind, Target};

use super::inner;
use crate::Inner;

/// Which provider to close, and what to say of it.
#[derive(InputObject)]
pub struct CloseIdentityProviderInput {
    /// Made by the client, the same for each try of the same write; up to 255 characters.
    idempotency_key: String,
    /// The provider's code.
    code: String,
    /// The closure.
    closure: ClosureInput,
}

/// Which provider to open again.
#[derive(InputObject)]
pub struct OpenIdentityProviderInput {
    /// Made by the client, the same for each try of the same write; up to 255 characters.
    idempotency_key: String,
    /// The provider's code.
    code: String,
    /// Why, for the record: at most 2,000 characters.
    reason: String,
}

pub async fn close(
    ctx: &Context<'_>,
    input: CloseIdentityProviderInput,
) -> Result<Option<SwitchPayload>, Failure> {
    let inner = inner(ctx);
    let target = target(inner, input.code);
    door::close(ctx, &inner.switches, target, &input.idempotency_key, input.closure).await
}

pub async fn open(
    ctx: &Context<'_>,
    input: OpenIdentityProviderInput,
) -> Result<Option<SwitchPayload>, Failure> {
    let inner = inner(ctx);
    let target = target(inner, input.code);
    door::open(ctx, &inner.switches, target, &input.idempotency_key, &input.reason).await
}

pub async fn changes(
    ctx: &Context<'_>,
    code: String,
    first: Option<i32>,
    after: Option<String>,
) -> Result<PageConnection<SwitchChange>, Failure> {
    door::changes(ctx, &inner(ctx).switches, Target::new(Kind::IdentityProvider, code), first, after).await
}

/// The provider with this code, as a target; none when there is none.
fn target(inner: &Inner, code: String) -> Option<Target> {
    inner.provider(&code).is_some().then(|| Target::new(Kind::IdentityProvider, code))
}
