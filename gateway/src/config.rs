//! What an operator sets: a TOML file, then the environment.
//!
//! `pratu.toml` in the working directory (or `--config FILE`), then variables that begin with
//! `PRATU_`, with two underscores between levels: `PRATU_LOG__FORMAT=json`. Each field says what it
//! is; `pratu check-config` prints what is in force, without secrets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chassis::telemetry::{LogFormat, Traces};
use chassis::{Environment, Secret};
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::{Deserialize, Serialize};

use crate::proxies::Proxies;

mod answer_cache;
mod door;
mod role;

pub use answer_cache::AnswerCache;
pub use door::{Cost, DocumentMode, Documents, DoorRules, Overload, Quotas};
pub use role::{Role, UnknownRole};

/// Everything an operator can set. All of it has a default that fits a developer's machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the gateway listens. Port 0 takes a free one. The sandbox listens on loopback only.
    pub listen: SocketAddr,
    /// The address the public reaches this installation under, without a slash at the end; also the
    /// issuer of our tokens. When empty: the address it listens on, over plain HTTP.
    pub public_url: String,
    /// The folder for everything that is kept: databases, evidence, the sandbox's sealing key.
    pub data: PathBuf,
    /// `sandbox` or `production`.
    pub environment: Environment,
    /// A PostgreSQL server (`postgres://user@host/database`, several hosts with commas between them); empty
    /// for SQLite files under `data`. Its role owns the tables and brings them up to date.
    pub database_url: Option<Secret>,
    /// The same by service, under a role that reaches only that service's rows:
    /// `payments = "postgres://payments:…@db/pratu"`. `pratu database provision` makes the roles.
    pub databases: BTreeMap<String, Secret>,
    /// Who may make those roles; for `pratu database provision` alone.
    pub database_admin_url: Option<Secret>,
    /// How PostgreSQL is used: pools, timeouts, replicas, and who migrates.
    pub database: database::Settings,
    /// Redis, for what may be forgotten; without it each process has its own caches, limits and wake-ups.
    pub redis: cache::RedisConfig,
    /// The master key that personal data is sealed with: 32 random bytes in base64. The sandbox makes
    /// one under `data` when there is none; production takes it from outside.
    pub sealing_key: Option<Secret>,
    /// While the sealing key is being changed: the key in force first, then those that still open what
    /// they sealed. `sealing_key`, where it is set too, counts as the last of them.
    pub sealing_keys: Vec<Secret>,
    /// The key that persons are found by, without which their numbers cannot be looked up: 32 bytes in
    /// base64. It is derived from `sealing_key` while that is the only one; `pratu keys index` prints it.
    pub blind_index_key: Option<Secret>,
    /// Lets the sandbox listen beyond loopback. Anyone who reaches it can be any persona.
    pub sandbox_beyond_loopback: bool,
    pub log: Log,
    /// Where traces of requests go.
    pub traces: Traces,
    pub limits: Limits,
    /// What the public door lets in: documents, costs, quotas, how much at once, pages of which origins.
    pub door: DoorRules,
    /// How much the gateway keeps of answers that are the same for everyone.
    pub answer_cache: AnswerCache,
    /// The proxies in front of us, so that limits per address count clients and not them.
    pub proxies: Proxies,
    /// What happens to a document that selects what its caller may not see.
    pub unauthorized: Unauthorized,
    /// Digital ID providers and the company registry; the sandbox's when left out.
    pub identity: Option<identity::Config>,
    /// Payment providers; the sandbox's when left out.
    pub payments: Option<payments::Config>,
    /// Where evidence files are kept.
    pub applications: applications::Config,
    /// The roles that run in this process: `["payments", "applications"]`; all of them when empty.
    pub roles: Vec<Role>,
    /// Where the processes of each role are that are not this one, by the role's name:
    /// `payments = ["http://10.0.0.7:4000", "http://10.0.0.8:4000"]`. A subgraph that is named here is
    /// asked there even where its role also runs here.
    pub peers: BTreeMap<String, Vec<String>>,
    /// Whether a process that runs the gateway also answers other gateways, under `/subgraphs/<name>`, as
    /// one without it always does. Only requests signed with `subgraph_secret` are taken; still, keep these
    /// paths off the public address.
    pub subgraph_doors: bool,
    /// The secret of at least 32 bytes that our processes share: with it they sign to each other who is
    /// asking, and whoever knows it can ask as anyone.
    pub subgraph_secret: Option<Secret>,
    /// A composed supergraph, as SDL, in place of the one this program was built with. Whoever writes the file
    /// replaces the supergraph without a restart.
    pub supergraph: Option<PathBuf>,
    /// Where GraphiQL's files are (`make graphiql` puts them there); from its CDN when absent.
    pub graphiql_assets: PathBuf,
}

/// How the process logs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
    /// What is logged, as `tracing` directives: `info`, `payments=debug,info`.
    pub filter: String,
}

/// Bounds on one request. Beyond them stands a clear error, never a crash.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a GraphQL request's body.
    pub body_bytes_max: usize,
    /// How long a query or mutation may take as a whole.
    pub request_timeout_ms: u64,
    /// How long a client may take for the head of a request, and also how long a connection may be idle
    /// between two: longer than a proxy in front keeps idle ones, or it will use one that is just closing.
    pub header_timeout_ms: u64,
    /// How long a client may take nothing of what waits for it before its connection is cut.
    pub write_timeout_ms: u64,
    /// Subscriptions open at once in this process, over whatever transport; a WebSocket counts as one,
    /// and so does each subscription on it.
    pub subscriptions_max: usize,
    /// The same for one person, on all devices together.
    pub subscriptions_per_person_max: usize,
    /// The same for all who have not logged in and come from one address. Behind a proxy that
    /// `proxies.trusted` does not name that is everybody: as much as `subscriptions_max` then.
    pub subscriptions_per_address_max: usize,
    /// How long a WebSocket may stay open without `connection_init`.
    pub connection_init_timeout_ms: u64,
    /// How often an open subscription or WebSocket shows that it lives. A WebSocket whose client leaves
    /// two pings unanswered is closed at the third.
    pub keep_alive_ms: u64,
    /// How long a stop says at `/readyz` that it comes, before nothing new is taken: longer than those who ask
    /// there take to notice. It is left out when nobody ever asked.
    pub drain_notice_ms: u64,
    /// How long a stop waits for running requests before it leaves them behind.
    pub drain_ms: u64,
}

/// What `@authenticated` and `@requiresScopes` do to a document that selects too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unauthorized {
    /// The field is null and reported; the rest is answered.
    #[default]
    NullTheField,
    /// Nothing is answered.
    RefuseAll,
}

impl From<Unauthorized> for federation::Unauthorized {
    fn from(setting: Unauthorized) -> Self {
        match setting {
            Unauthorized::NullTheField => Self::NullTheField,
            Unauthorized::RefuseAll => Self::RefuseAll,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4000)),
            public_url: String::new(),
            data: PathBuf::from("data"),
            environment: Environment::Sandbox,
            database_url: None,
            redis: cache::RedisConfig::default(),
            databases: BTreeMap::new(),
            database_admin_url: None,
            database: database::Settings::default(),
            sealing_key: None,
            sealing_keys: Vec::new(),
            blind_index_key: None,
            sandbox_beyond_loopback: false,
            log: Log::default(),
            traces: Traces::default(),
            limits: Limits::default(),
            door: DoorRules::default(),
            answer_cache: AnswerCache::default(),
            proxies: Proxies::default(),
            unauthorized: Unauthorized::default(),
            identity: None,
            payments: None,
            applications: applications::Config::default(),
            roles: Vec::new(),
            peers: BTreeMap::new(),
            subgraph_doors: false,
            subgraph_secret: None,
            supergraph: None,
            graphiql_assets: PathBuf::from("target/graphiql"),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 1024 * 1024,
            request_timeout_ms: 15_000,
            header_timeout_ms: 75_000,
            write_timeout_ms: 30_000,
            subscriptions_max: 10_000,
            subscriptions_per_person_max: 100,
            subscriptions_per_address_max: 1_000,
            connection_init_timeout_ms: 10_000,
            keep_alive_ms: 12_000,
            drain_notice_ms: 2_500,
            drain_ms: 20_000,
        }
    }
}

impl Config {
    /// Reads `file` (an absent default file is no error) and then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, Box<figment::Error>> {
        let toml = match file {
            Some(file) => Toml::file_exact(file),
            None => Toml::file("pratu.toml"),
        };
        // Those tell tests where servers are.
        let tests = ["test_postgres", "test_postgres_durable", "test_redis", "test_redis_cluster"];
        let environment = Env::prefixed("PRATU_").split("__").ignore(&tests);
        Figment::new().merge(toml).merge(environment).extract().map_err(Box::new)
    }

    /// Whether `role` runs in this process. There is no sandbox in production.
    pub fn runs(&self, role: Role) -> bool {
        let exists = role != Role::Sandbox || self.environment.is_sandbox();
        exists && (self.roles.is_empty() || self.roles.contains(&role))
    }

    /// The roles of this process.
    pub fn own_roles(&self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.runs(*role)).collect()
    }

    /// Those that run only elsewhere.
    pub fn roles_elsewhere(&self) -> Vec<Role> {
        let exists = |role: &Role| *role != Role::Sandbox || self.environment.is_sandbox();
        Role::ALL.into_iter().filter(|role| exists(role) && !self.runs(*role)).collect()
    }

    /// Whether other processes ask this one, and it them.
    pub fn is_split(&self) -> bool {
        !self.peers.is_empty() || !self.roles_elsewhere().is_empty() || self.subgraph_doors
    }

    /// Whether this process answers signed requests of others.
    pub fn has_doors(&self) -> bool {
        self.subgraph_doors || !self.runs(Role::Gateway)
    }

    /// Whether a role of this process keeps sealed personal data.
    pub fn seals(&self) -> bool {
        self.runs(Role::Identity) || self.runs(Role::Applications)
    }

    /// The addresses of the processes of `role`, without a slash at the end.
    pub fn addresses_of(&self, role: Role) -> Vec<String> {
        let addresses = self.peers.get(role.name()).into_iter().flatten();
        addresses.map(|address| address.trim_end_matches('/').to_owned()).collect()
    }

    /// Where traces go from here, under the name of this process.
    pub fn traces_of_this_process(&self) -> Traces {
        let mut traces = self.traces.clone();
        if traces.service_name.is_empty() {
            let roles = match self.roles_elsewhere().is_empty() {
                true => Vec::new(),
                false => self.own_roles(),
            };
            let names = roles.into_iter().map(Role::name);
            traces.service_name = std::iter::once("pratu").chain(names).collect::<Vec<_>>().join("-");
        }
        traces
    }

    /// What is in force, as TOML without secrets.
    pub fn shown(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# cannot be shown: {error}"))
    }
}
