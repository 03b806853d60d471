//! What an operator sets: a TOML file, then the environment.
//!
//! `pratu.toml` in the working directory (or `--config FILE`), then variables that begin with
//! `PRATU_`, with two underscores between levels: `PRATU_LOG__FORMAT=json`. Each field says what it
//! is; `pratu check-config` prints what is in force, without secrets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chassis::telemetry::LogFormat;
use chassis::{Environment, Secret};
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::{Deserialize, Serialize};

use crate::proxies::Proxies;

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
    /// A PostgreSQL server (`postgres://user@host/database`); empty for SQLite files under `data`.
    pub database_url: Option<Secret>,
    /// The master key that personal data is sealed with: 32 random bytes in base64. The sandbox makes
    /// one under `data` when there is none; production takes it from outside.
    pub sealing_key: Option<Secret>,
    /// Lets the sandbox listen beyond loopback. Anyone who reaches it can be any persona.
    pub sandbox_beyond_loopback: bool,
    pub log: Log,
    pub limits: Limits,
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
    /// Subgraphs to ask over HTTP, by name: `payments = "http://10.0.0.7:4000/subgraphs/payments"`.
    /// Those that are not named are asked in this process.
    pub subgraphs: BTreeMap<String, String>,
    /// Whether this process also answers other gateways, under `/subgraphs/<name>`. Only requests
    /// signed with `subgraph_secret` are taken; still, keep these paths off the public address.
    pub subgraph_doors: bool,
    /// The secret of at least 32 bytes that gateways and subgraphs share: with it a gateway signs who
    /// is asking, and whoever knows it can ask as anyone.
    pub subgraph_secret: Option<Secret>,
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
            sealing_key: None,
            sandbox_beyond_loopback: false,
            log: Log::default(),
            limits: Limits::default(),
            proxies: Proxies::default(),
            unauthorized: Unauthorized::default(),
            identity: None,
            payments: None,
            applications: applications::Config::default(),
            subgraphs: BTreeMap::new(),
            subgraph_doors: false,
            subgraph_secret: None,
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
        let environment = Env::prefixed("PRATU_").split("__").ignore(&["test_postgres"]);
        Figment::new().merge(toml).merge(environment).extract().map_err(Box::new)
    }

    /// What is in force, as TOML without secrets.
    pub fn shown(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# cannot be shown: {error}"))
    }
}
