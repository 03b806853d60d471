//! Where databases live: files of this process, or a PostgreSQL server.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::Settings;

/// Where databases live.
#[derive(Clone, Debug)]
pub enum Target {
    /// A directory with one SQLite file per service; one process at a time.
    Embedded {
        directory: PathBuf,
        /// Whether a commit waits for the disk. Only throw-away test data goes without.
        durable: bool,
    },
    /// A PostgreSQL server under one address; one schema per service, everything else by default.
    Postgres { url: String },
    /// PostgreSQL as an operator has set it up.
    Server(Box<Server>),
}

/// A PostgreSQL server, or a primary with its standbys.
#[derive(Clone, Default)]
pub struct Server {
    /// For services that have no address of their own. Several hosts are written as libpq takes them,
    /// `postgres://user@a:5432,b:5432/pratu`: whichever is the primary is used.
    pub url: String,
    /// By service: the same database under a role that reaches only that service's schema.
    pub urls: BTreeMap<String, String>,
    pub settings: Settings,
}

impl Server {
    /// The address that a service uses.
    pub(crate) fn url_of(&self, service: &str) -> &str {
        self.urls.get(service).unwrap_or(&self.url)
    }
}

/// Addresses hold passwords.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let services: Vec<_> = self.urls.keys().collect();
        f.debug_struct("Server")
            .field("urls", &services)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// SQLite files in `directory`, safe against power loss.
    pub fn embedded(directory: impl Into<PathBuf>) -> Self {
        Self::Embedded { directory: directory.into(), durable: true }
    }

    /// The PostgreSQL server it is, if it is one.
    pub(crate) fn server(&self) -> Option<Server> {
        match self {
            Self::Embedded { .. } => None,
            Self::Postgres { url } => Some(Server { url: url.clone(), ..Server::default() }),
            Self::Server(server) => Some(*server.clone()),
        }
    }
}
