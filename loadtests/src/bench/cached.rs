//! A cached public operation against a bare handler that gives the same bytes.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use serde_json::json;

use super::{cost, median};
use crate::address::{Loopback, free_port};
use crate::filing::document;
use crate::installation::{Installation, Wanted};
use crate::machine::Circumstances;
use crate::metrics::Metrics;
use crate::operation::{Caller, Operation, Prepared};
use crate::process::Process;
use crate::report::{Report, Table, Verdict, number};
use crate::scenario::samples::READS;

const CONNECTIONS: usize = 16;
/// How many bytes the answer is to have, about.
const ANSWER_BYTES: usize = 10_000;
/// An answer that is smaller is another operation than the one that is spoken of.
const ANSWER_BYTES_MIN: usize = 8_000;
/// Answers that must come from memory: the others are those that expire under way.
const KEPT_SHARE_MIN: f64 = 0.99;
/// What must be reached of the bare handler.
const SHARE_MIN: f64 = 0.6;

/// A cached public operation of about 10 KB against a bare axum handler with the same bytes.
#[derive(Args)]
pub struct Options {
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    #[arg(long, default_value_t = 3)]
    seconds: u64,
}

pub async fn run(options: &Options, program: &Path) -> anyhow::Result<Report> {
    let circumstances = Circumstances::now();
    crate::process::pin_self(0);
    let installation = Installation::start(&Wanted::default(), program).await?;
    let folder = tempfile::TempDir::new()?;
    let (requests, answer) = request(&installation).await?;
    let file = folder.path().join("answer");
    std::fs::write(&file, &answer)?;
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bytes", "--listen", &format!("127.0.0.1:{port}")]).arg(&file);
    let mut bare = Process::start("bare handler", &command, Some(1), &folder.path().join("bare.log"))?;
    let bare_url = format!("http://127.0.0.1:{port}");
    bare.opened(&installation.place.http, &bare_url, None).await?;
    let (ours, theirs) = (Loopback::parse(&installation.place.url)?, Loopback::parse(&bare_url)?);
    let program = &installation.processes[0];
    let mut report = Report::new(
        "cached",
        "A public operation whose answer is kept, anonymous, against an axum handler that gives the same bytes and \
         nothing else: same method, same connections, same core, in turn.",
        circumstances,
    );
    let mut table = Table::new(
        "Requests per CPU-second",
        &["", "pratu", "bare handler", "share", "pratu CPU µs", "bare CPU µs", "answer bytes"],
    );
    for (method, prepared) in requests {
        let lasts = Duration::from_secs(options.seconds);
        let operation = || Operation::new("public", 1.0, vec![prepared.clone()]).expecting(&answer);
        let kept_before = kept(&installation).await;
        let mut asked = 0;
        let mut turns: Vec<[f64; 2]> = Vec::new();
        for round in 0..=options.rounds {
            let mine = cost(program, &ours, operation(), CONNECTIONS, lasts).await?;
            let bare = cost(&bare, &theirs, operation(), CONNECTIONS, lasts).await?;
            for figures in [&mine.figures, &bare.figures] {
                let bytes = figures.good * answer.len() as u64;
                ensure!(figures.answer_bytes == bytes, "{method}: answers are not all of the same bytes");
            }
            asked += mine.figures.good;
            // The first round warms both up.
            if round > 0 {
                turns.push([mine.per_cpu_s(), bare.per_cpu_s()]);
            }
        }
        let from_memory = (kept(&installation).await - kept_before) / asked as f64;
        let what = format!("{method}: share of answers from memory");
        report.verdicts.push(Verdict::at_least(what, from_memory, KEPT_SHARE_MIN, ""));
        let share = median(turns.iter().map(|[mine, bare]| mine / bare).collect());
        let [mine, bare] = [0, 1].map(|nth| median(turns.iter().map(|turn| turn[nth]).collect()));
        let mut row = vec![method.to_owned()];
        row.extend([mine, bare, share, 1e6 / mine, 1e6 / bare, answer.len() as f64].map(number));
        table.row(row);
        let what = format!("{method}: share of the bare handler's requests per CPU-second");
        report.verdicts.push(Verdict::at_least(what, share, SHARE_MIN, ""));
    }
    report.tables.push(table);
    installation.close();
    Ok(report)
}

/// Answers that came from memory so far.
async fn kept(installation: &Installation) -> f64 {
    let metrics = Metrics::read(&installation.place.http, &installation.place.url).await;
    metrics.sum(READS, &["cache=\"answers\"", "outcome=\"memory\""]).unwrap_or(f64::NAN)
}

/// A list of services of about the size wanted, asked by POST and by GET, and its answer.
async fn request(installation: &Installation) -> anyhow::Result<([(&'static str, Prepared); 2], String)> {
    let find = document("FindServices")?;
    let mut first = 20;
    loop {
        let variables = json!({ "first": first, "area": "1201" });
        let body = json!({ "query": find, "variables": variables });
        let post = installation.place.http.post(format!("{}/graphql", installation.place.url)).json(&body);
        let answer = post.header("accept", "application/json").send().await?.text().await?;
        ensure!(!answer.contains("\"errors\""), "{answer}");
        if answer.len() <= ANSWER_BYTES || first == 1 {
            let fits = (ANSWER_BYTES_MIN..=ANSWER_BYTES).contains(&answer.len());
            ensure!(fits, "{first} services are {} bytes: too few or too many", answer.len());
            let post = Prepared::graphql(&find, &variables, Caller::Nobody);
            let get = Prepared::graphql_get(&find, &variables);
            return Ok(([("POST", post), ("GET", get)], answer));
        }
        first -= 1;
    }
}
