//! The applicant's moves: begin, save, submit, withdraw.

use async_graphql::{Context, InputObject, Json, Object};
use graphql::{
    ApplicationId, ConflictProblem, Failure, InvalidInput, NotFoundProblem, OfferingId, PartyId,
    StateProblem, UnavailableProblem,
};

use super::application::Application;
use super::closure::ServiceClosedProblem;
use super::problem::{RevisionConflict, payload};
use super::service;
use crate::Service;
use crate::provider;
use crate::store::closure::check_open;
use crate::store::draft::Beginning;
use crate::store::submission::CLOSED;
use crate::store::{Refusal, application as stored};

/// What to apply for, and for whom.
#[derive(InputObject)]
pub struct StartApplicationInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// What to apply for, and to which agency.
    offering_id: OfferingId,
    /// For whom: myself, or a party I have a mandate for.
    party_id: PartyId,
}

payload! {
    /// A draft was begun, with what the state knows already filled in.
    ApplicationStarted {
        /// The draft.
        application: Application
    }
    /// What came of `startApplication`.
    StartApplicationPayload =
        NotFoundProblem | StateProblem | ConflictProblem | UnavailableProblem | ServiceClosedProblem
}

/// Answers to save.
#[derive(InputObject)]
pub struct SaveApplicationDraftInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
    /// The revision these answers began from.
    revision: i32,
    /// All answers: an object by field name, at most 64 KiB.
    answers: Json<serde_json::Value>,
}

payload! {
    /// The answers were saved.
    DraftSaved {
        /// The application, one revision on.
        application: Application
    }
    /// What came of `saveApplicationDraft`.
    SaveApplicationDraftPayload =
        InvalidInput | RevisionConflict | StateProblem | NotFoundProblem | ConflictProblem
}

/// What to submit.
#[derive(InputObject)]
pub struct SubmitApplicationInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
    /// The revision the applicant read and means.
    revision: i32,
}

payload! {
    /// It was submitted: it has a receipt number.
    ApplicationSubmitted {
        /// The application.
        application: Application
    }
    /// What came of `submitApplication`.
    SubmitApplicationPayload =
        InvalidInput | RevisionConflict | StateProblem | NotFoundProblem | ConflictProblem
            | ServiceClosedProblem
}

/// What to withdraw.
#[derive(InputObject)]
pub struct WithdrawApplicationInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
}

payload! {
    /// It was withdrawn.
    ApplicationWithdrawn {
        /// The application.
        application: Application
    }
    /// What came of `withdrawApplication`.
    WithdrawApplicationPayload = StateProblem | NotFoundProblem | ConflictProblem
}

/// The applicant's writes.
#[derive(Default)]
pub struct DraftMutation;

#[Object]
impl DraftMutation {
    /// Begins an application: a draft, with what the state knows filled in and marked.
    #[graphql(requires_scopes = "applications:write")]
    async fn start_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to apply for, and for whom.")] input: StartApplicationInput,
    ) -> Result<Option<StartApplicationPayload>, Failure> {
        auth::principal(ctx).require_scope("applications:write")?;
        StartApplicationPayload::answer(start(ctx, service(ctx), &input).await)
    }

    /// Saves the answers of a draft. They may be incomplete, but not of a wrong type.
    #[graphql(requires_scopes = "applications:write")]
    async fn save_application_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which draft, and the answers.")] input: SaveApplicationDraftInput,
    ) -> Result<Option<SaveApplicationDraftPayload>, Failure> {
        let citizen = auth::citizen(ctx)?;
        auth::principal(ctx).require_scope("applications:write")?;
        let (key, id) = (&input.idempotency_key, input.application_id.uuid());
        let saved = service(ctx).store.save(citizen, key, id, input.revision, input.answers.0).await;
        SaveApplicationDraftPayload::answer(saved)
    }

    /// Submits (ยื่นคำขอ): answers and evidence are checked in full and a receipt number is given.
    /// After the agency asked for documents, the same sends them in.
    #[graphql(requires_scopes = "applications:write")]
    async fn submit_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which application, at which revision.")] input: SubmitApplicationInput,
    ) -> Result<Option<SubmitApplicationPayload>, Failure> {
        let citizen = auth::citizen(ctx)?;
        let principal = auth::principal(ctx);
        principal.require_scope("applications:write")?;
        let (key, id) = (&input.idempotency_key, input.application_id.uuid());
        let submitted = service(ctx).store.submit(principal, citizen, key, id, input.revision).await;
        SubmitApplicationPayload::answer(submitted)
    }

    /// Withdraws an application (ถอนคำขอ) that is not decided yet.
    #[graphql(requires_scopes = "applications:write")]
    async fn withdraw_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which application.")] input: WithdrawApplicationInput,
    ) -> Result<Option<WithdrawApplicationPayload>, Failure> {
        let citizen = auth::citizen(ctx)?;
        auth::principal(ctx).require_scope("applications:write")?;
        let id = input.application_id.uuid();
        let withdrawn = service(ctx).store.withdraw(citizen, &input.idempotency_key, id).await;
        WithdrawApplicationPayload::answer(withdrawn)
    }
}

/// Checks, asks the graph outside any transaction, then begins.
async fn start(
    ctx: &Context<'_>,
    service: &Service,
    input: &StartApplicationInput,
) -> Result<stored::Application, Refusal> {
    let (principal, citizen) = (auth::principal(ctx), auth::citizen(ctx).map_err(Refusal::Failed)?);
    let acting = citizen.acting_for(input.party_id.uuid()).ok_or(Refusal::NotFound)?;
    let (key, offering_id) = (&input.idempotency_key, input.offering_id.uuid());
    if let Some(begun) = service.store.started(citizen, key, offering_id, acting.party_id).await? {
        return Ok(begun);
    }
    let mut database = service.store.database.clone();
    let offering = service.store.current_offering(&mut database, offering_id).await?;
    let now = service.store.clock.now();
    principal.require_level(offering.level_required(), now).map_err(Refusal::Failed)?;
    check_open(&service.store.switches.closures().await?, &offering.service_code)?;
    if !offering.is_fileable() {
        return Err(Refusal::NotOffered(CLOSED));
    }
    let profile = provider::profile(service.graph.as_ref(), principal, acting.party_id).await?;
    if !offering.serves(profile.party.is_juristic) {
        return Err(Refusal::NotOffered("this service is not for this kind of party"));
    }
    let beginning = Beginning { offering: &offering, acting, profile: &profile };
    service.store.start(citizen, key, &beginning).await
}
