//! Where Redis is, and how long anybody waits for it.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// Where Redis is. Without an address everything stays in the memory of each process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://[user:password@]host:port`, or `rediss://` for TLS. One address is a single server, several
    /// are members of one Cluster; `redis-cluster://` says that a lone address is one, too. None: no Redis.
    pub urls: Vec<RedisAddress>,
    /// What all keys and channels begin with, so that installations can share a server.
    pub prefix: String,
    /// How long a command may take. Whoever waited goes on without Redis.
    pub timeout_ms: u64,
    /// How long a connection may take to open; nobody waits for it longer than for a command.
    pub connect_timeout_ms: u64,
    /// Commands that fail in a row before Redis is left alone for a while.
    pub failures_max: u32,
    /// How long it is left alone, before one command tries again.
    pub pause_ms: u64,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            prefix: "pratu".into(),
            timeout_ms: 50,
            connect_timeout_ms: 500,
            failures_max: 5,
            pause_ms: 500,
        }
    }
}

/// An address that shows no password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct RedisAddress(String);

impl RedisAddress {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RedisAddress {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(mut url) = Url::parse(&self.0) else { return f.write_str("(no address)") };
        if url.password().is_some() {
            // Fails only for addresses that cannot have a password.
            _ = url.set_password(Some("secret"));
        }
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RedisAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
