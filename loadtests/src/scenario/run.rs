//! Runs a scenario: starts the installation, gathers the people, sends the load while faults happen, judges.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use super::mix::Crowd;
use super::outcome::Outcome;
use super::{Scenario, faults, samples, thresholds};
use crate::address::Loopback;
use crate::generator::{Pace, Run};
use crate::installation::Installation;
use crate::machine::Circumstances;
use crate::people::keep_logged_in;
use crate::report::{Report, Table, root};

/// From set-up to the first request.
const BREATH: Duration = Duration::from_millis(500);

/// Runs a scenario.
#[derive(Args)]
pub struct Options {
    /// The name of a file in loadtests/scenarios, or a path.
    pub name: String,
    /// Shortens every phase: 0.1 for a try.
    #[arg(long, default_value_t = 1.0)]
    pub scale: f64,
}

pub async fn run(options: &Options, program: &Path) -> anyhow::Result<Report> {
    let named = root().join("loadtests/scenarios").join(format!("{}.toml", options.name));
    let file = if named.exists() { named } else { PathBuf::from(&options.name) };
    let scenario = Scenario::read(&file, options.scale)?;
    let circumstances = Circumstances::now();
    crate::process::pin_self(0);
    let installation = Installation::start(&scenario.program, program).await?;
    let crowd = Crowd::gather(&installation.place, &scenario.people).await.context("gathering people")?;
    let load = Run {
        pace: Pace::Open { poisson: scenario.poisson },
        seed: scenario.seed,
        in_flight_max: scenario.in_flight_max,
        timeout: Duration::from_millis(scenario.timeout_ms),
        ..Run::new(
            &Loopback::parse(&installation.place.url)?,
            crowd.operations(&scenario)?,
            scenario.stretches(),
            Pace::Open { poisson: true },
        )
    };
    let begins = Instant::now() + BREATH;
    let mut ends = vec![0.0];
    scenario.phase.iter().for_each(|phase| ends.push(ends.last().unwrap_or(&0.0) + phase.seconds));
    let load = load.start(begins)?;
    let place = installation.place.clone();
    let people = crowd.people.clone();
    let renewing = tokio::spawn(async move { keep_logged_in(&place, &people).await });
    let (samples, happened) = tokio::join!(
        samples::take(&installation, begins, &ends),
        faults::happen(&scenario.fault, &installation, begins)
    );
    happened?;
    let measured = load.measured().await?;
    renewing.abort();
    let outcome = Outcome::new(&scenario, measured, samples);
    let name = file.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy().into_owned());
    let mut report = Report::new(&name, &scenario.about, circumstances);
    report.verdicts = thresholds::judge(&scenario, &outcome);
    outcome.tell(&mut report);
    report.tables.push(versions(&installation, &scenario));
    installation.close();
    Ok(report)
}

fn versions(installation: &Installation, scenario: &Scenario) -> Table {
    let mut table = Table::new("What was loaded", &["", ""]);
    table.row(vec!["program".into(), installation.version.clone()]);
    table.row(vec!["store".into(), format!("{:?}", scenario.program.store).to_lowercase()]);
    table.row(vec!["Redis".into(), if scenario.program.redis { "one" } else { "none" }.into()]);
    let processes: Vec<&str> = installation.processes.iter().map(|process| process.name.as_str()).collect();
    table.row(vec!["processes".into(), processes.join(", ")]);
    table
}
