//! What a scenario has shown: tables and charts for the report.

use serde::Serialize;

use super::samples::{Growth, Sample, between};
use super::{Fault, Scenario};
use crate::report::{Band, Chart, Line, Report, Table, count, number};
use crate::series::{Figures, Measured, StretchFigures};

/// From as many phases of rising rates a curve is drawn.
const CURVE_POINTS_MIN: usize = 4;
/// A phase is beyond the knee when more than this share failed or was not even sent.
const KNEE_FAILED_SHARE: f64 = 0.01;
/// Or when its 99th percentile is so many times that of the first phase.
const KNEE_P99_TIMES: f64 = 5.0;

/// Phases and what they cost, seconds, readings.
#[derive(Serialize)]
pub struct Outcome {
    pub phases: Vec<PhaseOutcome>,
    measured: Measured,
    samples: Vec<Sample>,
    #[serde(skip)]
    faults: Vec<Fault>,
}

#[derive(Serialize)]
pub struct PhaseOutcome {
    pub name: String,
    /// The mean rate that was offered.
    pub per_s: f64,
    pub seconds: f64,
    pub growth: Option<Growth>,
}

impl Outcome {
    pub fn new(scenario: &Scenario, measured: Measured, samples: Vec<Sample>) -> Self {
        let mut began = 0.0;
        let mut phases = Vec::new();
        for phase in &scenario.phase {
            let ends = began + phase.seconds;
            let per_s = (phase.rate + phase.to.unwrap_or(phase.rate)) / 2.0;
            let growth = between(&samples, began, ends);
            phases.push(PhaseOutcome { name: phase.name.clone(), per_s, seconds: phase.seconds, growth });
            began = ends;
        }
        Self { phases, measured, samples, faults: scenario.fault.clone() }
    }

    pub fn phase(&self, name: &str) -> Option<&PhaseOutcome> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// The figures of a phase, of one operation or of all.
    pub fn figures(&self, phase: &str, operation: Option<&str>) -> Option<&Figures> {
        let at = self.phases.iter().position(|known| known.name == phase)?;
        let stretch = self.measured.stretches.get(at)?;
        operation.map_or(Some(&stretch.all), |operation| stretch.operations.get(operation))
    }

    pub fn tell(&self, report: &mut Report) {
        report.charts.extend(self.curve());
        report.charts.push(self.timeline());
        report.charts.push(self.throughput());
        report.charts.push(self.memory());
        report.tables.push(self.phase_table());
        report.tables.push(self.operation_table());
        report.tables.extend(self.failure_table());
        report.figures = serde_json::to_value(self).unwrap_or_default();
    }

    fn both(&self) -> impl Iterator<Item = (&PhaseOutcome, &StretchFigures)> {
        self.phases.iter().zip(&self.measured.stretches)
    }

    /// Latency against the rate that was offered, and where it breaks.
    fn curve(&self) -> Option<Chart> {
        let rising: Vec<_> = self.both().filter(|(phase, _)| phase.name.ends_with("/s")).collect();
        if rising.len() < CURVE_POINTS_MIN {
            return None;
        }
        let line = |name: &str, of: fn(&Figures) -> f64| Line {
            name: name.to_owned(),
            points: rising.iter().map(|(phase, figures)| (phase.per_s, of(&figures.all))).collect(),
        };
        let calm_p99 = rising[0].1.all.p99_ms;
        let holds = |figures: &Figures| {
            let bad = (figures.failures() + figures.unsent) as f64 / figures.all().max(1) as f64;
            bad <= KNEE_FAILED_SHARE && figures.p99_ms <= KNEE_P99_TIMES * calm_p99
        };
        let broken = rising.iter().position(|(_, figures)| !holds(&figures.all));
        let knee = broken.map(|at| rising[at.saturating_sub(1)].0.per_s);
        let last = rising.last().map_or(0.0, |(phase, _)| phase.per_s);
        let bands =
            knee.map(|knee| Band { from: knee, to: last, name: format!("the knee: {}/s", number(knee)) });
        Some(Chart {
            title: "Latency against offered load".into(),
            x: "requests per second offered".into(),
            y: "ms from when a request was due".into(),
            log_y: true,
            lines: vec![
                line("median", |it| it.p50_ms),
                line("99th percentile", |it| it.p99_ms),
                line("99.9th", |it| it.p999_ms),
            ],
            bands: bands.into_iter().collect(),
        })
    }

    fn per_second(&self, name: &str, of: fn(&Figures) -> f64) -> Line {
        let points = self.measured.seconds.iter().map(|(second, figures)| (*second as f64, of(figures)));
        Line { name: name.to_owned(), points: points.collect() }
    }

    fn bands(&self) -> Vec<Band> {
        let band =
            |fault: &Fault| Band { from: fault.at_s, to: fault.at_s + fault.for_s, name: fault.name.clone() };
        self.faults.iter().map(band).collect()
    }

    fn timeline(&self) -> Chart {
        Chart {
            title: "Latency, second by second".into(),
            x: "seconds".into(),
            y: "ms from when a request was due".into(),
            log_y: true,
            lines: vec![
                self.per_second("median", |it| it.p50_ms),
                self.per_second("99th percentile", |it| it.p99_ms),
                self.per_second("slowest", |it| it.max_ms),
            ],
            bands: self.bands(),
        }
    }

    fn throughput(&self) -> Chart {
        Chart {
            title: "What became of requests".into(),
            x: "seconds".into(),
            y: "requests per second".into(),
            log_y: false,
            lines: vec![
                self.per_second("due", |it| it.all() as f64),
                self.per_second("answered well", |it| it.good as f64),
                self.per_second("refused (429, 503)", |it| it.refused as f64),
                self.per_second("failed", |it| it.failures() as f64),
                self.per_second("unsent", |it| it.unsent as f64),
            ],
            bands: self.bands(),
        }
    }

    fn memory(&self) -> Chart {
        let points = self.samples.iter().map(|sample| (sample.at_s, sample.memory_mib)).collect();
        Chart {
            title: "Memory of the program".into(),
            x: "seconds".into(),
            y: "MiB resident".into(),
            log_y: false,
            lines: vec![Line { name: "all processes".into(), points }],
            bands: self.bands(),
        }
    }

    fn phase_table(&self) -> Table {
        let head = [
            "phase",
            "offered/s",
            "good",
            "refused",
            "failed",
            "unsent",
            "p50 ms",
            "p90",
            "p99",
            "p99.9",
            "max",
            "CPU ms/request",
            "from cache",
            "subgraph calls/request",
            "MiB",
        ];
        let mut table = Table::new("Phases", &head);
        for (phase, StretchFigures { all, .. }) in self.both() {
            let answered = (all.good + all.refused + all.failures()).max(1) as f64;
            let cost = |of: fn(&Growth) -> Option<f64>| {
                phase.growth.as_ref().and_then(of).map_or("–".into(), number)
            };
            let cpu = phase.growth.map_or(f64::NAN, |growth| growth.cpu_s * 1e3 / answered);
            let calls = phase.growth.and_then(|growth| growth.subgraph_calls).map(|calls| calls / answered);
            let mut row = vec![phase.name.clone(), number(phase.per_s)];
            row.extend([all.good, all.refused, all.failures(), all.unsent].map(count));
            row.extend([all.p50_ms, all.p90_ms, all.p99_ms, all.p999_ms, all.max_ms, cpu].map(number));
            row.push(cost(Growth::hit_ratio));
            row.push(calls.map_or("–".into(), number));
            row.push(cost(|growth| Some(growth.memory_mib)));
            table.row(row);
        }
        table.noting(
            "Latency counts from the moment a request was due. CPU is that of all the program's processes, over all \
             answers of the phase.",
        )
    }

    fn operation_table(&self) -> Table {
        let head = ["phase, operation", "good", "refused", "failed", "p50 ms", "p90", "p99", "p99.9", "max"];
        let mut table = Table::new("Operations", &head);
        for (phase, figures) in self.both() {
            for (operation, figures) in &figures.operations {
                let mut row = vec![format!("{}, {operation}", phase.name)];
                let counts = [figures.good, figures.refused, figures.failures()];
                row.extend(counts.map(count));
                let latencies =
                    [figures.p50_ms, figures.p90_ms, figures.p99_ms, figures.p999_ms, figures.max_ms];
                row.extend(latencies.map(number));
                table.row(row);
            }
        }
        table
    }

    fn failure_table(&self) -> Option<Table> {
        let mut table = Table::new("Failures", &["phase", "reason", "requests"]);
        for (phase, figures) in self.both() {
            for (reason, requests) in &figures.all.failed {
                table.row(vec![phase.name.clone(), reason.clone(), count(*requests)]);
            }
        }
        (!table.rows.is_empty()).then_some(table)
    }
}
