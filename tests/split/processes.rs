//! The processes of one installation: started together, reached under the gateway's address.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use database::{Database, Target};
use futures::future::join_all;
use pratu::Config;
use pratu::config::Role;
use serde_json::{Value, json};
use testkit::TestDatabase;
use tokio::net::TcpListener;

use crate::installation::{client, eventually};
use crate::kills::child::Process;

/// Set where every installation of the tests is to be split.
pub const WANTED: &str = "PRATU_TEST_SPLIT";
const REDIS: &str = "PRATU_TEST_REDIS";
pub const SECRET: &str = "a secret of tests, 32 bytes or more";
/// How a secret shows itself in a configuration that is written down.
const HIDDEN: &str = "(secret)";

/// One installation in many processes.
pub struct Processes {
    pub url: String,
    /// Each role's processes, by address.
    pub running: BTreeMap<Role, Vec<(SocketAddr, Option<Process>)>>,
    config: Value,
    target: Target,
    data: std::path::PathBuf,
    _place: TestDatabase,
}

/// Whether this test process is told to split.
pub fn is_wanted() -> bool {
    setting(WANTED).is_some()
}

/// Whether these processes have Redis.
pub fn has_redis() -> bool {
    setting(REDIS).is_some()
}

impl Processes {
    /// Starts `each` processes of every role but the sandbox, of which there is one world; `None` where
    /// the machine has no PostgreSQL for tests.
    pub async fn start(config: &Config, data: &Path, each: usize) -> Option<Self> {
        let place = TestDatabase::postgres().await?;
        Some(Self::start_at(config, data, each, None, place).await)
    }

    /// The same on a database that is there, reached under `public` when something stands in front.
    pub async fn start_at(
        config: &Config,
        data: &Path,
        each: usize,
        public: Option<SocketAddr>,
        place: TestDatabase,
    ) -> Self {
        let Target::Postgres { url: database } = place.target.clone() else {
            unreachable!("it was made on PostgreSQL")
        };
        let mut free = free_addresses(Role::ALL.len() * each).await.into_iter();
        let mut running: BTreeMap<Role, Vec<(SocketAddr, Option<Process>)>> = BTreeMap::new();
        for role in Role::ALL {
            let count = if role == Role::Sandbox { 1 } else { each };
            running.insert(role, free.by_ref().take(count).map(|at| (at, None)).collect());
        }
        let public = public.unwrap_or(running[&Role::Gateway][0].0);
        let peers: BTreeMap<Role, Vec<String>> = running
            .iter()
            .map(|(role, all)| (*role, all.iter().map(|(at, _)| format!("http://{at}")).collect()))
            .collect();
        let url = format!("http://{public}");
        let mut config = without_secrets(serde_json::to_value(config).expect("it can be written down"));
        let ours = json!({
            "public_url": url,
            "data": data,
            "database_url": database,
            "sealing_key": STANDARD.encode([7_u8; 32]),
            "subgraph_secret": SECRET,
            "peers": peers,
            "proxies": { "trusted": ["127.0.0.0/8"] },
        });
        for (name, value) in ours.as_object().expect("an object") {
            config[name.as_str()] = value.clone();
        }
        if let (Some(redis), true) = (setting(REDIS), config.get("redis").is_some()) {
            // Others on the same server have other data.
            let prefix = format!("test-{:x}", rand::random::<u64>());
            config["redis"] = json!({ "urls": [redis], "prefix": prefix });
        }
        let (target, data) = (place.target.clone(), data.to_owned());
        let mut all = Self { url, running, config, target, data, _place: place };
        all.start_all().await;
        all
    }

    /// Starts what does not run, and waits until all of it is ready.
    pub async fn start_all(&mut self) {
        let (config, errors) = (self.config.clone(), self.data.join("stderr"));
        let absent = self.running.iter_mut().flat_map(|(role, all)| {
            all.iter_mut().filter(|(_, process)| process.is_none()).map(move |one| (*role, one))
        });
        join_all(absent.map(|(role, (at, process))| {
            let (mut config, errors) = (config.clone(), errors.clone());
            config["roles"] = json!([role]);
            config["listen"] = json!(at);
            async move { *process = Some(Process::start(&config, &errors).await) }
        }))
        .await;
        let http = client();
        for (role, all) in &self.running {
            for (at, _) in all {
                eventually(&format!("{role} to be ready"), async || {
                    let ready = http.get(format!("http://{at}/readyz")).send().await.ok()?;
                    ready.status().is_success().then_some(())
                })
                .await;
            }
        }
        self.hear_of_the_catalogue().await;
    }

    /// In one process the door opens when all have heard what the catalogue published.
    async fn hear_of_the_catalogue(&self) {
        let database = Database::observe(&self.target, "catalogue").await.expect("it can be read");
        eventually("offerings to be known", async || {
            let sql = "select count(*) as waiting from outbox_message where delivered_at is null";
            let row = database.row(sql, Vec::new()).await.ok()??;
            (row.get::<i64>("waiting").ok()? == 0).then_some(())
        })
        .await;
        database.close().await;
    }

    /// Ends the processes of a role, as a crash would.
    pub async fn kill(&mut self, role: Role) {
        for (_, process) in self.running.get_mut(&role).into_iter().flatten() {
            if let Some(mut process) = process.take() {
                process.kill().await;
            }
        }
    }

    /// Ends the first process of a role, as a crash would.
    pub async fn kill_first(&mut self, role: Role) {
        let first = self.running.get_mut(&role).and_then(|all| all.first_mut());
        if let Some(mut process) = first.and_then(|(_, process)| process.take()) {
            process.kill().await;
        }
    }

    /// Stops the processes of a role as a new version would, each replaced before the next.
    pub async fn roll(&mut self, role: Role) {
        for at in 0..self.running[&role].len() {
            if let Some(process) = self.running.get_mut(&role).and_then(|all| all[at].1.take()) {
                process.drain().await;
            }
            self.start_all().await;
        }
    }

    pub fn first_pid(&self, role: Role) -> Option<u32> {
        self.running[&role].first().and_then(|(_, process)| process.as_ref()).and_then(Process::pid)
    }

    pub fn addresses(&self, role: Role) -> Vec<SocketAddr> {
        self.running[&role].iter().map(|(at, _)| *at).collect()
    }

    /// Ends all and starts all again, with other settings where `config` has them.
    pub async fn restart(&mut self, config: &Config) {
        for role in Role::ALL {
            self.kill(role).await;
        }
        let changed = without_secrets(serde_json::to_value(config).expect("it can be written down"));
        self.config["payments"] = changed["payments"].clone();
        self.start_all().await;
    }

    /// The first process of a role.
    pub fn address(&self, role: Role) -> String {
        format!("http://{}", self.running[&role][0].0)
    }

    pub fn target(&self) -> Target {
        self.target.clone()
    }
}

/// Secrets do not show themselves; those of the sandbox are the default.
fn without_secrets(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|_, value| *value != HIDDEN);
            fields.values_mut().for_each(|value| *value = without_secrets(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_secrets(item.take())),
        _ => {}
    }
    value
}

/// Ports below those that the system gives to whoever asks for any: nothing else takes one between our looking
/// and its process, nor while that is away.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// Addresses that are free now, all different.
async fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    while found.len() < count {
        let port = rand::random_range(PORTS);
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            found.push(listener);
        }
    }
    found.iter().map(|listener| listener.local_addr().expect("it listens")).collect()
}

fn setting(name: &str) -> Option<String> {
    #[allow(clippy::disallowed_methods, reason = "what the tests are told, not configuration of the program")]
    let value = std::env::var(name).ok();
    value.filter(|value| !value.is_empty())
}
