//! Scenarios: what a TOML file says of the installation, its people, the load, the faults and what must hold.

mod faults;
mod mix;
mod outcome;
mod run;
pub mod samples;
mod thresholds;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::arrivals::Stretch;
use crate::installation::Wanted;

pub use run::{Options, run};

/// A scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in a sentence or two.
    pub about: String,
    /// The same seed sends the same requests at the same moments.
    #[serde(default = "one")]
    pub seed: u64,
    /// Whether gaps between requests are random, as those of people are, or even.
    #[serde(default = "yes")]
    pub poisson: bool,
    /// Requests on their way at once; what is due beyond counts as unsent.
    #[serde(default = "in_flight_max")]
    pub in_flight_max: usize,
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    #[serde(default)]
    pub program: Wanted,
    #[serde(default)]
    pub people: People,
    /// Operations and their shares; their names are in `mix.rs`.
    pub mix: BTreeMap<String, f64>,
    pub phase: Vec<Phase>,
    #[serde(default)]
    pub fault: Vec<Fault>,
    #[serde(default)]
    pub threshold: Vec<Threshold>,
}

/// Who is logged in, and what they have filed before.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct People {
    pub sessions: usize,
    pub applications_each: usize,
}

impl Default for People {
    fn default() -> Self {
        Self { sessions: 8, applications_each: 3 }
    }
}

/// A stretch of the load.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub name: String,
    pub seconds: f64,
    /// Requests per second; with `to` it moves evenly from one to the other.
    pub rate: f64,
    pub to: Option<f64>,
}

/// Something that goes wrong at a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub name: String,
    pub at_s: f64,
    pub for_s: f64,
    /// The process it befalls, or `redis`.
    pub whom: String,
    pub what: What,
    #[serde(default)]
    pub delay_ms: u64,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The process is stopped (SIGSTOP) and goes on afterwards.
    Stop,
    /// Its answers come later by `delay_ms`.
    Delay,
    /// Nothing comes through, and nobody hangs up.
    Silence,
    /// Connections break and none is taken.
    Dead,
}

/// What must hold in a phase.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    pub phase: String,
    /// One operation; all together when left out.
    pub operation: Option<String>,
    pub p50_ms_max: Option<f64>,
    pub p99_ms_max: Option<f64>,
    /// The 99th percentile as a multiple of that of another phase.
    pub p99_times_max: Option<f64>,
    /// The phase that multiples are of.
    pub of_phase: Option<String>,
    /// Failed, of all that were due; what was refused with 429 or 503 is not a failure.
    pub failed_share_max: Option<f64>,
    /// Good answers, of all that were due.
    pub good_share_min: Option<f64>,
    pub hit_ratio_min: Option<f64>,
    pub memory_growth_max: Option<f64>,
}

impl Scenario {
    /// Reads a file; `scale` shortens every phase and fault alike, for a try.
    pub fn read(file: &Path, scale: f64) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let mut scenario: Self = toml::from_str(&text).with_context(|| file.display().to_string())?;
        ensure!(scale > 0.0 && scale.is_finite(), "a scale is a positive number");
        scenario.scale(scale);
        scenario.check().with_context(|| file.display().to_string())?;
        Ok(scenario)
    }

    /// A phase lasts a second at least, and faults stay in the phases they were in.
    fn scale(&mut self, scale: f64) {
        let lasted: Vec<f64> = self.phase.iter().map(|phase| phase.seconds).collect();
        self.phase.iter_mut().for_each(|phase| phase.seconds = (phase.seconds * scale).max(1.0));
        let moved = |mut at_s: f64| {
            let mut began_s = 0.0;
            for (phase, lasted) in self.phase.iter().zip(&lasted) {
                if at_s <= *lasted {
                    return began_s + at_s * phase.seconds / lasted;
                }
                at_s -= lasted;
                began_s += phase.seconds;
            }
            began_s + at_s
        };
        for fault in &mut self.fault {
            let ends_s = moved(fault.at_s + fault.for_s);
            fault.at_s = moved(fault.at_s);
            fault.for_s = ends_s - fault.at_s;
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.phase.is_empty(), "there is no phase");
        let seconds = |phase: &Phase| phase.seconds > 0.0 && phase.seconds.is_finite();
        ensure!(self.phase.iter().all(seconds), "a phase lasts a positive number of seconds");
        for name in self.mix.keys() {
            ensure!(mix::NAMES.contains(&name.as_str()), "there is no operation {name}: {:?}", mix::NAMES);
        }
        let phases: Vec<&str> = self.phase.iter().map(|phase| phase.name.as_str()).collect();
        for threshold in &self.threshold {
            let named = std::iter::once(&threshold.phase).chain(&threshold.of_phase);
            for name in named.filter(|name| *name != "*") {
                ensure!(phases.contains(&name.as_str()), "there is no phase {name}");
            }
            let shares = [threshold.failed_share_max, threshold.good_share_min, threshold.hit_ratio_min];
            let possible = shares.iter().flatten().all(|share| (0.0..=1.0).contains(share));
            ensure!(possible, "a share is between 0 and 1: {threshold:?}");
            let times_without = threshold.p99_times_max.is_some() && threshold.of_phase.is_none();
            ensure!(!times_without, "p99_times_max needs of_phase");
        }
        let lasts: f64 = self.phase.iter().map(|phase| phase.seconds).sum();
        for fault in &self.fault {
            ensure!(
                fault.at_s + fault.for_s <= lasts + 0.001,
                "the fault {:?} outlasts the load",
                fault.name
            );
        }
        Ok(())
    }

    pub fn stretches(&self) -> Vec<Stretch> {
        let stretch = |phase: &Phase| Stretch {
            lasts: Duration::from_secs_f64(phase.seconds),
            from_per_s: phase.rate,
            to_per_s: phase.to.unwrap_or(phase.rate),
        };
        self.phase.iter().map(stretch).collect()
    }
}

fn one() -> u64 {
    1
}

fn yes() -> bool {
    true
}

fn in_flight_max() -> usize {
    1_000
}

fn timeout_ms() -> u64 {
    10_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_can_be_read() {
        let folder = crate::report::root().join("loadtests/scenarios");
        let mut names = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            let scenario = Scenario::read(&file, 1.0).unwrap();
            assert!(!scenario.threshold.is_empty(), "{} asks for nothing", file.display());
            names.push(file.file_stem().unwrap().to_string_lossy().into_owned());
        }
        names.sort();
        let expected = [
            "cold-cache",
            "flash-crowd",
            "ramp-to-the-knee",
            "redis-dead",
            "slow-subgraph",
            "soak",
            "steady",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_fault_stays_in_its_phase_however_short_phases_become() {
        let file = crate::report::root().join("loadtests/scenarios/redis-dead.toml");
        for scale in [1.0, 0.5, 0.07, 0.01] {
            let scenario = Scenario::read(&file, scale).unwrap();
            let dead = &scenario.fault[1];
            let began_s: f64 = scenario.phase[..3].iter().map(|phase| phase.seconds).sum();
            assert!((dead.at_s - began_s).abs() < 1e-9 && scenario.phase[3].name == "dead");
            assert!((dead.for_s - scenario.phase[3].seconds).abs() < 1e-9, "{scale}");
        }
    }
}
