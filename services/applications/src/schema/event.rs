//! The timeline, and telling each event as it happens.

use std::time::Duration;

use async_graphql::{Context, Object, SimpleObject, Subscription as GraphqlSubscription};
use chrono::{DateTime, Utc};
use futures::Stream;
use graphql::{ApplicationId, Failure, LocalizedText, MandateId, PartyId};

use super::foreign::Party;
use super::{key_of, reader, service};
use crate::model::{ApplicationStatus, EventKind, timeline};
use crate::store::event::{self as stored, ActorKind, EVENTS_READ_MAX, Words};

/// How long a subscription may sleep through a lost wake-up.
const SWEEP: Duration = Duration::from_secs(10);

/// Something that happened to an application; it never changes.
pub struct ApplicationEvent(pub stored::Event);

/// Who did it.
#[derive(SimpleObject)]
pub struct EventActor {
    /// What kind of actor.
    kind: ActorKind,
    /// The same in words. Officers are not named to applicants.
    label: LocalizedText,
}

/// A document the agency asked for.
#[derive(SimpleObject)]
pub struct RequestedDocument {
    /// Its code among the service's evidence.
    evidence_code: String,
    /// What is missing or wrong.
    message: Option<String>,
}

/// Something that happened to an application; it never changes.
#[Object]
impl ApplicationEvent {
    /// Counts up per application, without gaps: subscribe with the last one seen.
    async fn sequence(&self) -> i32 {
        self.0.sequence
    }

    /// What happened.
    async fn kind(&self) -> EventKind {
        self.0.kind
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// When it counts as received by law: of what the applicant sent to the agency.
    async fn legally_received_at(&self) -> Option<DateTime<Utc>> {
        self.0.legally_received_at
    }

    /// Who did it.
    async fn actor(&self) -> EventActor {
        let label = match self.0.actor.kind {
            ActorKind::Applicant => LocalizedText::new("ผู้ยื่นคำขอ", "Applicant"),
            ActorKind::Officer => LocalizedText::new("เจ้าหน้าที่", "Officer"),
            ActorKind::System => LocalizedText::new("ระบบ", "System"),
        };
        EventActor { kind: self.0.actor.kind, label }
    }

    /// The mandate by which the actor acted for the applicant. Null to officers and for oneself.
    async fn mandate_id(&self, ctx: &Context<'_>) -> Option<MandateId> {
        auth::citizen(ctx).ok().and(self.0.mandate_id).map(MandateId::from)
    }

    /// For whom. Null to officers.
    async fn party(&self, ctx: &Context<'_>) -> Option<Party> {
        auth::citizen(ctx).ok().map(|_| Party { id: PartyId::from(self.0.party_id) })
    }

    /// Where the application stood afterwards.
    async fn status_after(&self) -> ApplicationStatus {
        self.0.status_after
    }

    /// One sentence about it.
    async fn description(&self) -> LocalizedText {
        timeline::description(self.0.kind)
    }

    /// What the officer wrote to the applicant.
    async fn message(&self, ctx: &Context<'_>) -> Result<Option<String>, Failure> {
        Ok(self.words(ctx).await?.message)
    }

    /// The documents the agency asked for.
    async fn requested_documents(&self, ctx: &Context<'_>) -> Result<Vec<RequestedDocument>, Failure> {
        let documents = self.words(ctx).await?.documents.into_iter();
        let shown = documents
            .map(|asked| RequestedDocument { evidence_code: asked.evidence_code, message: asked.message });
        Ok(shown.collect())
    }
}

impl ApplicationEvent {
    /// What an officer wrote; nothing when nobody wrote, or when the applicant was erased.
    async fn words(&self, ctx: &Context<'_>) -> Result<Words, Failure> {
        if self.0.message.is_none() {
            return Ok(Words::default());
        }
        let key = key_of(ctx, self.0.party_id).await?;
        Ok(key.map(|key| self.0.words(&key)).transpose()?.flatten().unwrap_or_default())
    }
}

/// The subgraph's subscriptions.
pub struct Subscription;

/// The subgraph's subscriptions.
#[GraphqlSubscription]
impl Subscription {
    /// Each event of an application, from the one after `after` on: reconnect with the last
    /// `sequence` seen and nothing is missed. Needs what `application` needs.
    // async-graphql has no `requires_scopes` on subscription fields: `reader` checks them.
    #[graphql(directive = auth::authenticated::apply())]
    async fn application_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The application's id.")] application_id: ApplicationId,
        // Nullable: where an argument has a default, async-graphql takes a variable left out for a null.
        #[graphql(desc = "The last sequence number seen; all events when left out.")] after: Option<i32>,
    ) -> Result<impl Stream<Item = async_graphql::Result<ApplicationEvent>> + use<>, Failure> {
        let store = service(ctx).store.clone();
        let id = store.application(&reader(ctx)?, application_id.uuid()).await?.id;
        // Listening begins before the first reading, so that nothing falls in between.
        let mut listener = store.listen(id);
        Ok(async_stream::try_stream! {
            let mut seen = after.unwrap_or(0).max(0);
            loop {
                let events = store.events_after(&[id], seen, EVENTS_READ_MAX).await.map_err(Failure::from)?;
                let more = i64::try_from(events.len()) == Ok(EVENTS_READ_MAX);
                for event in events {
                    seen = event.sequence;
                    yield ApplicationEvent(event);
                }
                if !more {
                    // Or until it is time to look anyway.
                    _ = tokio::time::timeout(SWEEP, listener.woken()).await;
                }
            }
        })
    }
}
