//! The same operations on the same subgraphs through us and through other gateways, in turn, in one run.
//!
//! Gateways have one core, load and subgraphs the other. They take turns round by round, so that what changes on the
//! machine from minute to minute falls on all alike; what counts is the median over the rounds.

mod contenders;
mod field;
mod findings;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::machine::Circumstances;
use crate::report::{Report, Table, number};
use crate::shop;

use contenders::Kind;
use field::{Field, Mode};
use findings::{Findings, Turn};

/// Connections of the closed loop, as in The Guild's benchmark of gateways on such a machine.
const CONNECTIONS: usize = 16;

/// Compares gateways.
#[derive(Args)]
pub struct Options {
    /// Rounds; in each every gateway gets its turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of the closed loop per turn, and of the open loop.
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// Requests per second of the open loop: such as the slowest can hold.
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Hive Router's program (`cargo install hive-router`); left out when there is none.
    #[arg(long, env = "HIVE_ROUTER")]
    hive_router: Option<PathBuf>,
    /// Without the gateways that run on Node.js.
    #[arg(long)]
    without_node: bool,
}

pub async fn run(options: &Options, program: &std::path::Path) -> anyhow::Result<Report> {
    let circumstances = Circumstances::now();
    crate::process::pin_self(0);
    let mut findings = Findings::default();
    let mut served = Field::open(&options.kinds(), program, options.hive_router.as_deref(), false).await?;
    for round in 1..=options.rounds {
        for mode in [Mode::Identical, Mode::Unique] {
            for contender in 0..served.contenders.len() {
                let turn = options.turn(&mut served, contender, mode).await?;
                eprintln!("round {round}, {}: {} {} ms", mode.name(), turn.name, number(turn.cpu_ms));
                findings.add(mode.name(), turn);
            }
        }
    }
    let versions = served.versions();
    drop(served);
    // Gateway and subgraphs together: here subgraphs work for each request.
    let kinds = [Kind::Pratu, Kind::InProcess, Kind::HiveRouterUnshared];
    let mut working = Field::open(&kinds, program, options.hive_router.as_deref(), true).await?;
    for _ in 0..options.rounds {
        for contender in 0..working.contenders.len() {
            let turn = options.turn(&mut working, contender, Mode::Identical).await?;
            findings.add("working", turn);
        }
    }
    let mut report = Report::new(
        "peers",
        "The Guild's benchmark query (four subgraphs, one large answer) through several federation gateways. Each \
         gateway has one core for itself; CPU is user and system time of the gateway's process.",
        circumstances,
    );
    findings.tell(&mut report);
    let mut table = Table::new("Who took part", &["", "version"]);
    versions.into_iter().for_each(|(name, version)| table.row(vec![name, version]));
    report.tables.push(table);
    Ok(report)
}

impl Options {
    fn kinds(&self) -> Vec<Kind> {
        let mut kinds = vec![
            Kind::Floor,
            Kind::Pratu,
            Kind::HiveRouter,
            Kind::HiveRouterUnshared,
            Kind::HiveGateway,
            Kind::Apollo,
        ];
        kinds.retain(|kind| !(self.without_node && kind.is_node()));
        kinds
    }

    async fn turn(&self, field: &mut Field, contender: usize, mode: Mode) -> anyhow::Result<Turn> {
        let lasts = Duration::from_secs(self.seconds);
        field.turn(contender, mode, lasts, self.rate).await
    }
}

/// The request that all get.
fn body() -> Vec<u8> {
    serde_json::json!({ "query": shop::QUERY }).to_string().into_bytes()
}
