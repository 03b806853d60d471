//! `OfferingChange`: the record of what an offering was, for the officers of its agency.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use graphql::{ErrorCode, Failure, LocalizedText, OfferingId, Page, PageConnection};

use super::edit::reader;
use super::offering::Fee;
use crate::Service;
use crate::model::{Contact, DaysCounted, FactStatus};
use crate::store::{self, Terms};

/// A change of an offering: who made it, when, and what it was before and after.
pub struct OfferingChange(store::OfferingChange);

#[Object]
impl OfferingChange {
    /// The revision that the change made.
    async fn revision(&self) -> i32 {
        i32::try_from(self.0.revision).unwrap_or(i32::MAX)
    }

    /// When it was made.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.0.changed_at
    }

    /// The officer who made it (an opaque id); null where a file was published.
    async fn officer_id(&self) -> Option<String> {
        self.0.edit.as_ref().map(|edit| edit.officer.simple().to_string())
    }

    /// Why it was made; null where a file was published.
    async fn reason(&self) -> Option<&str> {
        self.0.edit.as_ref().map(|edit| edit.reason.as_str())
    }

    /// What held before; null for the first revision.
    async fn before(&self) -> Option<OfferingTerms<'_>> {
        self.0.before.as_ref().map(OfferingTerms)
    }

    /// What held after.
    async fn after(&self) -> OfferingTerms<'_> {
        OfferingTerms(&self.0.after)
    }
}

/// What of an offering can be changed without a file.
pub struct OfferingTerms<'change>(&'change Terms);

#[Object]
impl OfferingTerms<'_> {
    /// What it cost.
    async fn fee(&self) -> Fee<'_> {
        Fee(&self.0.fee)
    }

    /// The days allowed for the decision.
    async fn legal_days(&self) -> i32 {
        self.0.legal_days.days
    }

    /// Which days count towards them.
    async fn legal_days_counted(&self) -> DaysCounted {
        self.0.legal_days.counted
    }

    /// Whether the days were read in a source.
    async fn legal_days_fact_status(&self) -> FactStatus {
        self.0.legal_days.status
    }

    /// What else there was to know of the days.
    async fn legal_days_note(&self) -> Option<&LocalizedText> {
        self.0.legal_days.note.as_ref()
    }

    /// Where to go at the agency.
    async fn contacts(&self) -> &[Contact] {
        &self.0.contacts
    }

    /// Whether an application could be started.
    async fn accepting(&self) -> bool {
        self.0.accepting
    }
}

/// Root fields about the record.
#[derive(Default)]
pub struct OfferingChangeQuery;

#[Object]
impl OfferingChangeQuery {
    /// All changes of an offering of the officer's agency, the latest first; null when there is no such
    /// offering, or it is another agency's.
    #[graphql(requires_scopes = "catalogue:edit")]
    async fn offering_changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The offering.")] offering_id: OfferingId,
        #[graphql(desc = "Changes on this page at most: 20 when not given, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> Result<Option<PageConnection<OfferingChange>>, Failure> {
        let officer = reader(context)?;
        let page = Page::parse(first, after)?;
        let revision = page.after.as_deref().map(str::parse).transpose();
        let revision = revision
            .map_err(|_| Failure::new(ErrorCode::BadUserInput, "`after` is not a cursor of this list."))?;
        let store = context.data_unchecked::<Service>().store();
        let changes =
            store.offering_changes(offering_id.uuid(), &officer.agency, revision, page.limit()).await?;
        let changes = changes.map(|changes| changes.into_iter().map(OfferingChange).collect());
        Ok(changes
            .map(|changes| page.connection(changes, |change: &OfferingChange| change.0.revision.to_string())))
    }
}
