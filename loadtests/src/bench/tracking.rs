//! Tracking: what the gateway and GraphQL add to what the SQL costs.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use database::{Database, args};
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
    let postgres = Postgres::of(&installation).await?;
    let target = Loopback::parse(&place.url)?;
    let mut report = Report::new(
        "tracking",
        "A private query of one's own application, answered from PostgreSQL: the CPU time of the program (gateway, \
         GraphQL, and the SQL client in it) beside that of PostgreSQL's sessions, for the same requests.",
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
            let before = postgres.cpu_s().await?;
            let lasts = Duration::from_secs(options.seconds);
            let own = cost(&installation.processes[0], &target, operation, CONNECTIONS, lasts).await?;
            let sql_ms = (postgres.cpu_s().await? - before) * 1e3 / own.figures.good as f64;
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
    installation.close();
    Ok(report)
}

/// The sessions of this run's database; checkpoints, the log and other people's databases are not ours to count.
struct Postgres {
    looking_on: Database,
}

impl Postgres {
    async fn of(installation: &Installation) -> anyhow::Result<Self> {
        Ok(Self { looking_on: installation.observe("applications").await? })
    }

    /// CPU time of all sessions that are open. What one that has ended took is missing, which is to our disadvantage.
    async fn cpu_s(&self) -> anyhow::Result<f64> {
        let sessions = "select cast(pid as bigint) as pid from pg_stat_activity \
                        where datname = current_database() and backend_type = 'client backend' \
                        and pid <> pg_backend_pid()";
        let rows = self.looking_on.rows(sessions, args![]).await?;
        let mut cpu_s = 0.0;
        for row in rows {
            // One may end between the question and this.
            cpu_s += crate::process::cpu_s(u32::try_from(row.get::<i64>("pid")?)?).unwrap_or(0.0);
        }
        ensure!(cpu_s > 0.0, "the server has no sessions that can be seen: does it run on this machine?");
        Ok(cpu_s)
    }
}
