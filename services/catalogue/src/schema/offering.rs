//! `Offering`: a public service as one agency gives it.

use std::sync::Arc;

use async_graphql::{Context, Object};
use graphql::{CacheControlScope, Failure, LocalizedText, Money, OfferingId, cache_control};
use switches::Kind;
use switches::door::Availability;

use super::agency::Agency;
use super::public_service::PublicService;
use super::{FACTS_S, MOMENT_S, absent};
use crate::Service;
use crate::loader::{OfferingKey, ServiceCode, loaders};
use crate::model::{self, Area, Contact, DaysCounted, DecisionMode, FactStatus, FeeDue, FeeOnRejection};
use crate::store::OfferingRecord;

/// A public service as one agency gives it: its fee, its days, its form. A municipality's ordinance makes
/// its own offering differ from its neighbour's.
pub struct Offering(pub Arc<OfferingRecord>);

#[Object(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
impl Offering {
    /// Its id, the same on every installation.
    async fn id(&self) -> OfferingId {
        self.0.id.into()
    }

    /// What is offered.
    async fn public_service(&self, context: &Context<'_>) -> Result<Option<PublicService>, Failure> {
        let code = ServiceCode(self.0.content.service_code.clone());
        Ok(loaders(context).load_one(code).await?.map(PublicService))
    }

    /// The agency that gives it and decides.
    async fn agency(&self, context: &Context<'_>) -> Result<Option<Agency>, Failure> {
        Agency::load(context, &self.0.content.agency_code).await
    }

    /// Where it is given; null for the whole country.
    async fn area(&self) -> Option<&Area> {
        self.0.content.area.as_ref()
    }

    /// What it costs.
    async fn fee(&self) -> Fee<'_> {
        Fee(&self.0.content.fee)
    }

    /// The days that the citizen's manual (คู่มือประชาชน) allows for the decision; 0 means at once.
    async fn legal_days(&self) -> i32 {
        self.0.content.legal_days.days
    }

    /// Which days count towards them.
    async fn legal_days_counted(&self) -> DaysCounted {
        self.0.content.legal_days.counted
    }

    /// Whether the days were read in a source.
    async fn legal_days_fact_status(&self) -> FactStatus {
        self.0.content.legal_days.status
    }

    /// What else there is to know of the days.
    async fn legal_days_note(&self) -> Option<&LocalizedText> {
        self.0.content.legal_days.note.as_ref()
    }

    /// Where the days were read.
    async fn legal_days_source(&self) -> Option<&str> {
        self.0.content.legal_days.source.as_deref()
    }

    /// Where to go at this agency; empty when it is where the service says.
    async fn contacts(&self) -> &[Contact] {
        &self.0.content.contacts
    }

    /// Who decides.
    async fn decision(&self) -> DecisionMode {
        self.0.content.decision
    }

    /// Whether the agency takes applications here; `availability` may say that they wait for the moment.
    async fn accepting(&self) -> bool {
        self.0.content.accepting
    }

    /// Whether the public service is open now; while it is closed no application is begun or submitted,
    /// and drafts are kept.
    #[graphql(directive = cache_control::apply(Some(MOMENT_S), Some(CacheControlScope::Public), None))]
    async fn availability(&self, context: &Context<'_>) -> Result<Availability, Failure> {
        availability(context, &self.0.content.service_code).await
    }

    /// Its revision, which rises with each change; an application pins one.
    async fn revision(&self) -> i32 {
        i32::try_from(self.0.revision).unwrap_or(i32::MAX)
    }
}

/// How a public service stands with those who run this platform.
pub(super) async fn availability(context: &Context<'_>, service: &str) -> Result<Availability, Failure> {
    let closures = context.data_unchecked::<Service>().switches().closures().await?;
    Ok(Availability::of(&closures, Kind::PublicService, service))
}

/// The fee (ค่าธรรมเนียม) of an offering.
pub struct Fee<'offering>(pub &'offering model::Fee);

#[Object(directive = cache_control::apply(None, None, Some(true)))]
impl Fee<'_> {
    /// The amount; null when an officer assesses it, as the note tells.
    async fn amount(&self) -> Option<Money> {
        self.0.satang.map(Money::from_satang)
    }

    /// When it falls due.
    async fn due(&self) -> FeeDue {
        self.0.due
    }

    /// What happens to a fee already paid when the application is rejected.
    async fn on_rejection(&self) -> FeeOnRejection {
        self.0.on_rejection
    }

    /// Whether the fee was read in a source; clients mark a sample (ข้อมูลตัวอย่าง).
    async fn fact_status(&self) -> FactStatus {
        self.0.status
    }

    /// Where it was read.
    async fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// What else there is to know of it.
    async fn note(&self) -> Option<&LocalizedText> {
        self.0.note.as_ref()
    }
}

/// Root fields about offerings.
#[derive(Default)]
pub struct OfferingQuery;

#[Object]
impl OfferingQuery {
    /// The offering with this id; null when there is none.
    #[graphql(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
    async fn offering(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id of the offering.")] id: OfferingId,
    ) -> Result<Option<Offering>, Failure> {
        Ok(loaders(context).load_one(OfferingKey(id.uuid())).await?.map(Offering))
    }

    #[graphql(entity)]
    async fn offering_by_id(&self, context: &Context<'_>, id: OfferingId) -> Option<Offering> {
        match loaders(context).load_one(OfferingKey(id.uuid())).await {
            Ok(found) => found.map(Offering),
            Err(error) => absent(context, error),
        }
    }
}
