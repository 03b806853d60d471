//! `PublicService`: what there is, how to find it, and the guide to it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, InputObject, Json, Object, SimpleObject};
use graphql::{
    AuthenticatorAssuranceLevel, CacheControlScope, ErrorCode, Failure, IdentityAssuranceLevel,
    LocalizedText, Page, PageConnection, cache_control, list_size,
};
use serde_json::Value;
use switches::door::Availability;

use super::agency::Agency;
use super::life_event::LifeEvent;
use super::offering::{Offering, availability};
use super::{FACTS_S, MOMENT_S, absent, area};
use crate::Service;
use crate::loader::{LifeEventsOf, OfferingForArea, OfferingPage, OfferingsOf, ServiceCode, loaders};
use crate::model::{self, Audience, Channel, Contact, DeliveryMode, FactStatus, Layout, LegalBasis, Step};
use crate::search::{Filter, Hit, SEARCH_CHARS_MAX};
use crate::store::ServiceRecord;

/// A public service (บริการภาครัฐ): what it is, what it needs, who offers it.
pub struct PublicService(pub Arc<ServiceRecord>);

#[Object(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
impl PublicService {
    /// Its code, which never changes: `LAO-01`.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Its name.
    async fn title(&self) -> &LocalizedText {
        &self.0.content.title
    }

    /// What it is for, in a sentence or two.
    async fn summary(&self) -> &LocalizedText {
        &self.0.content.summary
    }

    /// The agency that answers for the service as such; offerings have their own.
    async fn agency(&self, context: &Context<'_>) -> Result<Option<Agency>, Failure> {
        Agency::load(context, &self.0.content.agency).await
    }

    /// Who it is for.
    async fn audience(&self) -> &[Audience] {
        &self.0.content.audience
    }

    /// How it can be reached.
    async fn channels(&self) -> &[Channel] {
        &self.0.content.channels
    }

    /// How much of it needs no visit.
    async fn delivery_mode(&self) -> DeliveryMode {
        self.0.content.delivery_mode
    }

    /// How surely it must be known who files (IAL).
    async fn identity_assurance_level(&self) -> IdentityAssuranceLevel {
        self.0.content.identity.ial.into()
    }

    /// How surely the one who files must have logged in (AAL).
    async fn authenticator_assurance_level(&self) -> AuthenticatorAssuranceLevel {
        self.0.content.identity.aal.into()
    }

    /// The way through it, in order.
    #[graphql(directive = list_size::apply(5))]
    async fn steps(&self) -> &[Step] {
        &self.0.content.steps
    }

    /// What must be shown, and what of it the state already holds.
    #[graphql(directive = list_size::apply(5))]
    async fn evidence(&self) -> Vec<EvidenceRequirement> {
        self.0.content.evidence.iter().map(EvidenceRequirement::from).collect()
    }

    /// The laws it stands on.
    #[graphql(directive = list_size::apply(5))]
    async fn legal_basis(&self) -> &[LegalBasis] {
        &self.0.content.legal_basis
    }

    /// Where to go, above all when it is not filed here.
    #[graphql(directive = list_size::apply(5))]
    async fn contacts(&self) -> &[Contact] {
        &self.0.content.contacts
    }

    /// The form to fill in; null when it is filed elsewhere.
    async fn form(&self) -> Option<Form> {
        let published = self.0.content.form.as_ref()?.published(self.0.form_revision);
        Some(Form {
            revision: i32::try_from(published.revision).unwrap_or(i32::MAX),
            schema: Json(published.schema),
            layout: Json(published.layout),
        })
    }

    /// Who offers it, in order of agency code.
    async fn offerings(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Offerings on this page at most: 20 when not given, 100 at most.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
        #[graphql(
            desc = "Only those that serve this area: its own, those of an area that holds it, those of \
                          the whole country. Two digits for a province, four for a district, six for a subdistrict."
        )]
        area: Option<String>,
    ) -> Result<PageConnection<Offering>, Failure> {
        let page = Page::parse(first, after)?;
        let wanted =
            OfferingPage { area: super::area(area)?, after: page.after.clone(), limit: page.limit() };
        let key = OfferingsOf { service: self.0.code.clone(), page: wanted };
        let found = loaders(context).load_one(key).await?.unwrap_or_default();
        let offerings = found.into_iter().map(Offering).collect();
        Ok(page.connection(offerings, |offering: &Offering| offering.0.content.agency_code.clone()))
    }

    /// The offering for somebody of this area: the one of the smallest area that holds it, else the one of
    /// the whole country; null when nobody offers it there.
    async fn offering(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "An area code: two digits for a province, four for a district, six for a subdistrict."
        )]
        area: String,
    ) -> Result<Option<Offering>, Failure> {
        let Some(area) = super::area(Some(area))? else { return Ok(None) };
        let key = OfferingForArea { service: self.0.code.clone(), area };
        Ok(loaders(context).load_one(key).await?.map(Offering))
    }

    /// The life events it belongs to.
    async fn life_events(&self, context: &Context<'_>) -> Result<Vec<LifeEvent>, Failure> {
        let found = loaders(context).load_one(LifeEventsOf(self.0.code.clone())).await?;
        Ok(found.unwrap_or_default().into_iter().map(LifeEvent).collect())
    }

    /// Its revision, which rises with each change.
    async fn revision(&self) -> i32 {
        i32::try_from(self.0.revision).unwrap_or(i32::MAX)
    }

    /// Whether it is open now; while it is closed (ปิดรับคำขอชั่วคราว) no application is begun or submitted,
    /// and drafts are kept.
    #[graphql(directive = cache_control::apply(Some(MOMENT_S), Some(CacheControlScope::Public), None))]
    async fn availability(&self, context: &Context<'_>) -> Result<Availability, Failure> {
        availability(context, &self.0.code).await
    }

    /// Whether it can be filed here, with at least one agency that accepts.
    async fn fileable(&self) -> bool {
        self.0.fileable
    }

    /// The weakest of the facts about it (level, laws, contacts): `VERIFIED` only when all are. Fees and
    /// days have their own, on each offering.
    async fn fact_status(&self) -> FactStatus {
        self.0.content.fact_status()
    }
}

/// Something that must be shown (เอกสารหรือหลักฐาน).
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(None, None, Some(true)))]
struct EvidenceRequirement {
    /// Its code within the service.
    code: String,
    /// What it is.
    title: LocalizedText,
    /// Whether nothing can be filed without it.
    required: bool,
    /// Whether the state already holds it: then it is fetched and never asked for.
    held_by_state: bool,
    /// Who holds it.
    held_by: Option<LocalizedText>,
    /// What a file may be; empty when it is not given as a file here.
    accepted_media_types: Vec<String>,
    /// How large a file may be, in bytes; null when it is not given as a file here.
    bytes_max: Option<i32>,
}

impl From<&model::Evidence> for EvidenceRequirement {
    fn from(evidence: &model::Evidence) -> Self {
        let upload = evidence.upload.as_ref();
        Self {
            code: evidence.code.clone(),
            title: evidence.title.clone(),
            required: evidence.required,
            held_by_state: evidence.held_by.is_some(),
            held_by: evidence.held_by.clone(),
            accepted_media_types: upload.map(|upload| upload.media_types.clone()).unwrap_or_default(),
            bytes_max: upload.and_then(|upload| i32::try_from(upload.bytes_max).ok()),
        }
    }
}

/// A form: what is asked, and how it is laid out.
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(None, None, Some(true)))]
struct Form {
    /// Its revision, which rises with each change of the form.
    revision: i32,
    /// JSON Schema 2020-12 of the answers. `title` is Thai, `x-title-en` English; a property with
    /// `x-source` is filled in from that source and not for the citizen to edit.
    schema: Json<Value>,
    /// The sections in order, each with a title and JSON pointers to its fields.
    layout: Json<Layout>,
}

/// Which public services are meant; all that is given must hold.
#[derive(Default, InputObject)]
pub struct PublicServiceFilter {
    /// Those for this audience.
    audience: Option<Audience>,
    /// Those of this agency (its code), as the one that answers for it or as one that offers it.
    agency: Option<String>,
    /// Those that this channel reaches.
    channel: Option<Channel>,
    /// Those that ask for this identity level or a lower one.
    identity_assurance_level_max: Option<IdentityAssuranceLevel>,
    /// Those that can be filed here, or those that cannot.
    fileable: Option<bool>,
    /// Those offered to somebody of this area: two digits for a province, four for a district, six for a
    /// subdistrict.
    area: Option<String>,
}

impl PublicServiceFilter {
    fn parsed(self) -> Result<Filter, Failure> {
        Ok(Filter {
            audience: self.audience,
            agency: self.agency,
            channel: self.channel,
            ial_max: self.identity_assurance_level_max.map(Into::into),
            fileable: self.fileable,
            area: area(self.area)?,
        })
    }
}

/// Root fields about public services.
#[derive(Default)]
pub struct PublicServiceQuery;

#[Object]
impl PublicServiceQuery {
    /// Public services: those found by a search, best first; without one all of them, in order of code.
    #[graphql(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
    async fn public_services(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Services on this page at most: 20 when not given, 100 at most.")] first: Option<
            i32,
        >,
        #[graphql(
            desc = "The cursor after which the page begins; it belongs to the same search and filter."
        )]
        after: Option<String>,
        #[graphql(desc = "Words in Thai or English, at most 200 characters. Slips of the pen are forgiven.")]
        search: Option<String>,
        #[graphql(desc = "Narrows the list.")] filter: Option<PublicServiceFilter>,
    ) -> Result<PageConnection<PublicService>, Failure> {
        let page = Page::parse(first, after)?;
        let filter = filter.unwrap_or_default().parsed()?;
        if search.as_ref().is_some_and(|search| search.chars().count() > SEARCH_CHARS_MAX) {
            let message = format!("`search` must be at most {SEARCH_CHARS_MAX} characters.");
            return Err(Failure::new(ErrorCode::BadUserInput, message));
        }
        let index = context.data_unchecked::<Service>().index().await?;
        let after = page.after.as_deref().map(cursor).transpose()?;
        let hits = index.find(search.as_deref(), &filter, after.as_ref(), page.size + 1);
        let codes = hits.iter().map(|hit| ServiceCode(hit.code.clone()));
        let found = loaders(context).load_many(codes).await?;
        let scores: HashMap<&str, &Hit> = hits.iter().map(|hit| (hit.code.as_str(), hit)).collect();
        let services = hits.iter().filter_map(|hit| found.get(&ServiceCode(hit.code.clone())));
        let services = services.cloned().map(PublicService).collect();
        Ok(page.connection(services, |service: &PublicService| scores[service.0.code.as_str()].position()))
    }

    /// The public service with this code; null when there is none.
    #[graphql(directive = cache_control::apply(Some(FACTS_S), Some(CacheControlScope::Public), None))]
    async fn public_service(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The code of the service, such as `LAO-01`.")] code: String,
    ) -> Result<Option<PublicService>, Failure> {
        Ok(loaders(context).load_one(ServiceCode(code)).await?.map(PublicService))
    }

    #[graphql(entity)]
    async fn public_service_by_code(&self, context: &Context<'_>, code: String) -> Option<PublicService> {
        match loaders(context).load_one(ServiceCode(code)).await {
            Ok(found) => found.map(PublicService),
            Err(error) => absent(context, error),
        }
    }
}

fn cursor(position: &str) -> Result<Hit, Failure> {
    Hit::at(position).ok_or_else(|| Failure::new(ErrorCode::BadUserInput, "`after` is not a cursor."))
}
