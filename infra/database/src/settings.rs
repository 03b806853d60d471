//! What an operator sets about PostgreSQL: pools, timeouts, replicas, and who migrates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How this process uses PostgreSQL.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Connections of one service in one process. PostgreSQL works on about as many statements at once
    /// as it has cores, so that a few are enough: a pool is a queue in front of them, and a longer one
    /// only moves the waiting into the server. All processes together stay below `max_connections`:
    /// processes × services in each × this.
    pub connections_max: u32,
    /// The same for one service, by its name, where it needs more or fewer.
    pub connections_max_of: BTreeMap<String, u32>,
    /// How long one host may take to take a connection, before the next one is tried.
    pub connect_timeout_ms: u64,
    /// How long a request waits for a connection of the pool: long enough for a failover's first
    /// moments, far shorter than a client waits.
    pub acquire_timeout_ms: u64,
    /// How long one statement may run.
    pub statement_timeout_ms: u64,
    /// How long it may wait for a lock: shorter than the statement, so that the reason is told.
    pub lock_timeout_ms: u64,
    /// How long a transaction may hold its locks and do nothing: then its process hangs.
    pub idle_in_transaction_timeout_ms: u64,
    /// Standbys that reads go to which may be a little old: `["10.0.0.9:5432"]`, or folders of sockets.
    /// User, password and database are those of the primary's address.
    pub replicas: Vec<String>,
    /// How far a replica may be behind; further, and the primary is asked.
    pub replica_lag_ms_max: u64,
    /// Who brings the tables up to date; by the environment when it is left out: each process at its
    /// start in the sandbox, `pratu migrate` in production.
    pub migrate: Option<Migrate>,
}

/// Who brings the tables up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Migrate {
    /// Each process when it starts; those that start at once stand in line.
    AtStart,
    /// A job before it: a process refuses to start on tables that lack what it needs. What a newer
    /// version has added does not disturb it.
    Before,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections_max: 8,
            connections_max_of: BTreeMap::new(),
            connect_timeout_ms: 2_000,
            acquire_timeout_ms: 5_000,
            statement_timeout_ms: 5_000,
            lock_timeout_ms: 4_000,
            idle_in_transaction_timeout_ms: 15_000,
            replicas: Vec::new(),
            replica_lag_ms_max: 2_000,
            migrate: None,
        }
    }
}

impl Settings {
    pub(crate) fn connections_max(&self, service: &str) -> u32 {
        self.connections_max_of.get(service).copied().unwrap_or(self.connections_max).max(1)
    }

    /// What cannot be used, one line each.
    pub fn shortcomings(&self) -> Vec<String> {
        let times = [
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("acquire_timeout_ms", self.acquire_timeout_ms),
            ("statement_timeout_ms", self.statement_timeout_ms),
            ("lock_timeout_ms", self.lock_timeout_ms),
            ("idle_in_transaction_timeout_ms", self.idle_in_transaction_timeout_ms),
        ];
        let nothing = times.into_iter().filter(|(_, ms)| *ms == 0);
        let mut found: Vec<_> =
            nothing.map(|(name, _)| format!("database.{name} must be above zero")).collect();
        if self.connections_max == 0 || self.connections_max_of.values().any(|max| *max == 0) {
            found.push("database.connections_max must be above zero".to_owned());
        }
        found
    }
}
