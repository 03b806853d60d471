//! What this service hears: offerings from catalogue, news from payments, and its own timers.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use outbox::{Consumer, Error, Received};

use crate::model::offering::Offering;
use crate::store::legal_clock::topic;
use crate::store::object::{SWEEP, Sweep};
use crate::store::payment::{BillIssued, BillSettled, Refunded};
use crate::store::{Refusal, Store};

/// The name under which messages are taken in once.
pub const CONSUMER: &str = "applications";

/// Catalogue says that a public service was closed or opened.
const AVAILABILITY: &str = "catalogue.availability_changed";

/// What it listens to.
pub const TOPICS: &[&str] = &[
    "catalogue.offering_published",
    AVAILABILITY,
    "payments.bill_issued",
    "payments.bill_settled",
    "payments.refunded",
    topic::LATENESS,
    topic::DOCUMENTS_DUE,
    topic::DRAFT,
    SWEEP,
];

/// Takes in messages of other services.
pub struct Listener {
    store: Store,
    files: Arc<dyn ObjectStore>,
}

impl Listener {
    pub fn new(store: Store, files: Arc<dyn ObjectStore>) -> Self {
        Self { store, files }
    }

    /// Deletes an object that is nobody's. Every step may be done again.
    async fn sweep(&self, path: &str) -> Result<(), Refusal> {
        if !self.store.claim_orphan(path).await? {
            return Ok(());
        }
        match self.files.delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => self.store.forget_object(path).await,
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait::async_trait]
impl Consumer for Listener {
    fn name(&self) -> &'static str {
        CONSUMER
    }

    fn topics(&self) -> &'static [&'static str] {
        TOPICS
    }

    async fn receive(&self, message: &Received) -> Result<(), Error> {
        let (store, id) = (&self.store, message.id);
        let taken_in = match message.topic.as_str() {
            "catalogue.offering_published" => store.hear_of_offering(id, &message.parse::<Offering>()?).await,
            AVAILABILITY => store.hear_of_switch(id, &message.parse()?).await,
            "payments.bill_issued" => store.hear_of_payment(id, message.parse::<BillIssued>()?.into()).await,
            "payments.bill_settled" => {
                store.hear_of_payment(id, message.parse::<BillSettled>()?.into()).await
            }
            "payments.refunded" => store.hear_of_payment(id, message.parse::<Refunded>()?.into()).await,
            topic::LATENESS => store.notify_lateness(id, message.parse()?).await,
            topic::DOCUMENTS_DUE => store.end_documents_time(id, message.parse()?).await,
            topic::DRAFT => store.end_draft(id, message.parse()?).await,
            SWEEP => self.sweep(&message.parse::<Sweep>()?.path).await,
            _ => Ok(()),
        };
        taken_in.map_err(|refusal| match refusal {
            Refusal::Failed(failure) => format!("{failure:?}").into(),
            other => format!("{other:?}").into(),
        })
    }
}
