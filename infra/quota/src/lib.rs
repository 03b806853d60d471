//! How much one client, person or address may ask for in a span of time.
//!
//! [`Quotas::take`] counts by the generic cell rate algorithm: one instant per key says until when its
//! allowance is used up, so that there are no windows at whose edges twice as much passes. With Redis all
//! processes count together; without, or while it is dead, each counts for itself, which lets each pass
//! what is meant for all. Quotas are for fairness, not for correctness.

mod memory;
mod rate;

use std::sync::Arc;

use cache::{Key, Redis, Script};
use clock::Clock;

use memory::Memory;
pub use rate::{Rate, Verdict};

/// The same arithmetic as `Rate::judge`, on the server's clock: those of processes differ. ARGV: units asked
/// for as microseconds, the allowance as microseconds, how far the clock was moved. Whole microseconds below
/// 2^53 are exact in Lua's numbers.
const TAKE: &str = "local t = redis.call('TIME') \
    local now = t[1] * 1000000 + t[2] + tonumber(ARGV[3]) \
    local used = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) \
    local next = used + tonumber(ARGV[1]) \
    if next - now > tonumber(ARGV[2]) then return {0, string.format('%.0f', used - now)} end \
    if next > now then \
    redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000)) end \
    return {1, string.format('%.0f', next - now)}";

/// Counts what is asked for. Cloning shares the counts.
#[derive(Clone)]
pub struct Quotas(Arc<Inner>);

struct Inner {
    redis: Option<Redis>,
    clock: Clock,
    memory: Memory,
    take: Script,
}

impl Quotas {
    pub fn new(redis: Option<Redis>, clock: Clock) -> Self {
        Self(Arc::new(Inner { redis, clock, memory: Memory::default(), take: Script::new(TAKE) }))
    }

    /// Takes `units` from what `who` may ask for of this kind, all of them or none: `("client", id)`.
    /// More than the rate's burst never passes; nothing always does, and tells how things stand.
    pub async fn take(&self, kind: &'static str, who: &str, units: u32, rate: &Rate) -> Verdict {
        let inner = &self.0;
        // Another rate counts anew: its unit has another length.
        let key = Key::new(kind, &[who.as_bytes(), &rate.unit_us().to_be_bytes()]);
        let judged = match &inner.redis {
            Some(redis) => self.ask(redis, &key, units, rate).await,
            None => None,
        };
        let (allowed, used_us) = judged.unwrap_or_else(|| inner.memory.take(key, self.now_us(), units, rate));
        let verdict = rate.verdict(allowed, used_us, units);
        if !verdict.allowed {
            metrics::counter!("quota_refused_total", "kind" => kind).increment(1);
        }
        verdict
    }

    async fn ask(&self, redis: &Redis, key: &Key, units: u32, rate: &Rate) -> Option<(bool, i64)> {
        let moved_us = self.0.clock.offset().num_microseconds().unwrap_or(0);
        let arguments = [rate.cost_us(units), rate.allowance_us(), moved_us];
        let key = key.text(&format!("{}:quota", redis.prefix()));
        let (allowed, used_us): (u8, i64) = redis.run(&self.0.take, &key, &arguments).await.ok()?;
        Some((allowed == 1, used_us))
    }

    fn now_us(&self) -> i64 {
        self.0.clock.now().timestamp_micros()
    }
}
