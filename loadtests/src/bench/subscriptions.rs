//! What an open subscription costs in memory, up to many thousands.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::address::Loopback;
use crate::filing::{document, offering, submitted};
use crate::installation::{Installation, Wanted};
use crate::machine::Circumstances;
use crate::metrics::Metrics;
use crate::people::Person;
use crate::report::{Chart, Line, Report, Table, Verdict, count, number};

/// How long memory may settle before it is read.
const SETTLE: Duration = Duration::from_secs(3);
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
/// What one may cost.
const KIB_EACH_MAX: f64 = 64.0;

/// Memory per open subscription.
#[derive(Args)]
pub struct Options {
    /// How many are open in the end; both ends need file descriptors (`ulimit -n`).
    #[arg(long, default_value_t = 10_000)]
    open: usize,
}

pub async fn run(options: &Options, program: &Path) -> anyhow::Result<Report> {
    let circumstances = Circumstances::now();
    crate::process::pin_self(0);
    let most = i64::try_from(options.open)? + 100;
    let limits: toml::Table = ["subscriptions_max", "subscriptions_per_person_max"]
        .map(|name| (name.to_owned(), most.into()))
        .into_iter()
        .collect();
    let config = toml::Table::from_iter([("limits".to_owned(), limits.into())]);
    let installation = Installation::start(&Wanted { config, ..Wanted::default() }, program).await?;
    let place = &installation.place;
    let person = Person::log_in(place, "somchai").await?;
    let application = submitted(place, &person, &offering(place).await?).await?;
    person.renew(place).await?;
    let body = json!({
        "query": document("ApplicationEvents")?, "variables": { "id": application, "after": 1_000_000 },
    });
    let request = request(&Loopback::parse(&place.url)?, &person, &body.to_string())?;
    let process = &installation.processes[0];
    let mut open = Vec::new();
    let mut sizes = Vec::new();
    let mut seated = f64::NAN;
    for share in [0.0, 0.1, 0.25, 0.5, 1.0] {
        let wanted = (options.open as f64 * share) as usize;
        while open.len() < wanted {
            open.push(subscribe(&Loopback::parse(&place.url)?, &request).await?);
        }
        tokio::time::sleep(SETTLE).await;
        sizes.push((open.len(), process.memory_mib()?.0));
        let metrics = Metrics::read(&place.http, &place.url).await;
        seated = metrics.sum("graphql_subscriptions_open", &[]).unwrap_or(f64::NAN);
    }
    let mut report = Report::new(
        "subscriptions",
        "Subscriptions over server-sent events, each on a connection of its own: resident memory of the program.",
        circumstances,
    );
    let mut table = Table::new("Memory", &["open", "MiB", "KiB for each"]);
    let (_, empty) = sizes[0];
    let each = |(open, mib): &(usize, f64)| (mib - empty) * 1_024.0 / *open as f64;
    for size in &sizes {
        table.row(vec![count(size.0 as u64), number(size.1), number(each(size))]);
    }
    let last = sizes.last().context("it was measured")?;
    // One that was ended meanwhile costs no memory, and proves nothing.
    report.verdicts.push(Verdict::at_least(
        "open in the end, by the program's own count",
        seated,
        last.0 as f64,
        "",
    ));
    report.verdicts.push(Verdict::at_most("KiB for each subscription", each(last), KIB_EACH_MAX, " KiB"));
    report.tables.push(table);
    report.charts.push(Chart {
        title: "Memory with open subscriptions".into(),
        x: "open".into(),
        y: "MiB resident".into(),
        log_y: false,
        lines: vec![Line {
            name: "the program".into(),
            points: sizes.iter().map(|(open, mib)| (*open as f64, *mib)).collect(),
        }],
        bands: Vec::new(),
    });
    drop(open);
    installation.close();
    Ok(report)
}

fn request(target: &Loopback, person: &Person, body: &str) -> anyhow::Result<Vec<u8>> {
    let bearer = person.token.text().context("the person is logged in")?;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {}\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n\
         authorization: {bearer}\r\ncontent-length: {}\r\n\r\n",
        target.host,
        body.len()
    );
    Ok([head.as_bytes(), body.as_bytes()].concat())
}

/// A connection whose subscription is open: the head of the answer has come.
async fn subscribe(target: &Loopback, request: &[u8]) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(target.socket).await.context("ulimit -n?")?;
    stream.write_all(request).await?;
    let mut head = [0; 512];
    let read = tokio::time::timeout(OPEN_TIMEOUT, stream.read(&mut head)).await??;
    let said = String::from_utf8_lossy(&head[..read]);
    let opened = said.starts_with("HTTP/1.1 200") && said.contains("event-stream");
    ensure!(opened && !said.contains("errors"), "the gateway said {said}");
    Ok(stream)
}
