//! What a cache counts.

use std::sync::OnceLock;

use metrics::Counter;

use super::Source;

/// Counters, made at the first use: by then whoever collects them is there.
pub struct Meters {
    name: &'static str,
    reads: OnceLock<[Counter; 4]>,
}

impl Meters {
    pub fn new(name: &'static str) -> Self {
        Self { name, reads: OnceLock::new() }
    }

    pub fn read(&self, source: Source) {
        let reads = self.reads.get_or_init(|| {
            let outcome = |outcome| self.outcome(outcome);
            [outcome("memory"), outcome("redis"), outcome("loaded"), outcome("stale")]
        });
        let at = match source {
            Source::Memory => 0,
            Source::Redis => 1,
            Source::Loaded => 2,
            Source::Stale => 3,
        };
        reads[at].increment(1);
    }

    pub fn waited(&self) {
        self.outcome("waited").increment(1);
    }

    pub fn failed(&self) {
        self.outcome("failed").increment(1);
    }

    pub fn load(&self) {
        metrics::counter!("cache_loads_total", "cache" => self.name).increment(1);
    }

    pub fn made_do(&self) {
        metrics::counter!("cache_loads_failed_total", "cache" => self.name).increment(1);
    }

    fn outcome(&self, outcome: &'static str) -> Counter {
        metrics::counter!("cache_requests_total", "cache" => self.name, "outcome" => outcome)
    }
}
