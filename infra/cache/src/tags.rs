//! What still holds: the epochs of tags, here and in Redis.
//!
//! One counter of epochs, kept in Redis and never behind its clock, orders what happens: a value is *born*
//! in the epoch in which its making began, and invalidating a tag gives the tag a younger one. A value
//! holds while none of its tags is younger. So a value made from what was read just before a change is
//! dropped by it, however late it is kept.

mod epochs;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use clock::Clock;
use futures::future::join_all;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};

use crate::connection::{Absent, Channel, Heard, Redis, Script};
use crate::entry::Entry;
use crate::key::Tag;
use crate::value::Value;
use epochs::Epochs;

/// How long Redis remembers a tag's epoch: longer than entries live.
const LIFE: Duration = Duration::from_secs(7 * 86_400);
/// How long an entry stays in Redis at most.
pub const ENTRY_LIFE_MAX: Duration = Duration::from_secs(6 * 86_400);
/// How often Redis is told what it could not be told.
const PAY: Duration = Duration::from_secs(1);
/// Tags in one message between processes.
const MESSAGE_TAGS_MAX: usize = 512;
/// Tags that wait for Redis to come back; beyond, everything is dropped instead.
const OWED_MAX: usize = 10_000;

/// Gives the next epoch: after the last, after what the caller knows, and not behind the server's clock, so
/// that a lost counter does not begin again.
const NEXT: &str = "local t = redis.call('TIME') \
    local now = t[1] * 1000000 + t[2] \
    local last = tonumber(redis.call('GET', KEYS[1]) or '0') \
    local known = tonumber(ARGV[1]) \
    local next = math.max(last + 1, known, now) \
    redis.call('SET', KEYS[1], string.format('%.0f', next)) \
    return string.format('%.0f', next)";
/// Makes a tag's epoch younger, never older.
const RAISE: &str = "local last = tonumber(redis.call('GET', KEYS[1]) or '0') \
    if tonumber(ARGV[1]) > last then \
    redis.call('SET', KEYS[1], string.format('%.0f', ARGV[1]), 'PX', ARGV[2]) end \
    return 1";

/// What still holds, for all caches of this process. Cloning shares it.
#[derive(Clone)]
pub struct Tags(Arc<Inner>);

/// When the making of a value began. Taken before anything is read.
#[derive(Clone, Copy, Debug)]
pub struct Born {
    pub(crate) epoch: u64,
    /// Whether Redis said so: only then may Redis keep the value.
    pub(crate) known: bool,
    /// The connection to other processes then: what they said before another one was lost with it.
    pub(crate) connection: u64,
}

struct Inner {
    redis: Option<Redis>,
    clock: Clock,
    epochs: Epochs,
    /// Counts the connections to other processes: what was kept under an earlier one is asked about again.
    connection: AtomicU64,
    /// What Redis has not been told.
    owed: Mutex<BTreeSet<Tag>>,
    next: Script,
    raise: Script,
}

impl Tags {
    /// With Redis it hears other processes from now on, which needs a Tokio runtime.
    pub fn new(redis: Option<Redis>, clock: Clock) -> Self {
        let inner = Arc::new(Inner {
            redis: redis.clone(),
            clock,
            epochs: Epochs::default(),
            connection: AtomicU64::new(0),
            owed: Mutex::default(),
            next: Script::new(NEXT),
            raise: Script::new(RAISE),
        });
        if let Some(redis) = redis {
            tokio::spawn(listen(Arc::downgrade(&inner), redis.hear(Channel::Tags)));
        }
        Self(inner)
    }

    /// Drops everything that bears one of `tags`: here before this returns its first `await`, in other
    /// processes at once while Redis lives. While it is dead they find out when it is back, or when what
    /// they trust is five seconds old. Call it after the change is committed. Says whether the others were told:
    /// what they were not, they are once Redis is back, unless this process ends before.
    pub async fn invalidate(&self, tags: &[Tag]) -> bool {
        let inner = &self.0;
        let known = inner.epochs.next(self.real_now_us());
        inner.epochs.observe(tags, known);
        metrics::counter!("cache_invalidated_tags_total").increment(tags.len() as u64);
        let Some(redis) = &inner.redis else { return true };
        let mut told = true;
        for tags in tags.chunks(MESSAGE_TAGS_MAX) {
            if self.tell(redis, tags, known).await.is_err() {
                self.owe(tags);
                told = false;
            }
        }
        told
    }

    /// Where the making of a value begins.
    pub async fn born(&self) -> Born {
        let born = self.born_here();
        let Some(redis) = &self.0.redis else { return born };
        match self.counter(redis, born.epoch).await {
            Ok(epoch) => Born { epoch, known: true, ..born },
            Err(Absent) => born,
        }
    }

    /// The same, without asking Redis.
    pub(crate) fn born_here(&self) -> Born {
        Born { epoch: self.local_epoch(), known: false, connection: self.connection() }
    }

    pub(crate) fn local_epoch(&self) -> u64 {
        self.0.epochs.high()
    }

    pub(crate) fn redis(&self) -> Option<&Redis> {
        self.0.redis.as_ref()
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.0.clock.now().timestamp_micros()
    }

    pub(crate) fn connection(&self) -> u64 {
        self.0.connection.load(Ordering::Acquire)
    }

    /// Whether an entry holds, by all that this process has heard.
    pub(crate) fn hold<V: Value>(&self, entry: &Entry<V>) -> bool {
        self.0.epochs.hold(&entry.tags, entry.born)
    }

    /// Whether an entry from Redis holds, by what Redis says.
    pub(crate) async fn hold_in_redis<V: Value>(
        &self,
        redis: &Redis,
        entry: &Entry<V>,
        counter: u64,
    ) -> bool {
        if !self.hold(entry) {
            return false;
        }
        // Nothing at all was invalidated since.
        if entry.born >= counter {
            return true;
        }
        let asked = entry.tags.iter().copied().chain([Tag::ALL]).map(|tag| async move {
            let mut get = redis::cmd("GET");
            get.arg(tag.text(redis.prefix()));
            (tag, redis.query::<Option<u64>>(&get).await)
        });
        let mut holds = true;
        for (tag, epoch) in join_all(asked).await {
            let Ok(epoch) = epoch else { return false };
            let epoch = epoch.unwrap_or(0);
            if epoch > 0 {
                self.0.epochs.observe(&[tag], epoch);
            }
            holds &= epoch <= entry.born;
        }
        holds
    }

    /// The counter of epochs in Redis. One that was lost, or is behind the `heard` epoch, is brought forward
    /// first: by it nothing made now would hold here, and all that was dropped before would hold again.
    async fn counter(&self, redis: &Redis, heard: u64) -> Result<u64, Absent> {
        let mut get = redis::cmd("GET");
        get.arg(counter_key(redis));
        match redis.query::<Option<u64>>(&get).await? {
            Some(counter) if counter >= heard => Ok(counter),
            _ => self.next(redis, heard).await,
        }
    }

    /// The next epoch, for all processes; not before `known`.
    async fn next(&self, redis: &Redis, known: u64) -> Result<u64, Absent> {
        let known = i64::try_from(known).unwrap_or(i64::MAX);
        redis.run(&self.0.next, &counter_key(redis), &[known]).await
    }

    /// Tells Redis and, through it, everyone.
    async fn tell(&self, redis: &Redis, tags: &[Tag], known: u64) -> Result<(), Absent> {
        let inner = &self.0;
        let epoch = self.next(redis, known).await?;
        let (raised, life_ms) = (i64::try_from(epoch).unwrap_or(i64::MAX), LIFE.as_millis() as i64);
        let raise = tags.iter().map(|tag| {
            let key = tag.text(redis.prefix());
            async move { redis.run::<i64>(&inner.raise, &key, &[raised, life_ms]).await }
        });
        for told in join_all(raise).await {
            told?;
        }
        inner.epochs.observe(tags, epoch);
        redis.say(Channel::Tags, &message(tags, epoch)).await
    }

    fn owe(&self, tags: &[Tag]) {
        let mut owed = self.0.owed.lock().unwrap_or_else(PoisonError::into_inner);
        owed.extend(tags);
        if owed.len() > OWED_MAX {
            *owed = BTreeSet::from([Tag::ALL]);
        }
    }

    async fn pay(&self, redis: &Redis) {
        let owed = std::mem::take(&mut *self.0.owed.lock().unwrap_or_else(PoisonError::into_inner));
        let owed: Vec<Tag> = owed.into_iter().collect();
        for tags in owed.chunks(MESSAGE_TAGS_MAX) {
            let known = self.0.epochs.next(self.real_now_us());
            if self.tell(redis, tags, known).await.is_err() {
                self.owe(tags);
            }
        }
    }

    /// Epochs compare with those of other processes, whose clocks nobody moves.
    fn real_now_us(&self) -> u64 {
        let now = self.0.clock.now() - self.0.clock.offset();
        u64::try_from(now.timestamp_micros()).unwrap_or(0)
    }
}

fn counter_key(redis: &Redis) -> String {
    format!("{}:epoch", redis.prefix())
}

/// Hears what others invalidate, and pays what is owed, until nobody holds the tags any more.
async fn listen(tags: Weak<Inner>, mut heard: broadcast::Receiver<Heard>) {
    // By the clock, not when all is quiet: on a busy day it never is.
    let mut pay = interval(PAY);
    pay.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            next = heard.recv() => Some(next),
            _ = pay.tick() => None,
        };
        let Some(tags) = tags.upgrade().map(Tags) else { return };
        let Some(redis) = tags.0.redis.clone() else { return };
        match next {
            Some(Ok(Heard::Message(message))) => {
                if let Some((said, epoch)) = read_message(message) {
                    tags.0.epochs.observe(&said, epoch);
                }
            }
            // Something may have been missed.
            Some(Ok(Heard::Connected) | Err(RecvError::Lagged(_))) => {
                tags.0.connection.fetch_add(1, Ordering::AcqRel);
                tags.pay(&redis).await;
            }
            Some(Err(RecvError::Closed)) => return,
            None => tags.pay(&redis).await,
        }
    }
}

fn message(tags: &[Tag], epoch: u64) -> Vec<u8> {
    let mut message = Vec::with_capacity(8 + tags.len() * 16);
    message.put_u64(epoch);
    for tag in tags {
        message.put_slice(&tag.0);
    }
    message
}

fn read_message(mut message: Bytes) -> Option<(Vec<Tag>, u64)> {
    let epoch = message.try_get_u64().ok()?;
    let tags = message.chunks_exact(16).filter_map(|tag| tag.first_chunk::<16>()).map(|tag| Tag(*tag));
    Some((tags.collect(), epoch))
}
