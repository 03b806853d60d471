//! Messages between the services, and what services do by themselves.

use std::sync::Arc;

use database::Database;
use outbox::{Consumer, Outbox, Relay};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::invalidation::Invalidation;
use super::services::Services;
use super::{Error, Ground};
use crate::config::Role;
use crate::peers::{PAUSE, RemoteRole};
use crate::upkeep;

impl Services {
    /// Starts one relay per outbox of this process, each delivering to everyone who listens, here or
    /// elsewhere. What the catalogue just published is first made known to those that are here.
    pub async fn start_relays(&self, ground: &Ground<'_>, tasks: &mut JoinSet<()>) -> Result<(), Error> {
        let remote = remote_roles(ground);
        let mut consumers = self.everyone_who_listens(&remote);
        // Before all others: whoever is slow or hangs would have readers see what was changed.
        consumers.insert(0, Arc::new(Invalidation(ground.tags.clone())));
        for (database, outbox) in self.outboxes() {
            let (clock, consumers) = (ground.clock.clone(), consumers.clone());
            let relay = Relay::new(database.clone(), clock, outbox.clone(), consumers);
            let is_catalogue =
                self.catalogue.as_ref().is_some_and(|catalogue| std::ptr::eq(catalogue.outbox(), outbox));
            // Others may not be there yet; what is for them comes again.
            if is_catalogue && ground.config.roles_elsewhere().is_empty() {
                while relay.deliver_due().await.map_err(Error::CatchUp)? > 0 {}
            }
            let stop = ground.stop.clone();
            tasks.spawn(async move { relay.run(stop).await });
        }
        self.greet_who_comes_back(ground, remote, tasks);
        Ok(())
    }

    /// What waits because a role was away leaves as soon as it is back.
    fn greet_who_comes_back(
        &self,
        ground: &Ground<'_>,
        remote: Vec<Arc<RemoteRole>>,
        tasks: &mut JoinSet<()>,
    ) {
        let outboxes: Vec<(Database, Outbox)> = self
            .outboxes()
            .into_iter()
            .map(|(database, outbox)| (database.clone(), outbox.clone()))
            .collect();
        if remote.is_empty() || outboxes.is_empty() {
            return;
        }
        let (clock, greeted) = (ground.clock.clone(), Arc::new((remote, outboxes)));
        tasks.spawn(upkeep::every(PAUSE, ground.stop.clone(), move || {
            let (clock, greeted) = (clock.clone(), Arc::clone(&greeted));
            async move {
                let (remote, outboxes) = greeted.as_ref();
                for role in remote {
                    if !role.is_back().await {
                        continue;
                    }
                    for (database, outbox) in outboxes {
                        match outbox::hurry(database, role.name(), clock.now()).await {
                            Ok(_) => outbox.wake(),
                            Err(error) => tracing::warn!(%error, "messages wait longer than they need to"),
                        }
                    }
                }
            }
        }));
    }

    /// Those of a role in this process, whatever else runs here.
    pub fn consumers_of(&self, role: Role) -> Vec<Arc<dyn Consumer>> {
        let consumers = match role {
            Role::Catalogue => self.catalogue.as_ref().map(catalogue::Service::consumers),
            Role::Identity => self.identity.as_ref().map(identity::Service::consumers),
            Role::Applications => self.applications.as_ref().map(applications::Service::consumers),
            Role::Payments => self.payments.as_ref().map(payments::Service::consumers),
            Role::Gateway | Role::Sandbox => None,
        };
        consumers.unwrap_or_default()
    }

    /// Those here come first: they need not wait for another process that is slow.
    fn everyone_who_listens(&self, remote: &[Arc<RemoteRole>]) -> Vec<Arc<dyn Consumer>> {
        let mut consumers: Vec<Arc<dyn Consumer>> = Vec::new();
        for role in Role::SERVICES {
            consumers.extend(self.consumers_of(role));
        }
        consumers.extend(remote.iter().map(|role| Arc::clone(role) as Arc<dyn Consumer>));
        consumers
    }

    fn outboxes(&self) -> Vec<(&Database, &Outbox)> {
        let outboxes = [
            self.catalogue.as_ref().map(|service| (service.database(), service.outbox())),
            self.identity.as_ref().map(|service| (service.database(), service.outbox())),
            self.applications.as_ref().map(|service| (service.database(), service.outbox())),
            self.payments.as_ref().map(|service| (service.database(), service.outbox())),
        ];
        outboxes.into_iter().flatten().collect()
    }

    /// What services do by themselves: hear of other processes, and forget what is long over.
    pub fn keep_up(&self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        if let Some(identity) = self.identity.clone() {
            tasks.spawn(upkeep::every(upkeep::HEAR, stop.clone(), move || {
                let identity = identity.clone();
                async move { identity.tend().await }
            }));
        }
        let services = (self.identity.clone(), self.applications.clone(), self.payments.clone());
        tasks.spawn(upkeep::every(upkeep::FORGET, stop.clone(), move || {
            let (identity, applications, payments) = services.clone();
            async move {
                if let Some(identity) = identity {
                    upkeep::note("identity", identity.forget_old().await);
                }
                if let Some(applications) = applications {
                    upkeep::note("applications", applications.forget_old().await);
                    upkeep::note_room("applications", applications.make_room().await);
                }
                if let Some(payments) = payments {
                    upkeep::note("payments", payments.forget_old().await);
                    upkeep::note_room("payments", payments.make_room().await);
                }
            }
        }));
    }
}

/// Those who listen in other processes.
fn remote_roles(ground: &Ground<'_>) -> Vec<Arc<RemoteRole>> {
    let elsewhere = ground.config.roles_elsewhere().into_iter().map(|role| (role, topics_of(role)));
    elsewhere
        .filter(|(_, topics)| !topics.is_empty())
        .map(|(role, topics)| Arc::new(RemoteRole::new(role, topics, ground.peers.clone())))
        .collect()
}

/// What the consumers of a role listen to, wherever it runs.
fn topics_of(role: Role) -> Vec<&'static str> {
    match role {
        Role::Identity => identity::TOPICS.to_vec(),
        Role::Applications => applications::topics(),
        Role::Payments => payments::topics(),
        // They listen to nobody.
        Role::Catalogue | Role::Gateway | Role::Sandbox => Vec::new(),
    }
}
