//! `LifeEvent`: services bundled for one event in a life.

use std::sync::Arc;

use async_graphql::{Context, Object};
use graphql::{CacheControlScope, Failure, LocalizedText, Page, PageConnection, cache_control};

use super::FACTS_S;
use super::public_service::PublicService;
use crate::Service;
use crate::loader::{ServiceCode, loaders};
use crate::store::LifeEventRecord;

/// A life event (เหตุการณ์ในชีวิต): the public services for it, in the order to take them.
pub struct LifeEvent(pub Arc<LifeEventRecord>);

#[Object(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
impl LifeEvent {
    /// Its code, which never changes.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What happens: "Open a restaurant".
    async fn title(&self) -> &LocalizedText {
        &self.0.content.title
    }

    /// What the bundle does, in a sentence.
    async fn summary(&self) -> &LocalizedText {
        &self.0.content.summary
    }

    /// The services, in the order to take them.
    async fn services(&self, context: &Context<'_>) -> Result<Vec<PublicService>, Failure> {
        let codes = &self.0.content.services;
        let found = loaders(context).load_many(codes.iter().cloned().map(ServiceCode)).await?;
        let in_order = codes.iter().filter_map(|code| found.get(&ServiceCode(code.clone())));
        Ok(in_order.cloned().map(PublicService).collect())
    }
}

/// Root fields about life events.
#[derive(Default)]
pub struct LifeEventQuery;

#[Object]
impl LifeEventQuery {
    /// All life events, in order of code.
    #[graphql(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
    async fn life_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Life events on this page at most: 20 when not given, 100 at most.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<PageConnection<LifeEvent>, Failure> {
        let page = Page::parse(first, after)?;
        let store = context.data_unchecked::<Service>().store();
        let found = store.life_events(page.after.as_deref(), page.limit()).await?;
        let events = found.into_iter().map(|record| LifeEvent(Arc::new(record))).collect();
        Ok(page.connection(events, |event: &LifeEvent| event.0.code.clone()))
    }

    /// The life event with this code; null when there is none.
    #[graphql(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
    async fn life_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The code of the life event, such as `open-a-restaurant`.")] code: String,
    ) -> Result<Option<LifeEvent>, Failure> {
        let found = context.data_unchecked::<Service>().store().life_event(&code).await?;
        Ok(found.map(|record| LifeEvent(Arc::new(record))))
    }
}
