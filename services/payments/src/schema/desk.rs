//! What officers of the books read: refunds to be made by hand, and differences that were found.

use async_graphql::{Context, Object};
use auth::{Officer, Principal};
use graphql::{ErrorCode, Failure, Page, PageConnection};
use uuid::Uuid;

use super::finding::{Finding, FindingFilter};
use super::refund::{Refund, RefundFilter};
use crate::Service;
use crate::store;
use crate::store::bill::Reader;

/// Reading the books.
#[derive(Default)]
pub struct DeskQuery;

#[Object]
impl DeskQuery {
    /// Refunds of the officer's agency, newest first.
    #[graphql(requires_scopes = "books:read")]
    async fn refunds(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Refunds on this page: up to 100, otherwise 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        #[graphql(desc = "Which refunds to list.")] filter: Option<RefundFilter>,
    ) -> Result<PageConnection<Refund>, Failure> {
        let reader = Reader::Agency(officer(ctx)?.agency.clone());
        let page = Page::parse(first, after)?;
        let database = ctx.data_unchecked::<Service>().database();
        let status = filter.unwrap_or_default().status;
        let found = store::refund::refunds(database, &reader, status, before(&page)?, page.limit()).await?;
        let found = found.into_iter().map(Refund::from).collect();
        Ok(page.connection(found, |refund: &Refund| refund.row.id.to_string()))
    }

    /// Where our books and a provider's differ, newest first: what concerns the officer's agency; for
    /// those who run this platform, also what concerns nobody's bill.
    #[graphql(requires_scopes = "books:read")]
    async fn findings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Findings on this page: up to 100, otherwise 20.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        #[graphql(desc = "Which findings to list.")] filter: Option<FindingFilter>,
    ) -> Result<PageConnection<Finding>, Failure> {
        let service = ctx.data_unchecked::<Service>();
        let desk = service.desk_of(&officer(ctx)?.agency);
        let page = Page::parse(first, after)?;
        let filter = filter.unwrap_or_default();
        let which = (filter.status, filter.kind);
        let found =
            store::finding::findings(service.database(), &desk, which, before(&page)?, page.limit()).await?;
        let found = found.into_iter().map(Finding::from).collect();
        Ok(page.connection(found, |finding: &Finding| finding.row.id.to_string()))
    }
}

fn officer<'a>(ctx: &'a Context<'_>) -> Result<&'a Officer, Failure> {
    let principal = auth::principal(ctx);
    principal.require_scope("books:read")?;
    match principal {
        Principal::Officer(officer) => Ok(officer),
        _ => Err(Failure::new(ErrorCode::Forbidden, "This is for officers.")),
    }
}

/// The last id of the page before.
pub(super) fn before(page: &Page) -> Result<Option<Uuid>, Failure> {
    let Some(position) = &page.after else { return Ok(None) };
    let refusal = || Failure::new(ErrorCode::BadUserInput, "`after` is not a cursor of this list.");
    position.parse().map(Some).map_err(|_| refusal())
}
