//! Runs the goose journeys against an installation of their own.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::process::Command;

use crate::installation::{Installation, Store, Wanted};
use crate::report::root;

/// Whole citizens (browse, log in, file, pay, track), with thresholds.
#[derive(Args)]
pub struct Options {
    /// The program of loadtests/journeys.
    #[arg(long)]
    journeys: PathBuf,
    /// Citizens at once.
    #[arg(long, default_value_t = 20)]
    users: usize,
    #[arg(long, default_value_t = 60)]
    seconds: usize,
    /// SQLite instead of PostgreSQL with a synchronous standby and Redis.
    #[arg(long)]
    sqlite: bool,
    /// Anything that goose takes, such as `--threshold "p95<500ms"`.
    #[arg(last = true)]
    goose: Vec<String>,
}

/// Whether all thresholds held.
pub async fn run(options: &Options, program: &Path) -> anyhow::Result<bool> {
    let store = if options.sqlite { Store::Sqlite } else { Store::Durable };
    let wanted = Wanted { store, redis: !options.sqlite, ..Wanted::default() };
    let installation = Installation::start(&wanted, program).await?;
    let folder = root().join("target/loadtests");
    std::fs::create_dir_all(&folder)?;
    let report = folder.join("journeys.html");
    let mut command = Command::new(&options.journeys);
    command.args(["--host", &installation.place.url]);
    command.args(["--users", &options.users.to_string(), "--run-time", &options.seconds.to_string()]);
    command.arg("--report-file").arg(&report).args(&options.goose);
    // Ends with us when we are interrupted.
    let ended = command.kill_on_drop(true).status().await;
    let ended = ended.with_context(|| format!("{} cannot be run", options.journeys.display()))?;
    ensure!(ended.code().is_some(), "the journeys were ended from outside");
    println!("The report: {}", report.display());
    installation.close();
    Ok(ended.success())
}
