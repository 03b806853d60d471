//! What the turns have shown, as medians over the rounds and as ratios to ours.

use std::collections::BTreeMap;

use serde::Serialize;

use super::contenders::Kind;
use crate::report::{Report, Table, Verdict, number};

/// One gateway's turn.
#[derive(Clone, Debug, Serialize)]
pub struct Turn {
    pub name: &'static str,
    pub cpu_ms: f64,
    pub subgraphs_cpu_ms: f64,
    pub per_s: f64,
    pub calls: f64,
    pub answer_kb: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub memory_mib: f64,
}

#[derive(Default, Serialize)]
pub struct Findings {
    turns: BTreeMap<&'static str, Vec<Turn>>,
}

impl Findings {
    pub fn add(&mut self, mode: &'static str, turn: Turn) {
        self.turns.entry(mode).or_default().push(turn);
    }

    pub fn tell(&self, report: &mut Report) {
        for (mode, title, note) in [
            ("identical", "Identical requests", "Who shares fetches in flight asks the subgraphs less here."),
            (
                "unique",
                "A unique Authorization in each request",
                "It goes to the subgraphs, so that nothing may be shared. Nobody verifies it.",
            ),
        ] {
            report.tables.push(self.table(mode, title).noting(note));
        }
        report.tables.push(self.together());
        report.verdicts.extend(self.verdicts());
        if report.verdicts.is_empty() {
            report.about += " Hive Router was not there: nothing was judged.";
        }
        report.figures = serde_json::to_value(self).unwrap_or_default();
    }

    fn names(&self, mode: &str) -> Vec<&'static str> {
        let mut names = Vec::new();
        for turn in self.turns.get(mode).into_iter().flatten() {
            if !names.contains(&turn.name) {
                names.push(turn.name);
            }
        }
        names
    }

    fn median(&self, mode: &str, name: &str, figure: impl Fn(&Turn) -> f64) -> f64 {
        let turns = self.turns.get(mode).into_iter().flatten().filter(|turn| turn.name == name);
        let mut values: Vec<f64> = turns.map(figure).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn table(&self, mode: &str, title: &str) -> Table {
        let head = [
            "",
            "CPU ms/request",
            "to ours",
            "subgraph calls/request",
            "requests/s, closed",
            "p50 ms, open",
            "p99 ms, open",
            "memory at most, MiB",
            "answer KB",
        ];
        let mut table = Table::new(title, &head);
        let ours = self.median(mode, Kind::Pratu.name(), |turn| turn.cpu_ms);
        for name in self.names(mode) {
            let of = |figure: fn(&Turn) -> f64| self.median(mode, name, figure);
            let cpu = of(|turn| turn.cpu_ms);
            table.row(vec![
                name.to_owned(),
                number(cpu),
                number(cpu / ours),
                number(of(|turn| turn.calls)),
                number(of(|turn| turn.per_s)),
                number(of(|turn| turn.p50_ms)),
                number(of(|turn| turn.p99_ms)),
                number(of(|turn| turn.memory_mib)),
                number(of(|turn| turn.answer_kb)),
            ]);
        }
        table
    }

    /// CPU of gateway and subgraphs, where subgraphs work for each request.
    fn together(&self) -> Table {
        let mut table = Table::new(
            "Gateway and subgraphs together",
            &["", "gateway CPU ms", "subgraphs CPU ms", "together"],
        );
        for name in self.names("working") {
            let gateway = self.median("working", name, |turn| turn.cpu_ms);
            let together = self.together_ms(name);
            table.row(vec![name.to_owned(), number(gateway), number(together - gateway), number(together)]);
        }
        table.noting("Here subgraphs execute each request. In process they are in the gateway's figure.")
    }

    fn together_ms(&self, name: &str) -> f64 {
        // In process the subgraphs outside are asked nothing; what they idle is not counted.
        let outside = |turn: &Turn| if turn.calls > 0.0 { turn.subgraphs_cpu_ms } else { 0.0 };
        self.median("working", name, |turn| turn.cpu_ms + outside(turn))
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let theirs = Kind::HiveRouterUnshared.name();
        let ours = Kind::Pratu.name();
        if !self.names("unique").contains(&theirs) {
            return Vec::new();
        }
        let ratio = |figure: fn(&Turn) -> f64| {
            self.median("unique", ours, figure) / self.median("unique", theirs, figure)
        };
        let together = self.together_ms(Kind::InProcess.name()) / self.together_ms(theirs);
        vec![
            Verdict::at_most(
                "gateway CPU, to Hive Router's, nothing shared",
                ratio(|turn| turn.cpu_ms),
                1.0,
                "×",
            ),
            Verdict::at_most("subgraph calls, to Hive Router's", ratio(|turn| turn.calls), 1.0, "×"),
            Verdict::at_most(
                "gateway and subgraphs in process, to Hive Router over HTTP",
                together,
                0.5,
                "×",
            ),
        ]
    }
}
