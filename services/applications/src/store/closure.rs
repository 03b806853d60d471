//! The copy of what is closed, as catalogue announced it.

use switches::{Change, Closure, Closures, Kind};
use uuid::Uuid;

use super::{Refusal, Store};

impl Store {
    /// Takes in that a public service was closed or opened, once.
    pub async fn hear_of_switch(&self, message_id: Uuid, change: &Change) -> Result<(), Refusal> {
        let mut tx = self.database.begin().await?;
        if outbox::first_time(&mut tx, crate::events::CONSUMER, message_id, self.clock.now()).await? {
            self.switches.hear(&mut tx, change).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Refuses what is new while the service is closed.
pub fn check_open(closures: &Closures, service_code: &str) -> Result<(), Refusal> {
    match closures.of(Kind::PublicService, service_code) {
        Some(closure) => Err(Refusal::Closed(Box::new(Closure::clone(closure)))),
        None => Ok(()),
    }
}
