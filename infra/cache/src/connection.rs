//! The handle to Redis: a single server or a Cluster, opened when first needed, left alone while it fails.

mod breaker;
mod bus;
mod link;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{Cmd, FromRedisValue, RedisError, ServerErrorKind};

use crate::config::RedisConfig;
use breaker::Breaker;
use bus::Bus;
pub(crate) use bus::{Channel, Heard};
use link::{Line, Target};

/// Redis, for everything in this process. Cloning shares it.
#[derive(Clone)]
pub struct Redis(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    prefix: String,
    timeout: Duration,
    line: Line,
    breaker: Breaker,
    bus: Bus,
    answered: AtomicU64,
    failed: AtomicU64,
}

/// Redis does not answer now, or not in time: go on without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Redis does not answer now")]
pub struct Absent;

/// A setting is no address of Redis.
#[derive(Debug, thiserror::Error)]
#[error("{address} is no address of Redis")]
pub struct BadAddress {
    pub address: String,
    pub source: RedisError,
}

/// Something that Redis does as one step, with one key.
pub struct Script {
    text: &'static str,
    sha: String,
}

impl Redis {
    /// The configured Redis, or `None` where none is configured. Nothing is connected yet, so that a dead
    /// Redis stops no start.
    pub fn open(config: &RedisConfig) -> Result<Option<Self>, BadAddress> {
        let Some(target) = Target::new(config)? else { return Ok(None) };
        let bus = Bus::new(target.members().to_vec());
        Ok(Some(Self(Arc::new(Inner {
            prefix: config.prefix.clone(),
            timeout: Duration::from_millis(config.timeout_ms),
            line: Line::new(target),
            breaker: Breaker::new(config.failures_max, Duration::from_millis(config.pause_ms)),
            bus,
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }))))
    }

    /// What all keys begin with.
    pub fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// Commands that were answered, and commands that were not, since the start.
    pub fn counts(&self) -> (u64, u64) {
        (self.0.answered.load(Ordering::Relaxed), self.0.failed.load(Ordering::Relaxed))
    }

    /// Whether Redis is left alone now, because it failed.
    pub fn is_left_alone(&self) -> bool {
        self.0.breaker.is_open()
    }

    /// Runs a script on one key, by its digest where the server knows it.
    pub async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &str,
        arguments: &[i64],
    ) -> Result<T, Absent> {
        let command = |name: &str, body: &str| {
            let mut command = redis::cmd(name);
            command.arg(body).arg(1).arg(key).arg(arguments);
            command
        };
        match self.ask(&command("EVALSHA", &script.sha)).await {
            Err(Some(ServerErrorKind::NoScript)) => self.query(&command("EVAL", script.text)).await,
            other => other.map_err(|_| Absent),
        }
    }

    /// One command about one key: the members of a Cluster share nothing.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Absent> {
        self.ask(command).await.map_err(|_| Absent)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Option<ServerErrorKind>> {
        let inner = &self.0;
        let begun = tokio::time::Instant::now();
        let Some(permit) = inner.breaker.admit(begun) else {
            metrics::counter!("cache_redis_commands_total", "outcome" => "left_alone").increment(1);
            return Err(None);
        };
        let asked = async {
            let (number, opening) = inner.line.link();
            let answer = opening.await?.query(command).await;
            if answer.as_ref().is_err_and(RedisError::is_unrecoverable_error) {
                // The next command opens another.
                inner.line.hang_up_on(number);
            }
            Some(answer)
        };
        let outcome = tokio::time::timeout(inner.timeout, asked).await;
        let (label, result) = match outcome {
            Ok(Some(Ok(value))) => ("answered", Ok(value)),
            // The server is well; it is the command it does not like.
            Ok(Some(Err(error))) if error.kind_of_reply().is_some() => {
                ("refused", Err(error.kind_of_reply()))
            }
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "Redis failed");
                ("failed", Err(None))
            }
            Ok(None) => ("unreachable", Err(None)),
            Err(_) => ("late", Err(None)),
        };
        metrics::counter!("cache_redis_commands_total", "outcome" => label).increment(1);
        metrics::histogram!("cache_redis_command_duration_seconds").record(begun.elapsed().as_secs_f64());
        if matches!(result, Ok(_) | Err(Some(_))) {
            inner.answered.fetch_add(1, Ordering::Relaxed);
            permit.good();
        } else {
            inner.failed.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("cache_redis_errors_total").increment(1);
            if permit.bad(tokio::time::Instant::now()) {
                tracing::warn!(outcome = label, "Redis fails: this process goes on without it for a while");
                // A connection to a machine that is gone would look alive for minutes.
                inner.line.hang_up();
            }
        }
        result
    }
}

impl Script {
    pub fn new(text: &'static str) -> Self {
        let sha = redis::Script::new(text).get_hash().to_owned();
        Self { text, sha }
    }
}

trait Reply {
    fn kind_of_reply(&self) -> Option<ServerErrorKind>;
}

impl Reply for RedisError {
    /// What a healthy server says to a command that it cannot serve.
    fn kind_of_reply(&self) -> Option<ServerErrorKind> {
        match self.kind() {
            redis::ErrorKind::Server(
                kind @ (ServerErrorKind::ResponseError | ServerErrorKind::NoScript | ServerErrorKind::NoPerm),
            ) => Some(kind),
            _ => None,
        }
    }
}
