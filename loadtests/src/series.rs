//! What was measured: a histogram per stretch and operation, and a line per second.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Latencies beyond this count as this.
const LATENCY_US_MAX: u64 = 120_000_000;
/// Seconds whose answers may still come; older ones are closed, so that a long run stays small.
const SECONDS_OPEN_MAX: u64 = 90;

/// How one request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Good,
    /// Refused with 429 or 503: the door said so by itself.
    Refused,
    /// Anything else, with the reason.
    Failed(&'static str),
    /// Never sent: so many were already on their way.
    Unsent,
}

/// Counts and latencies of a stretch, of an operation in it, or of a second.
#[derive(Clone, Debug)]
struct Tally {
    latency_us: Histogram<u64>,
    good: u64,
    refused: u64,
    failed: BTreeMap<&'static str, u64>,
    unsent: u64,
    answer_bytes: u64,
}

impl Tally {
    fn new(digits: u8) -> Self {
        let latency_us = Histogram::new_with_bounds(1, LATENCY_US_MAX, digits).expect("constant bounds");
        let failed = BTreeMap::new();
        Self { latency_us, good: 0, refused: 0, failed, unsent: 0, answer_bytes: 0 }
    }

    fn count(&mut self, end: End, latency_us: u64, answer_bytes: u64) {
        self.answer_bytes += answer_bytes;
        match end {
            End::Good => self.good += 1,
            End::Refused => self.refused += 1,
            End::Failed(reason) => *self.failed.entry(reason).or_default() += 1,
            End::Unsent => self.unsent += 1,
        }
        // A timeout is a latency too; what was refused at once would make the others look better.
        if matches!(end, End::Good | End::Failed(_)) {
            self.latency_us.saturating_record(latency_us.clamp(1, LATENCY_US_MAX));
        }
    }

    fn figures(&self) -> Figures {
        let ms = |quantile| self.latency_us.value_at_quantile(quantile) as f64 / 1e3;
        let failed = self.failed.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect();
        Figures {
            good: self.good,
            refused: self.refused,
            failed,
            unsent: self.unsent,
            answer_bytes: self.answer_bytes,
            p50_ms: ms(0.5),
            p90_ms: ms(0.9),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: self.latency_us.max() as f64 / 1e3,
        }
    }
}

/// The figures of a tally, as they are kept and shown.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    pub good: u64,
    pub refused: u64,
    pub failed: BTreeMap<String, u64>,
    pub unsent: u64,
    pub answer_bytes: u64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl Figures {
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// All that were due.
    pub fn all(&self) -> u64 {
        self.good + self.refused + self.failures() + self.unsent
    }
}

/// Collects while a run goes on.
pub struct Series {
    operations: Vec<String>,
    /// By stretch, then by operation.
    tallies: Vec<Vec<Tally>>,
    stretches: Vec<Tally>,
    seconds_open: BTreeMap<u64, Tally>,
    seconds: BTreeMap<u64, Figures>,
}

impl Series {
    pub fn new(stretches: usize, operations: Vec<String>) -> Self {
        Self {
            tallies: vec![vec![Tally::new(3); operations.len()]; stretches],
            stretches: vec![Tally::new(3); stretches],
            operations,
            seconds_open: BTreeMap::new(),
            seconds: BTreeMap::new(),
        }
    }

    /// Counts one request, in the second in which it was due.
    pub fn count(&mut self, place: Place, end: End, latency_us: u64, answer_bytes: u64) {
        self.tallies[place.stretch][place.operation].count(end, latency_us, answer_bytes);
        self.stretches[place.stretch].count(end, latency_us, answer_bytes);
        let second = self.seconds_open.entry(place.second).or_insert_with(|| Tally::new(2));
        second.count(end, latency_us, answer_bytes);
        while let Some(oldest) = self.seconds_open.first_entry() {
            if oldest.key() + SECONDS_OPEN_MAX >= place.second {
                break;
            }
            let (second, tally) = oldest.remove_entry();
            self.seconds.insert(second, tally.figures());
        }
    }

    pub fn finish(mut self) -> Measured {
        let open = std::mem::take(&mut self.seconds_open);
        self.seconds.extend(open.into_iter().map(|(second, tally)| (second, tally.figures())));
        let of_stretch = |(all, operations): (&Tally, &Vec<Tally>)| StretchFigures {
            all: all.figures(),
            operations: self.operations.iter().cloned().zip(operations.iter().map(Tally::figures)).collect(),
        };
        Measured {
            stretches: self.stretches.iter().zip(&self.tallies).map(of_stretch).collect(),
            seconds: self.seconds,
        }
    }
}

/// Where one request is counted.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub stretch: usize,
    pub operation: usize,
    pub second: u64,
}

/// A whole run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub stretches: Vec<StretchFigures>,
    /// By the second in which requests were due.
    pub seconds: BTreeMap<u64, Figures>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StretchFigures {
    pub all: Figures,
    pub operations: BTreeMap<String, Figures>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_is_seen_in_the_percentiles() {
        let mut series = Series::new(1, vec!["read".into()]);
        for nth in 0..100 {
            let latency_us = if nth < 90 { 1_000 } else { 5_000_000 };
            series.count(Place { stretch: 0, operation: 0, second: nth / 10 }, End::Good, latency_us, 10);
        }
        let measured = series.finish();
        let read = &measured.stretches[0].operations["read"];
        assert!((0.9..1.1).contains(&read.p50_ms) && read.p99_ms > 4_900.0, "{read:?}");
        assert_eq!((measured.seconds.len(), read.good, read.answer_bytes), (10, 100, 1_000));
    }

    #[test]
    fn what_was_refused_or_never_sent_makes_no_latency_better() {
        let mut series = Series::new(1, vec!["read".into()]);
        let place = Place { stretch: 0, operation: 0, second: 0 };
        series.count(place, End::Good, 9_000, 0);
        for _ in 0..50 {
            series.count(place, End::Refused, 10, 0);
            series.count(place, End::Unsent, 0, 0);
        }
        let all = &series.finish().stretches[0].all;
        assert!(all.p50_ms > 8.9, "{all:?}");
        assert_eq!((all.all(), all.refused, all.unsent), (101, 50, 50));
    }
}
