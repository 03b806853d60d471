//! `Agency`: who gives public services.

use std::sync::Arc;

use async_graphql::{Context, Object};
use graphql::{CacheControlScope, Failure, LocalizedText, Page, PageConnection, cache_control};

use super::{FACTS_S, absent};
use crate::Service;
use crate::loader::{AgencyCode, loaders};
use crate::model::{AgencyKind, Area};
use crate::store::AgencyRecord;

/// An agency (หน่วยงาน) that gives public services.
pub struct Agency(pub Arc<AgencyRecord>);

#[Object(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
impl Agency {
    /// Its code, which never changes.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Its name.
    async fn name(&self) -> &LocalizedText {
        &self.0.content.name
    }

    /// What kind of agency it is.
    async fn kind(&self) -> AgencyKind {
        self.0.content.kind
    }

    /// Where it is in charge; null for the whole country.
    async fn area(&self) -> Option<&Area> {
        self.0.content.area.as_ref()
    }
}

impl Agency {
    /// The agency with this code, read together with others of the request.
    pub async fn load(context: &Context<'_>, code: &str) -> Result<Option<Self>, Failure> {
        Ok(loaders(context).load_one(AgencyCode(code.to_owned())).await?.map(Self))
    }
}

/// Root fields about agencies.
#[derive(Default)]
pub struct AgencyQuery;

#[Object]
impl AgencyQuery {
    /// All agencies that give public services, in order of code.
    #[graphql(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
    async fn agencies(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Agencies on this page at most: 20 when not given, 100 at most.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<PageConnection<Agency>, Failure> {
        let page = Page::parse(first, after)?;
        let store = context.data_unchecked::<Service>().store();
        let found = store.agencies(page.after.as_deref(), page.limit()).await?;
        let agencies = found.into_iter().map(|record| Agency(Arc::new(record))).collect();
        Ok(page.connection(agencies, |agency: &Agency| agency.0.code.clone()))
    }

    /// The agency with this code; null when there is none.
    #[graphql(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
    async fn agency(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The code of the agency, such as `dlt`.")] code: String,
    ) -> Result<Option<Agency>, Failure> {
        Agency::load(context, &code).await
    }

    #[graphql(entity)]
    async fn agency_by_code(&self, context: &Context<'_>, code: String) -> Option<Agency> {
        match loaders(context).load_one(AgencyCode(code)).await {
            Ok(found) => found.map(Agency),
            Err(error) => absent(context, error),
        }
    }
}
