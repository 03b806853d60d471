//! Tracking: what the gateway and GraphQL add to what the SQL costs.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::json;

use super::{cost, median};
use crate::address::Loopback;
use crate::filing::{document, offering, submitted};
use crate::installation::{Installation, Store, Wanted};
use crate::machine::Circumstances;
use crate::operation::{Caller, Operation, Prepared};
use crate::people::Person;
use crate::report::{Report, Table, Verdict, number};

const CONNECTIONS: usize = 8;
/// Where an application stands and what comes next: what an app asks again and again.
const TRACK: &str = "query Track($id: ID!) { application(id: $id) { id status receiptNumber \
    nextAction { actor action dueAt } timeline(first: 20) { nodes { sequence kind at statusAfter } } } }";

/// A private query from PostgreSQL: CPU of the program against CPU of PostgreSQL.
#[derive(Args)]
pub struct Options {
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[arg(long, default_value_t = 4)]
    seconds: u64,
}

pub async fn run(options: &Options, program: &Path) -> anyhow::Result<Report> {
    let circumstances = Circumstances::now();
    crate::process::pin_self(0);
    let wanted = Wanted { store: Store::Durable, ..Wanted::default() };
    let installation = Installation::start(&wanted, program).await?;
    let place = &installation.place;
    let person = Person::log_in(place, "somchai").await?;
    let application = submitted(place, &person, &offering(place).await?).await?;
    let postgres = Postgres::of(&installation)?;
    let target = Loopback::parse(&place.url)?;
    let mut report = Report::new(
        "tracking",
        "A private query of one's own application, answered from PostgreSQL: the CPU time of the program (gateway, \
         GraphQL, and the SQL client in it) beside that of PostgreSQL's own processes, for the same requests.",
        circumstances,
    );
    let head = ["", "program CPU ms", "PostgreSQL CPU ms", "program to PostgreSQL", "p50 ms, closed loop"];
    let mut table = Table::new("CPU per request", &head);
    for (name, text) in [("Track", TRACK.to_owned()), ("ApplicationDetail", document("ApplicationDetail")?)] {
        let mut turns: Vec<[f64; 3]> = Vec::new();
        for round in 0..=options.rounds {
            person.renew(place).await?;
            let caller = Caller::Person(person.token.clone());
            let prepared = Prepared::graphql(&text, &json!({ "id": application }), caller);
            let operation = Operation::new(name, 1.0, vec![prepared]).expecting("receiptNumber");
            let before = postgres.cpu_s()?;
            let lasts = Duration::from_secs(options.seconds);
            let own = cost(&installation.processes[0], &target, operation, CONNECTIONS, lasts).await?;
            let sql_ms = (postgres.cpu_s()? - before) * 1e3 / own.figures.good as f64;
            if round > 0 {
                turns.push([own.cpu_ms, sql_ms, own.figures.p50_ms]);
            }
        }
        let [own, sql, p50] = [0, 1, 2].map(|nth| median(turns.iter().map(|turn| turn[nth]).collect()));
        let ratio = median(turns.iter().map(|[own, sql, _]| own / sql).collect());
        table.row([own, sql, ratio, p50].map(number).into_iter().fold(
            vec![name.to_owned()],
            |mut row, cell| {
                row.push(cell);
                row
            },
        ));
        let what = format!("{name}: CPU of the program, to PostgreSQL's");
        report.verdicts.push(Verdict::at_most(what, ratio, 1.0, "×"));
    }
    report.tables.push(table.noting(
        "The SQL client is counted to the program, so that the ratio is an upper bound of what gateway and GraphQL add.",
    ));
    installation.close().await?;
    Ok(report)
}

/// The processes of the servers: the primary and its standby, which may answer reads.
struct Postgres {
    postmasters: Vec<u32>,
}

impl Postgres {
    fn of(installation: &Installation) -> anyhow::Result<Self> {
        let database::Target::Postgres { url } = &installation.target else {
            anyhow::bail!("this is about PostgreSQL");
        };
        let url = url::Url::parse(url)?;
        let hosts = url.query_pairs().find(|(name, _)| name == "host").map(|(_, hosts)| hosts.into_owned());
        let hosts = hosts.context("the server has a socket")?;
        let data: Vec<String> = hosts.split(',').map(|host| format!("{host}/data")).collect();
        let serves = |pid: u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line)
                .split('\0')
                .any(|argument| data.iter().any(|data| argument == data))
        };
        let all = processes().into_iter().map(|(pid, _)| pid);
        let postmasters: Vec<u32> = all.filter(|pid| serves(*pid)).collect();
        ensure!(!postmasters.is_empty(), "no server runs in {data:?}");
        Ok(Self { postmasters })
    }

    /// CPU time of all sessions that are open.
    fn cpu_s(&self) -> anyhow::Result<f64> {
        let session = |(pid, parent): (u32, u32)| self.postmasters.contains(&parent).then_some(pid);
        let sessions: Vec<u32> = processes().into_iter().filter_map(session).collect();
        ensure!(!sessions.is_empty(), "the server has no sessions");
        Ok(sessions.into_iter().filter_map(|pid| crate::process::cpu_s(pid).ok()).sum())
    }
}

/// All processes with their parents.
fn processes() -> Vec<(u32, u32)> {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    let with_parent = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?))
    };
    pids.filter_map(with_parent).collect()
}
