//! What the processes cost while the load goes on: read each second, and exactly where one phase ends.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::installation::Installation;
use crate::metrics::Metrics;

const EVERY: Duration = Duration::from_secs(1);
/// How answers that may be kept came about, by `cache` and `outcome`.
pub const READS: &str = "cache_requests_total";

/// One reading.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub at_s: f64,
    pub cpu_s: f64,
    pub memory_mib: f64,
    pub counters: Counters,
}

/// Counters of `/metrics` that tell how answers came about; none where the program has no such counter.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counters {
    /// Answers that were kept, from memory, Redis or another who asked at the same time.
    pub hits: Option<f64>,
    pub misses: Option<f64>,
    /// Over HTTP; subgraphs in the gateway's process are not counted.
    pub subgraph_calls: Option<f64>,
}

impl Counters {
    pub fn of(metrics: &Metrics) -> Self {
        let read =
            |outcome: &str| metrics.sum(READS, &["cache=\"answers\"", &format!("outcome=\"{outcome}\"")]);
        let kept = ["memory", "redis", "stale", "waited"].map(read);
        let hits = kept.iter().flatten().copied().reduce(|all, next| all + next);
        let calls = metrics.sum("subgraph_requests_total", &[]);
        Self { hits, misses: read("loaded"), subgraph_calls: calls }
    }
}

/// Reads until the last of `ends` (seconds after `begins`).
pub async fn take(installation: &Installation, begins: Instant, ends: &[f64]) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut ends = ends.iter().copied().peekable();
    tokio::time::sleep_until(begins.into()).await;
    loop {
        let at_s = begins.elapsed().as_secs_f64();
        let metrics = Metrics::read(&installation.place.http, &installation.place.url);
        // A stopped process answers nothing; its CPU is known all the same.
        let metrics = tokio::time::timeout(EVERY / 2, metrics).await.unwrap_or_default();
        let counters = Counters::of(&metrics);
        let (cpu_s, memory_mib) = (installation.cpu_s(), installation.memory_mib());
        samples.push(Sample { at_s, cpu_s, memory_mib, counters });
        while ends.next_if(|end| *end <= at_s).is_some() {}
        let Some(end) = ends.peek() else { return samples };
        let next = (begins + Duration::from_secs_f64(*end)).min(Instant::now() + EVERY);
        tokio::time::sleep_until(next.into()).await;
    }
}

/// What grew between two moments.
pub fn between(samples: &[Sample], from_s: f64, to_s: f64) -> Option<Growth> {
    let nearest =
        |at_s: f64| samples.iter().min_by(|a, b| (a.at_s - at_s).abs().total_cmp(&(b.at_s - at_s).abs()));
    let (from, to) = (nearest(from_s)?, nearest(to_s)?);
    let grown =
        |of: fn(&Counters) -> Option<f64>| Some(of(&to.counters)? - of(&from.counters).unwrap_or(0.0));
    Some(Growth {
        cpu_s: to.cpu_s - from.cpu_s,
        memory_mib: to.memory_mib,
        memory_times: to.memory_mib / from.memory_mib,
        hits: grown(|it| it.hits),
        misses: grown(|it| it.misses),
        subgraph_calls: grown(|it| it.subgraph_calls),
    })
}

/// What a phase has cost.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Growth {
    pub cpu_s: f64,
    pub memory_mib: f64,
    pub memory_times: f64,
    pub hits: Option<f64>,
    pub misses: Option<f64>,
    pub subgraph_calls: Option<f64>,
}

impl Growth {
    pub fn hit_ratio(&self) -> Option<f64> {
        let hits = self.hits.unwrap_or(0.0);
        let all = hits + self.misses.unwrap_or(0.0);
        (all > 0.0).then(|| hits / all)
    }
}

#[cfg(test)]
mod tests {
    use super::READS;

    #[test]
    fn the_program_counts_what_is_read_here() {
        let counted = include_str!("../../../infra/cache/src/tiers/meters.rs");
        assert!(counted.contains(&format!("\"{READS}\"")), "{READS}");
        let calls = include_str!("../../../gateway/federation/src/http/meters.rs");
        assert!(calls.contains("\"subgraph_requests_total\""));
        let seats = include_str!("../../../gateway/src/pipeline/events/seats.rs");
        assert!(seats.contains("\"graphql_subscriptions_open\""));
    }
}
