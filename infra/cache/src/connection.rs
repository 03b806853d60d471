//! The handle to Redis: a single server or a Cluster, opened when first needed, left alone while it fails.

mod breaker;
mod bus;
mod link;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::config::RedisConfig;
use breaker::{Breaker, Opened, Permit};
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

/// Why a command has no answer.
enum Unanswered {
    /// The server does not know the script yet.
    NoScript,
    /// The server is well; it is the command, or what is kept under the key, that does not fit.
    Refused,
    Away,
}

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
            Err(Unanswered::NoScript) => self.query(&command("EVAL", script.text)).await,
            other => other.map_err(|_| Absent),
        }
    }

    /// One command about one key: the members of a Cluster share nothing.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Absent> {
        self.ask(command).await.map_err(|_| Absent)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Unanswered> {
        let inner = &self.0;
        let begun = Instant::now();
        let Some(permit) = inner.breaker.admit(begun) else {
            metrics::counter!("cache_redis_commands_total", "outcome" => "left_alone").increment(1);
            return Err(Unanswered::Away);
        };
        let asked = async {
            let (number, opening) = inner.line.link();
            let mut link = opening.await?;
            Ok::<_, String>((number, link.query(command).await))
        };
        let (outcome, answer) =
            match tokio::time::timeout(inner.timeout, asked.instrument(span(command))).await {
                Ok(Ok((_, Ok(value)))) => ("answered", Ok(value)),
                Ok(Ok((number, Err(error)))) => match Unanswered::of(&error) {
                    Unanswered::Away => {
                        if error.is_unrecoverable_error() {
                            // The next command opens another.
                            inner.line.hang_up_on(number);
                        }
                        ("failed", Err(error.to_string()))
                    }
                    refused => {
                        self.count("refused", begun);
                        self.went_well(permit);
                        return Err(refused);
                    }
                },
                Ok(Err(reason)) => ("unreachable", Err(reason)),
                Err(_) => ("late", Err("it takes too long to answer".to_owned())),
            };
        self.count(outcome, begun);
        match answer {
            Ok(value) => {
                self.went_well(permit);
                Ok(value)
            }
            Err(reason) => {
                self.went_badly(permit, &reason);
                Err(Unanswered::Away)
            }
        }
    }

    fn went_well(&self, permit: Permit<'_>) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
        if permit.good() {
            tracing::info!("Redis answers again");
        }
    }

    fn went_badly(&self, permit: Permit<'_>, reason: &str) {
        self.0.failed.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("cache_redis_errors_total").increment(1);
        match permit.bad(Instant::now()) {
            Opened::No => return,
            // Said once, however long it lasts.
            Opened::Now => tracing::warn!(reason, "Redis fails: this process goes on without it for a while"),
            Opened::Again => tracing::debug!(reason, "Redis still fails"),
        }
        // A connection to a machine that is gone would look alive for minutes.
        self.0.line.hang_up();
    }

    fn count(&self, outcome: &'static str, begun: Instant) {
        metrics::counter!("cache_redis_commands_total", "outcome" => outcome).increment(1);
        metrics::histogram!("cache_redis_command_duration_seconds").record(begun.elapsed().as_secs_f64());
    }
}

impl Script {
    pub fn new(text: &'static str) -> Self {
        let sha = redis::Script::new(text).get_hash().to_owned();
        Self { text, sha }
    }
}

/// For traces: the command's name and nothing of its key; log lines do not show it.
fn span(command: &Cmd) -> Span {
    tracing::debug_span!(
        "redis",
        otel.name = name(command),
        otel.kind = "client",
        db.operation.name = name(command)
    )
}

fn name(command: &Cmd) -> &str {
    match command.args_iter().next() {
        Some(redis::Arg::Simple(name)) => str::from_utf8(name).unwrap_or("-"),
        _ => "-",
    }
}

impl Unanswered {
    /// A server that says no, or that holds what another version of the program wrote, is not away.
    fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoScript) => Self::NoScript,
            ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::NoPerm)
            | ErrorKind::Parse
            | ErrorKind::UnexpectedReturnType => {
                tracing::debug!(%error, "Redis refuses a command");
                Self::Refused
            }
            _ => Self::Away,
        }
    }
}
