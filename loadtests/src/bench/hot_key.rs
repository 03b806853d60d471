//! One answer that everybody wants, and that expires again and again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{go, median};
use crate::address::Loopback;
use crate::filing::document;
use crate::generator::Run;
use crate::installation::{Installation, Store, Wanted};
use crate::machine::Circumstances;
use crate::metrics::Metrics;
use crate::operation::{Operation, Prepared};
use crate::report::{Report, Table, Verdict, count, number};
use crate::series::Figures;

const WARM_UP: Duration = Duration::from_secs(2);
/// What may change from run to run by itself.
const P99_TIMES_MAX: f64 = 1.25;
/// A gateway that hears of no changes keeps an answer this long.
const EXPIRES_S: f64 = 1.0;

/// A hot key that expires each second, against one that does not.
#[derive(Args)]
pub struct Options {
    #[arg(long, default_value_t = 5_000.0)]
    rate: f64,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

struct Turn {
    figures: Figures,
    /// Requests to the service behind.
    calls: f64,
}

pub async fn run(options: &Options, program: &Path) -> anyhow::Result<Report> {
    let circumstances = Circumstances::now();
    crate::process::pin_self(0);
    // Without Redis a gateway beside its services hears of no change and asks again each second; with it,
    // an answer is good for minutes.
    let expiring = Installation::start(&wanted(false), program).await?;
    let lasting = Installation::start(&wanted(true), program).await?;
    let mut turns: BTreeMap<&str, Vec<Turn>> = BTreeMap::new();
    for _ in 0..options.rounds {
        turns.entry("lasting").or_default().push(turn(options, &lasting).await?);
        turns.entry("expiring").or_default().push(turn(options, &expiring).await?);
    }
    let mut report = Report::new(
        "hot-key",
        "Everybody reads the same guide. In one installation its answer expires each second, in the other not at all: \
         what an expiry costs those who ask, and how often the service behind is asked.",
        circumstances,
    );
    let head =
        ["", "offered/s", "good", "failed", "unsent", "p50 ms", "p99", "p99.9", "calls of the service/s"];
    let mut table = Table::new("The same rate, with and without expiry", &head);
    let of = |name: &str, figure: fn(&Turn) -> f64| {
        median(turns.get(name).into_iter().flatten().map(figure).collect())
    };
    let seconds = options.seconds as f64;
    for name in ["lasting", "expiring"] {
        let sum = |figure: fn(&Figures) -> u64| {
            count(turns.get(name).into_iter().flatten().map(|turn| figure(&turn.figures)).sum())
        };
        table.row(vec![
            name.to_owned(),
            number(options.rate),
            sum(|it| it.good),
            sum(Figures::failures),
            sum(|it| it.unsent),
            number(of(name, |turn| turn.figures.p50_ms)),
            number(of(name, |turn| turn.figures.p99_ms)),
            number(of(name, |turn| turn.figures.p999_ms)),
            number(of(name, |turn| turn.calls) / seconds),
        ]);
    }
    // One more than whole seconds: the first falls anywhere.
    let per_expiry = of("expiring", |turn| turn.calls) / (seconds / EXPIRES_S + 1.0);
    let times = of("expiring", |turn| turn.figures.p99_ms) / of("lasting", |turn| turn.figures.p99_ms);
    let all = || turns.values().flatten().map(|turn| &turn.figures);
    let good: u64 = all().map(|figures| figures.good).sum();
    let due: u64 = all().map(Figures::all).sum();
    report.verdicts.push(Verdict::at_least(
        "answered well, of all that were due",
        good as f64 / due as f64 * 100.0,
        100.0,
        " %",
    ));
    // Otherwise nothing has expired, and what follows says nothing.
    let expired = of("expiring", |turn| turn.calls) / (seconds / EXPIRES_S);
    report.verdicts.push(Verdict::at_least("expiries seen, of those there had to be", expired, 0.5, ""));
    report.verdicts.push(Verdict::at_most("calls of the service per expiry", per_expiry, 1.0, ""));
    report.verdicts.push(Verdict::at_most(
        "99th percentile, to that without expiry",
        times,
        P99_TIMES_MAX,
        "×",
    ));
    report.tables.push(table);
    expiring.close();
    lasting.close();
    Ok(report)
}

fn wanted(redis: bool) -> Wanted {
    let roles = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect();
    let processes = BTreeMap::from([
        ("door".to_owned(), roles(&["gateway", "identity", "applications", "payments", "sandbox"])),
        ("catalogue".to_owned(), roles(&["catalogue"])),
    ]);
    Wanted { store: Store::Durable, redis, processes, ..Wanted::default() }
}

async fn turn(options: &Options, installation: &Installation) -> anyhow::Result<Turn> {
    let target = Loopback::parse(&installation.place.url)?;
    let guide = Prepared::graphql_get(&document("ServiceGuide")?, &json!({ "code": "LAO-01" }));
    let operations = || vec![Operation::new("guide", 1.0, vec![guide.clone()]).expecting("\"LAO-01\"")];
    let run = |lasts| Run { in_flight_max: 2_000, ..Run::open(&target, operations(), options.rate, lasts) };
    go(run(WARM_UP)).await?;
    let before = calls(installation).await;
    let measured = go(run(Duration::from_secs(options.seconds))).await?;
    let calls = calls(installation).await - before;
    Ok(Turn { figures: measured.stretches[0].all.clone(), calls })
}

/// Requests to the catalogue so far.
async fn calls(installation: &Installation) -> f64 {
    let metrics = Metrics::read(&installation.place.http, &installation.place.url).await;
    metrics.sum("subgraph_requests_total", &["subgraph=\"catalogue\""]).unwrap_or(f64::NAN)
}
