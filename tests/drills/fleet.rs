//! Two processes of each role, with a real PostgreSQL pair and Redis, behind a balancer; and their bank.

use pratu::Config;
use pratu::config::Role;
use serde_json::Value;

use super::balancer;
use super::probe::Probe;
use super::provider::Provider;
use crate::kills::books;
use crate::kills::journey::Journey;
use crate::kills::world::World;
use crate::person::Person;
use crate::split::processes::Processes;

/// An installation in many processes that a drill may harm.
pub struct Fleet {
    pub world: World,
    pub processes: Processes,
    pub provider: Provider,
    /// Everything that people were told has happened.
    pub done: Vec<(Journey, Value)>,
    data: tempfile::TempDir,
}

impl Fleet {
    /// One whose Redis is at `redis`.
    pub async fn start(redis: &str) -> Self {
        let data = tempfile::TempDir::new().expect("a temporary folder can be made");
        let (listener, public) = balancer::bind().await;
        let url = format!("http://{public}");
        let place = testkit::TestDatabase::postgres().await.expect("a PostgreSQL server for drills");
        let world = World::elsewhere(&url, place.target.clone()).await;
        let provider = Provider::start(&world.bank_url).await;
        let mut config = Config::default();
        config.redis.urls = vec![redis.into()];
        config.payments = Some(payments::Config::sandbox_at(&url, &format!("{}/sandbox", provider.url)));
        let processes = Processes::start_at(&config, data.path(), 2, Some(public), place).await;
        balancer::balance(listener, processes.addresses(Role::Gateway));
        Self { world, processes, provider, done: Vec::new(), data }
    }

    /// Begins to ask small questions; gives the asker.
    pub async fn probe(&self) -> Probe {
        let person = Person::citizen(&self.world.place, "malee", "thaid").await;
        Probe::start(&self.world.place.url, person.token.as_deref().expect("a token"))
    }

    /// Delivers everything, and says what is false then.
    pub async fn faults(&self) -> Vec<String> {
        self.world.drain().await;
        books::faults(&self.world, &self.done).await
    }

    /// What the processes said on their standard error.
    pub fn said(&self) -> String {
        let said = std::fs::read_to_string(self.data.path().join("stderr")).unwrap_or_default();
        said.lines().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}
