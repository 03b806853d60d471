//! The first hour of a benefit: prepared drafts are submitted at a fixed rate, durably, and each exactly once.

mod drafts;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use database::{Database, args};

use crate::address::Loopback;
use crate::generator::{Pace, Run};
use crate::installation::{Installation, Store, Wanted};
use crate::machine::Circumstances;
use crate::operation::{Operation, Prepared};
use crate::people::keep_logged_in;
use crate::report::{Report, Table, Verdict, count, number};
use crate::series::Figures;
use drafts::Drafts;

/// Services whose outboxes take part.
const OUTBOXES: [&str; 4] = ["catalogue", "identity", "applications", "payments"];
/// How long the outbox may take to drain.
const DRAIN_S_MAX: f64 = 60.0;
/// How long is waited for it at most.
const PATIENCE: Duration = Duration::from_secs(300);
/// Submissions that are sent again under the same key.
const AGAIN: usize = 200;

/// Submits prepared drafts at a fixed rate, on PostgreSQL with fsync and a synchronous standby.
#[derive(Args)]
pub struct Options {
    /// Submits per second: ทางรัฐ's first hour on 1 August 2024.
    #[arg(long, default_value_t = 640.0)]
    rate: f64,
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// People who submit, at most: so many can be kept logged in while the machine is busy.
    #[arg(long, default_value_t = 600)]
    people: usize,
}

pub async fn run(options: &Options, program: &Path) -> anyhow::Result<Report> {
    let circumstances = Circumstances::now();
    let wanted = Wanted { store: Store::Durable, ..Wanted::default() };
    let installation = Installation::start(&wanted, program).await?;
    // Random arrivals come in somewhat larger numbers than the mean.
    let due = options.rate * options.seconds as f64;
    let wanted = (due + 5.0 * due.sqrt()).ceil() as usize;
    let drafts = Drafts::make(&installation, wanted, options.people).await?;
    crate::process::pin_self(0);
    let operation =
        |requests| vec![Operation::new("submit", 1.0, requests).once().expecting("ApplicationSubmitted")];
    let target = Loopback::parse(&installation.place.url)?;
    let lasts = Duration::from_secs(options.seconds);
    let before = Books::read(&installation).await?;
    drafts.renew(&installation.place).await?;
    let (place, people) = (installation.place.clone(), drafts.people.clone());
    let renewing = tokio::spawn(async move { keep_logged_in(&place, &people).await });
    let submissions = operation(drafts.submissions.clone());
    let load = Run { in_flight_max: 4_000, ..Run::open(&target, submissions, options.rate, lasts) };
    let cpu = installation.cpu_s();
    let measured = load.start(Instant::now())?.measured().await?;
    let cpu_ms = (installation.cpu_s() - cpu) * 1e3;
    renewing.abort();
    let ended = Instant::now();
    let figures = measured.stretches[0].all.clone();
    let drained_s = drained(&installation, ended).await?;
    let again: Vec<Prepared> =
        drafts.submissions.iter().take(AGAIN.min(figures.good as usize)).cloned().collect();
    drafts.renew(&installation.place).await?;
    let repeat =
        Run { pace: Pace::Closed { connections: 8 }, ..Run::closed(&target, operation(again), 8, PATIENCE) };
    let repeated = repeat.start(Instant::now())?.measured().await?;
    let after = Books::read(&installation).await?;
    let mut report = Report::new(
        "submits",
        "Prepared applications are submitted at the rate of a national benefit's first hour, on PostgreSQL with fsync \
         and a synchronous standby. Nothing is lost, nothing is there twice, and all messages go out. The drafts were \
         made through the door; those beyond twenty of one party waited in the database under another status.",
        circumstances,
    );
    judge(&mut report, &figures, &repeated.stretches[0].all, &before, &after, drained_s);
    report.tables.push(table(options, &figures, drained_s, cpu_ms));
    report.charts.push(chart(&measured));
    report.figures = serde_json::to_value(&measured)?;
    installation.close();
    Ok(report)
}

/// What the database says was submitted.
struct Books {
    submitted: i64,
    numbers: i64,
    /// Events that say so.
    events: i64,
    dead: i64,
}

impl Books {
    async fn read(installation: &Installation) -> anyhow::Result<Self> {
        let applications = installation.observe("applications").await?;
        let counted = "select count(*) as submitted, count(distinct receipt_number) as numbers from application \
                       where submitted_at is not null";
        let row = applications.row(counted, args![]).await?.context("a count is a row")?;
        let events = "select count(*) as n from application_event where kind = 'SUBMITTED'";
        let events = one(&applications, events).await?;
        let mut dead = 0;
        for service in OUTBOXES {
            let outbox = installation.observe(service).await?;
            dead +=
                one(&outbox, "select count(*) as n from outbox_message where dead_at is not null").await?;
        }
        Ok(Self { submitted: row.get("submitted")?, numbers: row.get("numbers")?, events, dead })
    }
}

async fn one(database: &Database, sql: &str) -> anyhow::Result<i64> {
    Ok(database.row(sql, args![]).await?.context("a count is a row")?.get("n")?)
}

/// Seconds until no message waits any more that is due, or was and is tried again later.
async fn drained(installation: &Installation, since: Instant) -> anyhow::Result<f64> {
    let mut outboxes = Vec::new();
    for service in OUTBOXES {
        outboxes.push(installation.observe(service).await?);
    }
    let clock = clock::Clock::system();
    loop {
        let mut waiting: i64 = 0;
        for outbox in &outboxes {
            let due = "select count(*) as n from outbox_message \
                       where delivered_at is null and dead_at is null \
                       and (not_before <= $1 or attempts > 0)";
            let row = outbox.row(due, args![clock.now()]).await?.context("a count is a row")?;
            waiting += row.get::<i64>("n")?;
        }
        if waiting == 0 {
            return Ok(since.elapsed().as_secs_f64());
        }
        ensure!(since.elapsed() < PATIENCE, "{waiting} messages still wait");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn judge(
    report: &mut Report,
    sent: &Figures,
    again: &Figures,
    before: &Books,
    after: &Books,
    drained_s: f64,
) {
    let submitted = (after.submitted - before.submitted) as f64;
    let missing = sent.good as f64 - submitted;
    report.verdicts.extend([
        Verdict::at_least(
            "submitted, of all that were due",
            sent.good as f64 / sent.all() as f64 * 100.0,
            100.0,
            " %",
        ),
        Verdict::at_most("acknowledged but not in the database", missing.max(0.0), 0.0, ""),
        Verdict::at_most(
            "in the database beyond those acknowledged or unanswered",
            (-missing - sent.failures() as f64).max(0.0),
            0.0,
            "",
        ),
        Verdict::at_most("receipt numbers given twice", (after.submitted - after.numbers) as f64, 0.0, ""),
        Verdict::at_most(
            "events of submission, beyond or short of one each",
            (after.events - after.submitted).abs() as f64,
            0.0,
            "",
        ),
        Verdict::at_least(
            "sent again under the same key, answered as submitted",
            again.good as f64,
            AGAIN.min(sent.good as usize) as f64,
            "",
        ),
        Verdict::at_most("messages given up", after.dead as f64, 0.0, ""),
        Verdict::at_most("the outbox drained after", drained_s, DRAIN_S_MAX, " s"),
    ]);
}

fn table(options: &Options, figures: &Figures, drained_s: f64, cpu_ms: f64) -> Table {
    let head = [
        "offered/s",
        "seconds",
        "good",
        "failed",
        "unsent",
        "p50 ms",
        "p99",
        "p99.9",
        "CPU ms each",
        "drained s",
    ];
    let mut table = Table::new("Submits", &head);
    table.row(vec![
        number(options.rate),
        count(options.seconds),
        count(figures.good),
        count(figures.failures() + figures.refused),
        count(figures.unsent),
        number(figures.p50_ms),
        number(figures.p99_ms),
        number(figures.p999_ms),
        number(cpu_ms / figures.good as f64),
        number(drained_s),
    ]);
    table.noting("CPU is that of the program, with everything that a submission sets going.")
}

fn chart(measured: &crate::series::Measured) -> crate::report::Chart {
    let line = |name: &str, of: fn(&Figures) -> f64| crate::report::Line {
        name: name.to_owned(),
        points: measured.seconds.iter().map(|(second, figures)| (*second as f64, of(figures))).collect(),
    };
    crate::report::Chart {
        title: "Latency of a submission, second by second".into(),
        x: "seconds".into(),
        y: "ms from when it was due".into(),
        log_y: true,
        lines: vec![line("median", |it| it.p50_ms), line("99th percentile", |it| it.p99_ms)],
        bands: Vec::new(),
    }
}
