//! Judges a run by what its scenario demands.

use super::outcome::Outcome;
use super::{Scenario, Threshold};
use crate::report::Verdict;
use crate::series::Figures;

/// One verdict per demand; `phase = "*"` demands it of each phase.
pub fn judge(scenario: &Scenario, outcome: &Outcome) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for threshold in &scenario.threshold {
        let phases = outcome.phases.iter().map(|phase| phase.name.as_str());
        for phase in phases.filter(|name| threshold.phase == "*" || *name == threshold.phase) {
            verdicts.extend(of_phase(threshold, phase, outcome));
        }
    }
    verdicts
}

fn of_phase(threshold: &Threshold, phase: &str, outcome: &Outcome) -> Vec<Verdict> {
    let operation = threshold.operation.as_deref();
    let nothing = Figures::default();
    let figures = outcome.figures(phase, operation).unwrap_or(&nothing);
    let growth = outcome.phase(phase).and_then(|phase| phase.growth);
    let who = operation.map(|operation| format!(" of {operation}")).unwrap_or_default();
    let what = |what: &str| format!("{phase}: {what}{who}");
    // Where nothing was answered no latency held.
    let answered = |ms: f64| if figures.good > 0 { ms } else { f64::NAN };
    let share = |count: u64| count as f64 / figures.all() as f64;
    let mut verdicts = Vec::new();
    if let Some(most) = threshold.p50_ms_max {
        verdicts.push(Verdict::at_most(what("median"), answered(figures.p50_ms), most, " ms"));
    }
    if let Some(most) = threshold.p99_ms_max {
        verdicts.push(Verdict::at_most(what("99th percentile"), answered(figures.p99_ms), most, " ms"));
    }
    if let (Some(most), Some(other)) = (threshold.p99_times_max, &threshold.of_phase) {
        let theirs = outcome.figures(other, operation).map_or(f64::NAN, |figures| figures.p99_ms);
        let times = answered(figures.p99_ms) / theirs;
        verdicts.push(Verdict::at_most(what(&format!("99th percentile, to {other}'s")), times, most, "×"));
    }
    if let Some(most) = threshold.failed_share_max {
        let failed = share(figures.failures() + figures.unsent) * 100.0;
        verdicts.push(Verdict::at_most(what("failed or unsent"), failed, most * 100.0, " %"));
    }
    if let Some(least) = threshold.good_share_min {
        verdicts.push(Verdict::at_least(
            what("answered well"),
            share(figures.good) * 100.0,
            least * 100.0,
            " %",
        ));
    }
    if let Some(least) = threshold.hit_ratio_min {
        let ratio = growth.and_then(|growth| growth.hit_ratio()).unwrap_or(f64::NAN);
        verdicts.push(Verdict::at_least(what("answers from the cache"), ratio * 100.0, least * 100.0, " %"));
    }
    if let Some(most) = threshold.memory_growth_max {
        let times = growth.map_or(f64::NAN, |growth| growth.memory_times);
        verdicts.push(Verdict::at_most(what("memory at its end, to its beginning"), times, most, "×"));
    }
    verdicts
}
