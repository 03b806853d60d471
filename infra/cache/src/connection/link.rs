//! The connection that commands share, opened when first needed and again after it was hung up.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::Shared;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisResult};

use super::BadAddress;
use crate::config::RedisConfig;

/// Commands that wait to be written before others wait for them.
const WAITING_MAX: usize = 1024;

/// Where the connection goes.
#[derive(Clone)]
pub struct Target {
    members: Vec<Client>,
    cluster: Option<ClusterClient>,
    connect_timeout: Duration,
    timeout: Duration,
}

/// An open connection. Cloning shares it.
#[derive(Clone)]
pub enum Link {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Ends with the connection, or with the reason why there is none.
type Opening = Shared<Pin<Box<dyn Future<Output = Result<Link, String>> + Send>>>;

/// The one connection of a process.
pub struct Line {
    target: Target,
    /// Open or opening, with a number that tells it from the one before.
    current: Arc<Mutex<(u64, Option<Opening>)>>,
}

impl Target {
    pub fn new(config: &RedisConfig) -> Result<Option<Self>, BadAddress> {
        let connect_timeout = Duration::from_millis(config.connect_timeout_ms);
        let timeout = Duration::from_millis(config.timeout_ms);
        let mut members = Vec::new();
        let mut clustered = config.urls.len() > 1;
        for address in &config.urls {
            let url = match address.reveal().strip_prefix("redis-cluster:") {
                Some(rest) => {
                    clustered = true;
                    format!("redis:{rest}")
                }
                None => address.reveal().to_owned(),
            };
            let client =
                Client::open(url).map_err(|source| BadAddress { address: address.to_string(), source })?;
            members.push(client);
        }
        let Some(first) = config.urls.first() else { return Ok(None) };
        let cluster = if clustered {
            let seeds = members.iter().map(|member| member.get_connection_info().clone());
            let client = ClusterClient::builder(seeds)
                .connection_timeout(connect_timeout)
                .response_timeout(timeout)
                .retries(1)
                .max_connection_attempts(NonZeroUsize::MIN)
                .build()
                .map_err(|source| BadAddress { address: first.to_string(), source })?;
            Some(client)
        } else {
            None
        };
        Ok(Some(Self { members, cluster, connect_timeout, timeout }))
    }

    pub fn members(&self) -> &[Client] {
        &self.members
    }

    async fn open(&self) -> RedisResult<Link> {
        if let Some(cluster) = &self.cluster {
            return cluster.get_async_connection().await.map(Link::Cluster);
        }
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.timeout))
            .set_pipeline_buffer_size(WAITING_MAX);
        let client = self.members.first().expect("a target has an address");
        client.get_multiplexed_async_connection_with_config(&settings).await.map(Link::Single)
    }
}

impl Link {
    pub async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::Single(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

impl Line {
    pub fn new(target: Target) -> Self {
        Self { target, current: Arc::default() }
    }

    /// The connection, once it is open, or why it cannot be opened. It opens in a task of its own:
    /// whoever does not wait for it leaves it opening for the next.
    pub fn link(&self) -> (u64, Opening) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opening) = &current.1 {
            return (current.0, opening.clone());
        }
        current.0 += 1;
        let (number, target, slot) = (current.0, self.target.clone(), Arc::clone(&self.current));
        let open = tokio::spawn(async move {
            let limit = target.connect_timeout * 2;
            let reason = match tokio::time::timeout(limit, target.open()).await {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no connection opens in time".to_owned(),
            };
            let mut current = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if current.0 == number {
                current.1 = None;
            }
            Err(reason)
        });
        let opening = open.map(|link| link.unwrap_or_else(|died| Err(died.to_string()))).boxed().shared();
        current.1 = Some(opening.clone());
        (number, opening)
    }

    /// Forgets the connection of this number; a Cluster's mends itself.
    pub fn hang_up_on(&self, number: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 == number && self.target.cluster.is_none() {
            current.1 = None;
        }
    }

    /// Forgets the connection; the next command opens another.
    pub fn hang_up(&self) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).1 = None;
    }
}
