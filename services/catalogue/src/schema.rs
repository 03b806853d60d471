//! The catalogue's part of the graph: public, but for editing an offering and the record of it.

mod agency;
mod edit;
mod life_event;
mod offering;
mod offering_change;
mod problem;
mod public_service;
mod switch;

use async_graphql::{EmptySubscription, MergedObject, Schema};
use graphql::{ErrorCode, Failure};

use crate::Service;
use crate::loader::LoaderPerRequest;

/// How long public facts may be kept by whoever shows them. The gateways hear of a change at once.
const FACTS_S: i32 = 300;
/// The same for what may be switched at any moment: another process of ours may not know it yet.
const MOMENT_S: i32 = 1;

/// What can be asked of the catalogue.
#[derive(Default, MergedObject)]
pub struct Query(
    public_service::PublicServiceQuery,
    offering::OfferingQuery,
    agency::AgencyQuery,
    life_event::LifeEventQuery,
    offering_change::OfferingChangeQuery,
    switch::SwitchQuery,
);

/// What can be changed without a file.
#[derive(Default, MergedObject)]
pub struct Mutation(edit::OfferingMutation, switch::SwitchMutation);

/// The subgraph of the catalogue.
pub type CatalogueSchema = Schema<Query, Mutation, EmptySubscription>;

/// Builds the schema; without a service it can only be described.
pub(crate) fn build(service: Option<Service>) -> CatalogueSchema {
    let schema = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .register_output_type::<problem::Problem>()
        .enable_federation();
    match service {
        Some(service) => schema.extension(LoaderPerRequest(service.clone())).data(service).finish(),
        None => schema.finish(),
    }
}

/// The schema in its definition language, for composition.
pub fn sdl() -> String {
    chassis::subgraph_sdl(&build(None))
}

/// Reads an area code: two digits for a province, four for a district, six for a subdistrict.
fn area(code: Option<String>) -> Result<Option<String>, Failure> {
    let fits =
        |code: &String| [2, 4, 6].contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    match code {
        Some(code) if !fits(&code) => Err(Failure::new(
            ErrorCode::BadUserInput,
            "`area` must be an area code of two, four or six digits.",
        )),
        code => Ok(code),
    }
}

/// What an entity resolver answers when it cannot read: absent, with an error added. An `Err` would lose
/// every entity of the same request.
fn absent<T>(
    context: &async_graphql::Context<'_>,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Option<T> {
    tracing::error!(error = %error, "an entity of the catalogue could not be read");
    let failure: async_graphql::Error = Failure::unavailable("The catalogue does not answer.").into();
    context.add_error(failure.into_server_error(context.item.pos));
    None
}
