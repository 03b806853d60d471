//! What only the databases know, looked up now and then for `/metrics`.

use std::time::Duration;

use database::Database;
use metrics::gauge;
use outbox::Outbox;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::services::Services;
use crate::upkeep;

/// Processes of one role all look, and tell the same.
const MEASURE: Duration = Duration::from_secs(10);

impl Services {
    /// Measures until the process stops.
    pub fn keep_measuring(&self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        let services = self.named_outboxes();
        let (databases, payments) = (self.databases(), self.payments.clone());
        if databases.is_empty() {
            return;
        }
        tasks.spawn(upkeep::every(MEASURE, stop.clone(), move || {
            let (services, databases, payments) = (services.clone(), databases.clone(), payments.clone());
            async move {
                for (name, database) in &databases {
                    connections(name, database);
                }
                for (name, database, outbox) in &services {
                    waiting(name, database, outbox).await;
                }
                if let Some(payments) = payments {
                    unsettled(&payments).await;
                }
            }
        }));
    }

    fn named_outboxes(&self) -> Vec<(&'static str, Database, Outbox)> {
        let all = [
            ("catalogue", self.catalogue.as_ref().map(|service| (service.database(), service.outbox()))),
            ("identity", self.identity.as_ref().map(|service| (service.database(), service.outbox()))),
            (
                "applications",
                self.applications.as_ref().map(|service| (service.database(), service.outbox())),
            ),
            ("payments", self.payments.as_ref().map(|service| (service.database(), service.outbox()))),
        ];
        let here = all.into_iter().filter_map(|(name, found)| Some((name, found?)));
        here.map(|(name, (database, outbox))| (name, database.clone(), outbox.clone())).collect()
    }
}

fn connections(name: &'static str, database: &Database) {
    let connections = database.connections();
    gauge!("database_connections", "database" => name, "state" => "used").set(connections.used);
    gauge!("database_connections", "database" => name, "state" => "idle").set(connections.idle);
    gauge!("database_connections_max", "database" => name).set(connections.max);
}

async fn waiting(name: &'static str, database: &Database, outbox: &Outbox) {
    match outbox.backlog(database).await {
        Ok(backlog) => {
            gauge!("outbox_pending", "service" => name).set(backlog.pending as f64);
            gauge!("outbox_oldest_seconds", "service" => name).set(backlog.oldest_s);
        }
        Err(error) => tracing::warn!(service = name, %error, "waiting messages were not counted"),
    }
}

async fn unsettled(payments: &payments::Service) {
    match payments.unsettled_s().await {
        Ok(oldest_s) => gauge!("payments_unsettled_oldest_seconds").set(oldest_s),
        Err(error) => tracing::warn!(%error, "payments without an outcome were not looked for"),
    }
}
