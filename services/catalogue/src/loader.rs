//! Batched reading: all services, offerings and agencies that one request needs at the same depth cost
//! one query each. Made anew for each request, so that nothing is served from an older one.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest};
use async_graphql::{Context, Request, ServerResult};
use uuid::Uuid;

use crate::store::{AgencyRecord, LifeEventRecord, OfferingRecord, ServiceRecord, Store};
use crate::{Error, Service};

/// The loader of one request.
pub type Loaders = DataLoader<BatchReader, HashMapCache>;

/// Asks for a public service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceCode(pub String);

/// Asks for an agency.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgencyCode(pub String);

/// Asks for an offering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfferingKey(pub Uuid);

/// Asks for a page of a service's offerings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OfferingsOf {
    pub service: String,
    pub page: OfferingPage,
}

/// Which offerings of a service: services asked for the same page are read together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OfferingPage {
    pub area: Option<String>,
    pub after: Option<String>,
    pub limit: i64,
}

/// Asks for the offering of a service that serves an area.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OfferingForArea {
    pub service: String,
    pub area: String,
}

/// Asks for the life events that a service belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LifeEventsOf(pub String);

/// The loader of the request in `context`.
pub fn loaders<'ctx>(context: &Context<'ctx>) -> &'ctx Loaders {
    context.data_unchecked()
}

/// Reads what was asked for together.
pub struct BatchReader(Store);

impl Loader<ServiceCode> for BatchReader {
    type Value = Arc<ServiceRecord>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ServiceCode]) -> Result<HashMap<ServiceCode, Self::Value>, Self::Error> {
        let codes: Vec<String> = keys.iter().map(|key| key.0.clone()).collect();
        let found = self.0.services(&codes).await?;
        Ok(found.into_iter().map(|record| (ServiceCode(record.code.clone()), Arc::new(record))).collect())
    }
}

impl Loader<AgencyCode> for BatchReader {
    type Value = Arc<AgencyRecord>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[AgencyCode]) -> Result<HashMap<AgencyCode, Self::Value>, Self::Error> {
        let codes: Vec<String> = keys.iter().map(|key| key.0.clone()).collect();
        let found = self.0.agencies_by_code(&codes).await?;
        Ok(found.into_iter().map(|record| (AgencyCode(record.code.clone()), Arc::new(record))).collect())
    }
}

impl Loader<OfferingKey> for BatchReader {
    type Value = Arc<OfferingRecord>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OfferingKey]) -> Result<HashMap<OfferingKey, Self::Value>, Self::Error> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let found = self.0.offerings(&ids).await?;
        Ok(found.into_iter().map(|record| (OfferingKey(record.id), Arc::new(record))).collect())
    }
}

impl Loader<OfferingsOf> for BatchReader {
    type Value = Vec<Arc<OfferingRecord>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OfferingsOf]) -> Result<HashMap<OfferingsOf, Self::Value>, Self::Error> {
        let mut pages: HashMap<&OfferingPage, Vec<String>> = HashMap::new();
        for key in keys {
            pages.entry(&key.page).or_default().push(key.service.clone());
        }
        let mut answers: HashMap<OfferingsOf, Self::Value> = HashMap::new();
        for (page, services) in pages {
            let found =
                self.0.offerings_of(&services, page.area.as_deref(), page.after.as_deref(), page.limit);
            for record in found.await? {
                let key = OfferingsOf { service: record.content.service_code.clone(), page: page.clone() };
                answers.entry(key).or_default().push(Arc::new(record));
            }
        }
        Ok(answers)
    }
}

impl Loader<OfferingForArea> for BatchReader {
    type Value = Arc<OfferingRecord>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[OfferingForArea],
    ) -> Result<HashMap<OfferingForArea, Self::Value>, Self::Error> {
        let mut areas: HashMap<&str, Vec<String>> = HashMap::new();
        for key in keys {
            areas.entry(&key.area).or_default().push(key.service.clone());
        }
        let mut answers = HashMap::new();
        for (area, services) in areas {
            for record in self.0.offerings_for_area(&services, area).await? {
                let service = record.content.service_code.clone();
                answers.insert(OfferingForArea { service, area: area.to_owned() }, Arc::new(record));
            }
        }
        Ok(answers)
    }
}

impl Loader<LifeEventsOf> for BatchReader {
    type Value = Vec<Arc<LifeEventRecord>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[LifeEventsOf]) -> Result<HashMap<LifeEventsOf, Self::Value>, Self::Error> {
        let codes: Vec<String> = keys.iter().map(|key| key.0.clone()).collect();
        let mut answers: HashMap<LifeEventsOf, Self::Value> = HashMap::new();
        for (service, record) in self.0.life_events_of(&codes).await? {
            answers.entry(LifeEventsOf(service)).or_default().push(Arc::new(record));
        }
        Ok(answers)
    }
}

/// Gives each request a loader of its own, however the request came in.
pub struct LoaderPerRequest(pub Service);

impl ExtensionFactory for LoaderPerRequest {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self(self.0.clone()))
    }
}

#[async_trait::async_trait]
impl Extension for LoaderPerRequest {
    async fn prepare_request(
        &self,
        context: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let reader = BatchReader(self.0.store().clone());
        let loaders = DataLoader::with_cache(reader, tokio::spawn, HashMapCache::default());
        next.run(context, request.data(loaders)).await
    }
}
