//! What the roles of this process answer to our other processes.

use axum::Router;

use super::Ground;
use super::services::Services;
use crate::config::Role;
use crate::peers::sessions::{After, News, sessions_door};
use crate::peers::{SignedDoor, clock, graph_door, nudge_door, outbox_door};

impl Services {
    /// None where nothing is split.
    pub fn doors(&self, ground: &Ground<'_>) -> Router {
        let config = ground.config;
        let door = SignedDoor::new(&ground.peers, ground.seen.clone()).filter(|_| config.is_split());
        let Some(door) = door else { return Router::new() };
        let mut doors = nudge_door(&door, ground.hearing.clone());
        if config.runs(Role::Gateway) {
            doors = doors.merge(graph_door(&door, ground.graph.clone()));
        }
        if config.runs(Role::Sandbox) {
            doors = doors.merge(clock::clock_door(&door, ground.clock.clone()));
        }
        if let Some(identity) = self.identity.clone() {
            doors = doors.merge(sessions_door(&door, move |After(at, session)| {
                let identity = identity.clone();
                async move {
                    let ended = identity.sessions_ended_after((at, session)).await?;
                    Ok::<_, identity::Error>(News { keys: identity.public_keys().await, ended })
                }
            }));
        }
        for role in Role::SERVICES {
            let consumers = self.consumers_of(role);
            if !consumers.is_empty() {
                doors = doors.merge(outbox_door(&door, role, consumers));
            }
        }
        doors
    }
}
