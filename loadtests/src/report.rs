//! What a run leaves: tables to read in a terminal, JSON to compare, and one HTML page to show.

mod chart;
mod page;

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::machine::Circumstances;

pub use chart::{Band, Chart, Line};

/// Everything one run has found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub name: String,
    pub about: String,
    pub circumstances: Circumstances,
    pub verdicts: Vec<Verdict>,
    pub tables: Vec<Table>,
    pub charts: Vec<Chart>,
    /// The bare figures, for programs.
    pub figures: serde_json::Value,
}

/// Something that was to hold, and whether it did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    pub what: String,
    pub found: String,
    pub wanted: String,
    pub held: bool,
}

impl Verdict {
    pub fn at_most(what: impl Into<String>, found: f64, most: f64, unit: &str) -> Self {
        let wanted = format!("at most {}{unit}", number(most));
        // A figure that could not be taken holds nothing.
        Self { what: what.into(), found: format!("{}{unit}", number(found)), wanted, held: found <= most }
    }

    pub fn at_least(what: impl Into<String>, found: f64, least: f64, unit: &str) -> Self {
        let wanted = format!("at least {}{unit}", number(least));
        Self { what: what.into(), found: format!("{}{unit}", number(found)), wanted, held: found >= least }
    }
}

/// Rows of text; the first column is a name, the others are figures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Table {
    pub title: String,
    pub note: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|it| (*it).to_owned()).collect();
        Self { title: title.to_owned(), note: String::new(), head, rows: Vec::new() }
    }

    pub fn noting(mut self, note: &str) -> Self {
        note.clone_into(&mut self.note);
        self
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn markdown(&self) -> String {
        let mut text = format!("\n### {}\n\n", self.title);
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        text += &line(&self.head);
        let rule: Vec<String> =
            (0..self.head.len()).map(|nth| if nth == 0 { "---" } else { "---:" }.to_owned()).collect();
        text += &line(&rule);
        self.rows.iter().for_each(|row| text += &line(row));
        if !self.note.is_empty() {
            text += &format!("\n{}\n", self.note);
        }
        text
    }
}

impl Report {
    pub fn new(name: &str, about: &str, circumstances: Circumstances) -> Self {
        Self {
            name: name.to_owned(),
            about: about.to_owned(),
            circumstances,
            verdicts: Vec::new(),
            tables: Vec::new(),
            charts: Vec::new(),
            figures: serde_json::Value::Null,
        }
    }

    pub fn held(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.held)
    }

    /// Prints the summary, writes JSON and page under target/loadtests, and keeps the result when asked to.
    pub fn finish(&self, keep: Option<&str>) -> anyhow::Result<()> {
        println!("{}", self.markdown());
        let json = serde_json::to_string_pretty(self)?;
        let made = root().join("target/loadtests");
        std::fs::create_dir_all(&made)?;
        std::fs::write(made.join(format!("{}.json", self.name)), &json)?;
        let page = made.join(format!("{}.html", self.name));
        std::fs::write(&page, page::html(self)).context("the page cannot be written")?;
        println!("\nThe report: {}", page.display());
        if let Some(name) = keep {
            let kept = root().join("loadtests/results");
            std::fs::create_dir_all(&kept)?;
            std::fs::write(kept.join(format!("{name}.json")), json + "\n")?;
            std::fs::write(kept.join(format!("{name}.md")), self.markdown())?;
        }
        Ok(())
    }

    fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n{}\n", self.name, self.about);
        for (what, value) in self.circumstances.rows() {
            text += &format!("\n- {what}: {value}");
        }
        text += "\n";
        if let Some(verdicts) = self.verdict_table() {
            text += &verdicts.markdown();
        }
        self.tables.iter().for_each(|table| text += &table.markdown());
        text
    }

    fn verdict_table(&self) -> Option<Table> {
        let mut table = Table::new("What was to hold", &["", "found", "wanted", ""]);
        for verdict in &self.verdicts {
            let held = if verdict.held { "held" } else { "missed" };
            table.row(vec![
                verdict.what.clone(),
                verdict.found.clone(),
                verdict.wanted.clone(),
                held.to_owned(),
            ]);
        }
        (!table.rows.is_empty()).then_some(table)
    }
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// How many there are.
pub fn count(of: u64) -> String {
    let digits = of.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|it| str::from_utf8(it).ok()).collect();
    groups.join(",")
}

/// A figure with as many digits as it is worth.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if size == 0.0 {
        "0".to_owned()
    } else if size >= 1_000.0 {
        format!("{}{}", if value < 0.0 { "-" } else { "" }, count(size.round() as u64))
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 0.1 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_they_are_worth() {
        let shown: Vec<String> = [1_234_567.0, 123.4, 12.34, 1.234, 0.012_34, -0.0].map(number).to_vec();
        assert_eq!(shown, ["1,234,567", "123", "12.3", "1.23", "0.012", "0"]);
    }

    #[test]
    fn what_could_not_be_measured_did_not_hold() {
        assert!(!Verdict::at_most("latency", f64::NAN, 5.0, " ms").held);
        assert!(Verdict::at_most("latency", 4.0, 5.0, " ms").held);
        assert!(!Verdict::at_least("share", 0.5, 0.6, "").held);
    }

    #[test]
    fn a_page_stands_alone_and_shows_what_is_in_it_as_text() {
        let mut report = Report::new("try", "a < b & c", Circumstances::now());
        report.verdicts.push(Verdict::at_most("<script>", 1.0, 2.0, " ms"));
        let line = |points: &[(f64, f64)]| Line { name: "p99".into(), points: points.to_vec() };
        for lines in
            [vec![], vec![line(&[])], vec![line(&[(1.0, 5.0)])], vec![line(&[(0.0, 1.0), (9.0, 900.0)])]]
        {
            let bands = vec![Band { from: 2.0, to: 4.0, name: "Redis stopped".into() }];
            let chart = Chart { title: "t".into(), x: "s".into(), y: "ms".into(), log_y: true, lines, bands };
            report.charts.push(chart);
        }
        let html = page::html(&report);
        assert!(html.contains("a &lt; b &amp; c") && !html.contains("<script"));
        assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("NaN"));
        assert!(html.matches("<svg").count() == 4 && html.contains("Redis stopped"));
    }
}
