//! What this service hears: offerings from catalogue; bills, settlements and refunds from payments.

use outbox::{Consumer, Error, Received};

use crate::model::offering::Offering;
use crate::store::payment::{BillIssued, BillSettled, Refunded};
use crate::store::{Refusal, Store};

/// The name under which messages are taken in once.
pub const CONSUMER: &str = "applications";

/// Takes in messages of other services.
pub struct Listener {
    store: Store,
}

impl Listener {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait::async_trait]
impl Consumer for Listener {
    fn name(&self) -> &'static str {
        CONSUMER
    }

    fn topics(&self) -> &'static [&'static str] {
        &[
            "catalogue.offering_published",
            "payments.bill_issued",
            "payments.bill_settled",
            "payments.refunded",
        ]
    }

    async fn receive(&self, message: &Received) -> Result<(), Error> {
        let (store, id) = (&self.store, message.id);
        let taken_in = match message.topic.as_str() {
            "catalogue.offering_published" => store.hear_of_offering(id, &message.parse::<Offering>()?).await,
            "payments.bill_issued" => store.hear_of_payment(id, message.parse::<BillIssued>()?.into()).await,
            "payments.bill_settled" => {
                store.hear_of_payment(id, message.parse::<BillSettled>()?.into()).await
            }
            "payments.refunded" => store.hear_of_payment(id, message.parse::<Refunded>()?.into()).await,
            _ => Ok(()),
        };
        taken_in.map_err(|refusal| match refusal {
            Refusal::Failed(failure) => format!("{failure:?}").into(),
            other => format!("{other:?}").into(),
        })
    }
}
