//! The subgraph: who is asking, how they can log in, and the parties they may act for.

mod erasure;
mod party;
mod switch;
mod viewer;

use std::sync::Arc;

use async_graphql::{
    Context, EmptySubscription, InputObject, Interface, Object, Schema, SimpleObject, Union,
};
use auth::Principal;
use chrono::{DateTime, Utc};
use graphql::{
    AuthenticatorAssuranceLevel, ConflictProblem, ErrorCode, Failure, IdentityAssuranceLevel, InvalidInput,
    LocalizedText, NotFoundProblem, PageConnection, PartyId, StateProblem,
};
use switches::Kind;
use switches::door::{Availability, SwitchChange, SwitchPayload};

use crate::Inner;
use crate::loader::{Loads, loads};
use crate::store::SessionEnd;
use erasure::{
    ConfirmErasureInput, ConfirmErasurePayload, Erasure, ErasureObstructedProblem, ProposeErasureInput,
    ProposeErasurePayload,
};
use party::Party;
use switch::{CloseIdentityProviderInput, OpenIdentityProviderInput};
use viewer::Viewer;

/// The subgraph's schema.
pub type IdentitySchema = Schema<Query, Mutation, EmptySubscription>;

/// The subgraph's reads.
pub struct Query;

/// The subgraph's writes.
pub struct Mutation;

/// The schema; without `inner` only to be printed.
pub(crate) fn schema(inner: Option<Arc<Inner>>) -> IdentitySchema {
    let mut builder = Schema::build(Query, Mutation, EmptySubscription)
        .register_output_type::<Problem>()
        .enable_federation();
    if let Some(inner) = inner {
        builder = builder.data(loads(&inner.store)).data(inner);
    }
    builder.finish()
}

/// The subgraph's SDL, for composition.
pub fn sdl() -> String {
    chassis::subgraph_sdl(&schema(None))
}

#[Object]
impl Query {
    /// Who is asking; null when nobody has logged in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        match auth::principal(ctx) {
            Principal::Nobody => None,
            principal => Some(Viewer(principal.clone())),
        }
    }

    /// The Digital ID providers a citizen can choose from, in the order they are offered.
    async fn identity_providers(&self, ctx: &Context<'_>) -> Result<Vec<IdentityProvider>, Failure> {
        let inner = inner(ctx);
        let today = inner.clock.today_in_thailand();
        let closures = inner.switches.closures().await?;
        let mut shown = Vec::new();
        for provider in &inner.providers {
            let max = inner.assurance.level_max(provider.code(), today);
            shown.push(IdentityProvider {
                code: provider.code().to_owned(),
                name: provider.name().clone(),
                identity_assurance_level_max: max.ial.into(),
                authenticator_assurance_level_max: max.aal.into(),
                availability: Availability::of(&closures, Kind::IdentityProvider, provider.code()),
            });
        }
        Ok(shown)
    }

    /// Erasures of citizens' data, newest first, for officers who see to data protection.
    #[graphql(requires_scopes = "people:erase")]
    async fn erasures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the last one seen.")] after: Option<String>,
    ) -> Result<PageConnection<Erasure>, Failure> {
        erasure::list(ctx, first, after).await
    }

    /// When a Digital ID provider was closed and opened, by whom and why, the latest first.
    #[graphql(requires_scopes = "switches:write")]
    async fn identity_provider_switch_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The provider's code.")] code: String,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the last one seen.")] after: Option<String>,
    ) -> Result<PageConnection<SwitchChange>, Failure> {
        switch::changes(ctx, code, first, after).await
    }

    /// A party of the caller; null is absent or not theirs.
    #[graphql(entity)]
    async fn find_party_by_id(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The party's id.")] id: PartyId,
    ) -> Option<Party> {
        let Principal::Citizen(citizen) = auth::principal(ctx) else { return None };
        match party::visible(ctx, citizen, id.uuid()).await {
            Ok(party) => party,
            Err(failure) => {
                // An error here would lose all other entities of the same request.
                ctx.add_error(async_graphql::Error::from(failure).into_server_error(ctx.item.pos));
                None
            }
        }
    }
}

/// A way to log in (ผู้ให้บริการพิสูจน์และยืนยันตัวตน).
#[derive(SimpleObject)]
struct IdentityProvider {
    /// Its code: the parameter `provider` of the authorization endpoint.
    code: String,
    /// Its name.
    name: LocalizedText,
    /// The highest identity assurance level it can give.
    identity_assurance_level_max: IdentityAssuranceLevel,
    /// The highest authenticator assurance level it can give.
    authenticator_assurance_level_max: AuthenticatorAssuranceLevel,
    /// Whether one can log in with it now.
    availability: Availability,
}

#[Object]
impl Mutation {
    /// Proposes to erase a citizen's personal data (เสนอลบข้อมูลส่วนบุคคล), as an officer who sees to
    /// data protection. Another one has to confirm it.
    #[graphql(requires_scopes = "people:erase")]
    async fn propose_erasure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose data, and which write this is.")] input: ProposeErasureInput,
    ) -> Result<Option<ProposeErasurePayload>, Failure> {
        erasure::propose(ctx, input).await.map(Some)
    }

    /// Confirms an erasure that another officer proposed (ยืนยันการลบข้อมูลส่วนบุคคล). Refused while an
    /// application of the citizen's is open or money unsettled; it cannot be undone.
    #[graphql(requires_scopes = "people:erase")]
    async fn confirm_erasure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which erasure, and which write this is.")] input: ConfirmErasureInput,
    ) -> Result<Option<ConfirmErasurePayload>, Failure> {
        erasure::confirm(ctx, input).await.map(Some)
    }

    /// Closes a Digital ID provider (ปิดช่องทางยืนยันตัวตนชั่วคราว), now or as planned: nobody logs in with
    /// it, and what it says of those under way is not taken. Sessions go on.
    #[graphql(requires_scopes = "switches:write")]
    async fn close_identity_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which provider, and what to say of it.")] input: CloseIdentityProviderInput,
    ) -> Result<Option<SwitchPayload>, Failure> {
        switch::close(ctx, input).await
    }

    /// Opens a Digital ID provider again, or calls off a planned closure.
    #[graphql(requires_scopes = "switches:write")]
    async fn open_identity_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which provider, and why.")] input: OpenIdentityProviderInput,
    ) -> Result<Option<SwitchPayload>, Failure> {
        switch::open(ctx, input).await
    }

    /// Ends the session of the token this is asked with (ออกจากระบบ): its access and refresh tokens
    /// are of no use from here on.
    #[graphql(directive = auth::authenticated::apply())]
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which write this is.")] input: EndSessionInput,
    ) -> Result<Option<EndSessionPayload>, Failure> {
        let principal = auth::principal(ctx);
        let session =
            principal.session_id().ok_or(Failure::new(ErrorCode::Unauthenticated, "Log in first."))?;
        let inner = inner(ctx);
        let ended = inner
            .store
            .end_session_once(session, &principal.subject(), &input.idempotency_key, inner.clock.now())
            .await?;
        Ok(Some(match ended {
            SessionEnd::Ended { at } => {
                inner.ended.add(session);
                EndSessionPayload::SessionEnded(SessionEnded { ended_at: at })
            }
            SessionEnd::Conflict => EndSessionPayload::ConflictProblem(ConflictProblem::new(
                "The idempotency key was used for something else, or is empty or too long.",
            )),
        }))
    }
}

/// What is needed to end a session.
#[derive(InputObject)]
struct EndSessionInput {
    /// Made by the client, the same for each try of the same write; up to 255 characters.
    idempotency_key: String,
}

/// How ending a session went.
#[derive(Union)]
enum EndSessionPayload {
    SessionEnded(SessionEnded),
    ConflictProblem(ConflictProblem),
}

/// The session has ended.
#[derive(SimpleObject)]
struct SessionEnded {
    /// When it ended.
    ended_at: DateTime<Utc>,
}

/// What every outcome that is not success has: an old app survives a new one.
#[derive(Interface)]
#[allow(clippy::duplicated_attributes, reason = "three fields, two of one type")]
#[graphql(
    name = "Problem",
    field(name = "code", ty = "&String", desc = "A stable code of the published catalogue."),
    field(name = "message", ty = "&String", desc = "What happened, for developers."),
    field(name = "retryable", ty = "&bool", desc = "Whether the same request may succeed later, unchanged.")
)]
enum Problem {
    Conflict(ConflictProblem),
    NotFound(NotFoundProblem),
    State(StateProblem),
    InvalidInput(InvalidInput),
    ErasureObstructed(ErasureObstructedProblem),
}

fn inner<'a>(ctx: &Context<'a>) -> &'a Arc<Inner> {
    ctx.data_unchecked::<Arc<Inner>>()
}

fn batches<'a>(ctx: &Context<'a>) -> &'a Loads {
    ctx.data_unchecked::<Loads>()
}
