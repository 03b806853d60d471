//! The subgraph: who may, what, answer.

pub mod application;
pub mod closure;
pub mod draft;
pub mod event;
pub mod evidence;
pub mod foreign;
pub mod number;
pub mod problem;
pub mod review;

use std::sync::Arc;

use async_graphql::{Context, InputObject, MergedObject, Object, SchemaBuilder};
use auth::Principal;
use graphql::{ApplicationId, Date, ErrorCode, Failure, Page, PageConnection, PartyId};
use sealing::SubjectKey;
use uuid::Uuid;

use crate::Service;
use crate::loader::{ApplicationWithId, KeyOf, Loads};
use crate::model::ApplicationStatus;
use crate::model::rules::{beginning_of, first_day_not_over};
use crate::store::listing::Listing;
use crate::store::{Reader, Refusal};
use application::Application;
use closure::ServiceClosure;
use event::Subscription;
use number::NationalId;
use problem::Problem;

/// The subgraph's schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// The subgraph's reads.
#[derive(Default)]
pub struct Query;

/// The subgraph's writes.
#[derive(MergedObject, Default)]
pub struct Mutation(draft::DraftMutation, evidence::EvidenceMutation, review::ReviewMutation);

/// The schema, yet without data.
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query, Mutation::default(), Subscription)
        .register_output_type::<Problem>()
        .enable_federation()
        .enable_subscription_in_federation()
}

/// Which of my applications to list.
#[derive(InputObject, Default)]
pub struct ApplicationFilter {
    /// Only those that stand there.
    status: Option<ApplicationStatus>,
    /// Only those for this party: myself, or a company I act for.
    party_id: Option<PartyId>,
}

/// Which of the agency's cases to list.
#[derive(InputObject, Default)]
pub struct OfficerQueueFilter {
    /// Only those that stand there.
    status: Option<ApplicationStatus>,
    /// Only those for this public service.
    service_code: Option<String>,
    /// Only those submitted on this day (in Thailand) or later.
    submitted_from: Option<Date>,
    /// Only those submitted on this day (in Thailand) or earlier.
    submitted_until: Option<Date>,
    /// Only those whose legal time is over and that are not decided.
    late: Option<bool>,
    /// Only those of the person or company with this number.
    applicant_number: Option<NationalId>,
}

/// The subgraph's reads.
#[Object]
impl Query {
    /// An application (คำขอ): of mine, or as an officer of my agency. Null when there is none.
    #[graphql(requires_scopes = "applications:read", requires_scopes = "cases:read")]
    async fn application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The application's id.")] id: ApplicationId,
    ) -> Result<Option<Application>, Failure> {
        let reader = reader(ctx)?;
        found(service(ctx).store.application(&reader, id.uuid()).await)
    }

    /// My applications and those of parties I act for, newest first.
    #[graphql(requires_scopes = "applications:read")]
    async fn applications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the last one seen.")] after: Option<String>,
        #[graphql(desc = "Which ones.")] filter: Option<ApplicationFilter>,
    ) -> Result<PageConnection<Application>, Failure> {
        let citizen = auth::citizen(ctx)?;
        auth::principal(ctx).require_scope("applications:read")?;
        let filter = filter.unwrap_or_default();
        let party_id = filter.party_id.map(PartyId::uuid);
        let listing = Listing { status: filter.status, party_id, ..Listing::default() };
        page(ctx, &Reader::Parties(citizen.party_ids()), listing, first, after).await
    }

    /// The cases of my agency, in the order in which they were submitted.
    #[graphql(requires_scopes = "cases:read")]
    async fn officer_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor of the last one seen.")] after: Option<String>,
        #[graphql(desc = "Which ones.")] filter: Option<OfficerQueueFilter>,
    ) -> Result<PageConnection<Application>, Failure> {
        let officer = auth::officer(ctx)?;
        auth::principal(ctx).require_scope("cases:read")?;
        let filter = filter.unwrap_or_default();
        let next_day = |day: Date| day.0.succ_opt().unwrap_or(day.0);
        let submitted = (
            filter.submitted_from.map(|day| beginning_of(day.0)),
            filter.submitted_until.map(|day| beginning_of(next_day(day))),
        );
        let late = filter.late.unwrap_or(false);
        let listing = Listing {
            status: filter.status,
            service_code: filter.service_code,
            submitted,
            applicant_number: filter.applicant_number.map(NationalId::digits),
            late_on: late.then(|| first_day_not_over(service(ctx).store.clock.now())),
            as_queue: true,
            ..Listing::default()
        };
        page(ctx, &Reader::Agency(officer.agency.clone()), listing, first, after).await
    }

    /// Public services that are closed to new applications, or are going to be, in order of code: at
    /// most 200. Null when it cannot be read.
    async fn service_closures(&self, ctx: &Context<'_>) -> Result<Option<Vec<ServiceClosure>>, Failure> {
        closure::closures(ctx).await.map(Some)
    }

    /// The same as `application`: what other subgraphs point to is checked like everything else.
    #[graphql(entity)]
    async fn application_by_id(&self, ctx: &Context<'_>, id: ApplicationId) -> Option<Application> {
        let key = ApplicationWithId(id.uuid(), reader(ctx).ok()?);
        match loads(ctx).load_one(key).await {
            Ok(found) => found.map(Application),
            Err(refusal) => {
                // An error here would lose every entity of the request: absent, and reported.
                let error = async_graphql::Error::from(failed(&refusal));
                ctx.add_error(ctx.set_error_path(error.into_server_error(ctx.item.pos)));
                None
            }
        }
    }
}

pub(crate) fn service<'a>(ctx: &Context<'a>) -> &'a Service {
    ctx.data_unchecked::<Service>()
}

pub(crate) fn loads<'a>(ctx: &Context<'a>) -> &'a Loads {
    ctx.data_unchecked::<Loads>()
}

/// The key that opens what is sealed for a party: one query for all that a list asks for. `None` when
/// the party was erased.
pub(crate) async fn key_of(ctx: &Context<'_>, party_id: Uuid) -> Result<Option<SubjectKey>, Failure> {
    Ok(loads(ctx).load_one(KeyOf(party_id)).await?)
}

/// A batch that failed, for each who waited for it.
pub(crate) fn failed(refusal: &Arc<Refusal>) -> Failure {
    Failure::internal(format!("{refusal:?}"))
}

/// Who reads: a citizen for the parties they act for, an officer for the agency.
pub(crate) fn reader(ctx: &Context<'_>) -> Result<Reader, Failure> {
    reader_of(auth::principal(ctx))
}

/// The same, outside GraphQL.
pub(crate) fn reader_of(principal: &Principal) -> Result<Reader, Failure> {
    match principal {
        Principal::Officer(officer) => {
            principal.require_scope("cases:read")?;
            Ok(Reader::Agency(officer.agency.clone()))
        }
        Principal::Citizen(citizen) => {
            principal.require_scope("applications:read")?;
            Ok(Reader::Parties(citizen.party_ids()))
        }
        Principal::Nobody => Err(Failure::new(ErrorCode::Unauthenticated, "Log in first.")),
    }
}

/// What is not there is null.
fn found(
    result: Result<crate::store::application::Application, Refusal>,
) -> Result<Option<Application>, Failure> {
    match result {
        Ok(application) => Ok(Some(application.into())),
        Err(Refusal::NotFound) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

async fn page(
    ctx: &Context<'_>,
    reader: &Reader,
    listing: Listing,
    first: Option<i32>,
    after: Option<String>,
) -> Result<PageConnection<Application>, Failure> {
    let page = Page::parse(first, after)?;
    let beyond = page.after.as_ref().map(|after| after.parse()).transpose();
    let beyond = beyond.map_err(|_| Failure::new(ErrorCode::BadUserInput, "`after` is not a cursor."))?;
    let listing = Listing { beyond, limit: page.limit(), ..listing };
    let rows = service(ctx).store.applications(reader, &listing).await?;
    let found = rows.into_iter().map(Application::from).collect();
    Ok(page.connection(found, |application: &Application| application.0.id.to_string()))
}
