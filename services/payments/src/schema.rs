//! The GraphQL door: who, what, answer.

mod bill;
mod desk;
mod finding;
mod payment;
mod problem;
mod proposal;
mod receipt;
mod refund;
mod switch;

use async_graphql::{Context, EmptySubscription, InputObject, MergedObject, Object, Schema};
use auth::Principal;
use graphql::{ApplicationId, BillId, ErrorCode, Failure, Page, PageConnection, PaymentId};
use uuid::Uuid;

use bill::{Application, Bill};
use desk::{DeskQuery, before};
use payment::{Payment, PaymentMutation};
use problem::Problem;
use proposal::ProposalMutation;
use switch::{SwitchMutation, SwitchQuery};

use crate::Service;
use crate::loader::{BillWithId, Loads, loads};
use crate::model::BillStatus;
use crate::store;
use crate::store::bill::Reader;

/// The executable schema of this subgraph.
pub type PaymentsSchema = Schema<Query, Mutation, EmptySubscription>;

/// All that is read.
#[derive(MergedObject, Default)]
pub struct Query(BillQuery, DeskQuery, SwitchQuery);

/// All that is done.
#[derive(MergedObject, Default)]
pub struct Mutation(PaymentMutation, ProposalMutation, SwitchMutation);

/// The schema over a service.
pub fn build(service: Service) -> PaymentsSchema {
    let loads = loads(service.database());
    builder().data(loads).data(service).finish()
}

/// The schema as composition wants it; needs no database.
pub fn sdl() -> String {
    chassis::subgraph_sdl(&builder().finish())
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .enable_federation()
        .register_output_type::<Problem>()
}

/// Which bills to list.
#[derive(InputObject, Default)]
pub struct BillFilter {
    /// Only those that stand here.
    status: Option<BillStatus>,
}

/// Reading what is owed and what was paid.
#[derive(Default)]
pub struct BillQuery;

#[Object]
impl BillQuery {
    /// A bill (ใบแจ้งชำระเงิน) of one of the caller's parties; for officers, of their agency.
    #[graphql(requires_scopes = "payments:read", requires_scopes = "cases:read")]
    async fn bill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The bill's id.")] id: BillId,
    ) -> Result<Option<Bill>, Failure> {
        let reader = reader(auth::principal(ctx))?;
        bill_with_id(ctx, id.uuid(), reader).await
    }

    /// The bills of the caller's parties, newest first; for officers, those of their agency.
    #[graphql(requires_scopes = "payments:read", requires_scopes = "cases:read")]
    async fn bills(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Bills on this page: up to 100, otherwise 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        // Nullable: where an argument has a default, async-graphql takes a variable left out for a null.
        #[graphql(desc = "Which bills to list.")] filter: Option<BillFilter>,
    ) -> Result<PageConnection<Bill>, Failure> {
        let reader = reader(auth::principal(ctx))?;
        let page = Page::parse(first, after)?;
        let before = before(&page)?;
        let database = ctx.data_unchecked::<Service>().database();
        let status = filter.unwrap_or_default().status;
        let found = store::bill::bills(database, &reader, status, before, page.limit()).await?;
        let found = found.into_iter().map(Bill::from).collect();
        Ok(page.connection(found, |bill: &Bill| bill.row.id.to_string()))
    }

    /// One try at paying a bill of the caller's.
    #[graphql(requires_scopes = "payments:read", requires_scopes = "cases:read")]
    async fn payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment's id.")] id: PaymentId,
    ) -> Result<Option<Payment>, Failure> {
        let reader = reader(auth::principal(ctx))?;
        let mut database = ctx.data_unchecked::<Service>().database().clone();
        let found = store::payment::payment_for(&mut database, id.uuid(), &reader).await?;
        Ok(found.map(Payment::from))
    }

    #[graphql(entity)]
    async fn find_bill_by_id(&self, ctx: &Context<'_>, id: BillId) -> Option<Bill> {
        let reader = reader(auth::principal(ctx)).ok()?;
        match bill_with_id(ctx, id.uuid(), reader).await {
            Ok(found) => found,
            Err(failure) => {
                // An entity resolver that fails takes all others of the request with it.
                ctx.add_error(async_graphql::Error::from(failure).into_server_error(ctx.item.pos));
                None
            }
        }
    }

    #[graphql(entity)]
    async fn find_application_by_id(&self, id: ApplicationId) -> Option<Application> {
        Some(Application { id })
    }
}

/// Whose bills the caller may see: those of the parties they act for, or of the agency they work in.
pub(crate) fn reader(principal: &Principal) -> Result<Reader, Failure> {
    match principal {
        Principal::Officer(officer) => {
            principal.require_scope("payments:read").or_else(|_| principal.require_scope("cases:read"))?;
            Ok(Reader::Agency(officer.agency.clone()))
        }
        Principal::Citizen(citizen) => {
            principal.require_scope("payments:read")?;
            Ok(Reader::Parties(citizen.party_ids()))
        }
        Principal::Nobody => Err(Failure::new(ErrorCode::Unauthenticated, "Log in first.")),
    }
}

async fn bill_with_id(ctx: &Context<'_>, id: Uuid, reader: Reader) -> Result<Option<Bill>, Failure> {
    let found = ctx.data_unchecked::<Loads>().load_one(BillWithId(id, reader)).await?;
    Ok(found.map(Bill::from))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_exported_schema_says_who_may_and_what_belongs_to_others() {
        let sdl = super::sdl();
        for part in [
            r#"type Bill @key(fields: "id")"#,
            r#"type Application @key(fields: "id")"#,
            r#"type Agency @key(fields: "code", resolvable: false)"#,
            r#"@requiresScopes(scopes: [["payments:read"], ["cases:read"]])"#,
            r#"@requiresScopes(scopes: [["payments:write"]])"#,
            "type BillNotPayable implements Problem",
            "type NotFoundProblem implements Problem",
        ] {
            assert!(sdl.contains(part), "{part}");
        }
    }
}
