//! Closing a public service and opening it again: by officers who run this platform, recorded for good.

use async_graphql::{Context, InputObject, Object};
use graphql::{Failure, PageConnection};
use switches::door::{self, ClosureInput, SwitchChange, SwitchPayload};
use switches::{Kind, Target};

use crate::Service;

/// Which public service to close, and what to say of it.
#[derive(InputObject)]
pub struct ClosePublicServiceInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The code of the public service.
    code: String,
    /// The closure.
    closure: ClosureInput,
}

/// Which public service to open again.
#[derive(InputObject)]
pub struct OpenPublicServiceInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The code of the public service.
    code: String,
    /// Why, for the record: at most 2,000 characters.
    reason: String,
}

/// The switches of public services.
#[derive(Default)]
pub struct SwitchMutation;

#[Object]
impl SwitchMutation {
    /// Closes a public service (ปิดรับคำขอชั่วคราว), now or as planned: no draft is begun or submitted,
    /// by whatever agency. Drafts already begun are kept, and what was submitted goes on.
    #[graphql(requires_scopes = "switches:write")]
    async fn close_public_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which service, and what to say of it.")] input: ClosePublicServiceInput,
    ) -> Result<Option<SwitchPayload>, Failure> {
        let service = ctx.data_unchecked::<Service>();
        let target = target(service, input.code).await?;
        door::close(ctx, service.switches(), target, &input.idempotency_key, input.closure).await
    }

    /// Opens a public service again, or calls off a planned closure.
    #[graphql(requires_scopes = "switches:write")]
    async fn open_public_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which service, and why.")] input: OpenPublicServiceInput,
    ) -> Result<Option<SwitchPayload>, Failure> {
        let service = ctx.data_unchecked::<Service>();
        let target = target(service, input.code).await?;
        door::open(ctx, service.switches(), target, &input.idempotency_key, &input.reason).await
    }
}

/// The record of the switches of public services.
#[derive(Default)]
pub struct SwitchQuery;

#[Object]
impl SwitchQuery {
    /// When a public service was closed and opened, by whom and why, the latest first.
    #[graphql(requires_scopes = "switches:write")]
    async fn public_service_switch_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code of the public service.")] code: String,
        #[graphql(desc = "Changes on this page at most: 20 when not given, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<PageConnection<SwitchChange>, Failure> {
        let switches = ctx.data_unchecked::<Service>().switches();
        door::changes(ctx, switches, Target::new(Kind::PublicService, code), first, after).await
    }
}

/// The public service with this code, as a target; none when there is none.
async fn target(service: &Service, code: String) -> Result<Option<Target>, Failure> {
    let found = service.store().services(std::slice::from_ref(&code)).await?;
    Ok((!found.is_empty()).then(|| Target::new(Kind::PublicService, code)))
}
