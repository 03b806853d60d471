//! Somebody who logs in again whenever a login has ended.

use serde_json::Value;
use tokio::sync::Mutex;

use super::world::World;
use crate::person::Person;

pub struct Actor<'a> {
    world: &'a World,
    persona: &'static str,
    is_officer: bool,
    login: Mutex<Option<Person<'a>>>,
}

impl<'a> Actor<'a> {
    pub fn citizen(world: &'a World, persona: &'static str) -> Self {
        Self { world, persona, is_officer: false, login: Mutex::new(None) }
    }

    pub fn officer(world: &'a World, persona: &'static str) -> Self {
        Self { is_officer: true, ..Self::citizen(world, persona) }
    }

    /// Sends a document and gives its data; nothing when it has to be sent again.
    pub async fn send(&self, operation: &str, variables: Value) -> Option<Value> {
        let mut login = self.login.lock().await;
        if login.is_none() {
            *login = Some(match self.is_officer {
                true => Person::officer(&self.world.place, self.persona).await,
                false => Person::citizen(&self.world.place, self.persona, "thaid").await,
            });
        }
        let mut answer = login.as_ref()?.send(operation, variables).await;
        if answer["errors"].is_null() {
            return Some(answer["data"].take());
        }
        // The clock moves on, and tokens with it.
        *login = None;
        None
    }
}
