//! Counts of this process alone.

use std::time::{Duration, Instant};

use cache::Key;
use moka::Expiry;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache as Moka;

use crate::rate::Rate;

/// Counts kept, about 150 bytes each; beyond, those longest unused begin anew.
const KEYS_MAX: u64 = 500_000;

pub struct Memory(Moka<Key, Used>);

#[derive(Clone, Copy)]
struct Used {
    until_us: i64,
    left: Duration,
}

struct Lives;

impl Expiry<Key, Used> for Lives {
    fn expire_after_create(&self, _: &Key, used: &Used, _: Instant) -> Option<Duration> {
        Some(used.left)
    }

    fn expire_after_update(&self, _: &Key, used: &Used, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(used.left)
    }
}

impl Default for Memory {
    fn default() -> Self {
        let keys = Moka::builder().max_capacity(KEYS_MAX).eviction_policy(EvictionPolicy::lru());
        Self(keys.expire_after(Lives).build())
    }
}

impl Memory {
    /// Whether the units were taken, and how much of the allowance is in use now.
    pub fn take(&self, key: Key, now_us: i64, units: u32, rate: &Rate) -> (bool, i64) {
        let (mut allowed, mut used_us) = (false, 0);
        self.0.entry(key).and_compute_with(|used| {
            let until_us = used.map_or(0, |used| used.into_value().until_us);
            let (yes, until_us) = rate.judge(until_us, now_us, units);
            (allowed, used_us) = (yes, until_us - now_us);
            if !yes || used_us == 0 {
                return Op::Nop;
            }
            Op::Put(Used { until_us, left: Duration::from_micros(u64::try_from(used_us).unwrap_or(0)) })
        });
        (allowed, used_us)
    }
}
