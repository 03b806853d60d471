//! Gateways that run side by side over the same subgraphs, and one turn of one of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::contenders::{Contender, Kind, Place};
use super::findings::Turn;
use super::{CONNECTIONS, body};
use crate::address::{Loopback, free_port};
use crate::floor::Fetches;
use crate::generator::Run;
use crate::operation::{Caller, Operation, Prepared};
use crate::process::{Process, cores, http_client};
use crate::shop::{self, Asked};

/// How long a gateway is warmed up before its turn counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// What requests have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything: whoever shares fetches in flight may.
    Identical,
    /// All but the `Authorization`, which goes to the subgraphs: nothing may be shared. Nobody verifies it.
    Unique,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Mode::Identical => "identical",
            Mode::Unique => "unique",
        }
    }
}

/// Subgraphs and gateways.
pub struct Field {
    pub contenders: Vec<Contender>,
    subgraphs: Process,
    base: String,
    http: reqwest::Client,
    _folder: TempDir,
}

impl Field {
    /// Starts all that are installed. `executed`: subgraphs work for each request instead of remembering answers.
    pub async fn open(
        kinds: &[Kind],
        program: &Path,
        hive_router: Option<&Path>,
        executed: bool,
    ) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let http = http_client()?;
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["shop", "--listen", &format!("127.0.0.1:{port}")]);
        if executed {
            command.arg("--executed");
        }
        let mut subgraphs = Process::start("subgraphs", &command, Some(0), &folder.path().join("shop.log"))?;
        let base = format!("http://127.0.0.1:{port}");
        subgraphs.opened(&http, &format!("{base}/calls"), None).await?;
        let supergraph = folder.path().join("supergraph.graphql");
        std::fs::write(&supergraph, shop::supergraph(&base))?;
        let fetches = folder.path().join("fetches.json");
        let program = std::path::absolute(program)?;
        let place = Place {
            folder: folder.path(),
            supergraph: &supergraph,
            fetches: &fetches,
            program: &program,
            hive_router,
            core: 1.min(cores() - 1),
        };
        let mut contenders = Vec::new();
        // Ours first: its fetches are what the floor makes.
        let ours = Kind::Pratu.start(&place).await?.context("our own program is needed")?;
        let answer = write_fetches(&http, &base, &ours.url, &fetches).await?;
        for kind in kinds.iter().filter(|kind| **kind != Kind::Pratu) {
            let Some(contender) = kind.start(&place).await? else { continue };
            let theirs: serde_json::Value = serde_json::from_str(&ask(&http, &contender.url).await?)?;
            ensure!(theirs["data"] == answer["data"], "{} answers something else", kind.name());
            contenders.push(contender);
        }
        let at = contenders.iter().position(|it| it.kind != Kind::Floor).unwrap_or(contenders.len());
        contenders.insert(at, ours);
        Ok(Self { contenders, subgraphs, base, http, _folder: folder })
    }

    pub fn versions(&self) -> Vec<(String, String)> {
        self.contenders.iter().map(|it| (it.kind.name().to_owned(), it.version.clone())).collect()
    }

    /// Loads one gateway: in a closed loop for what a request costs, in an open loop for how long it takes.
    pub async fn turn(&mut self, nth: usize, mode: Mode, lasts: Duration, rate: f64) -> anyhow::Result<Turn> {
        let target = Loopback::parse(&self.contenders[nth].url)?;
        let operations = || vec![operation(&target, mode)];
        go(Run::closed(&target, operations(), CONNECTIONS, WARM_UP)).await?;
        let contender = &self.contenders[nth];
        contender.process.forget_high_water();
        let calls = self.calls().await?;
        let (cpu, subgraphs_cpu) = (contender.process.cpu_s()?, self.subgraphs.cpu_s()?);
        let closed = go(Run::closed(&target, operations(), CONNECTIONS, lasts)).await?;
        let (cpu, subgraphs_cpu) =
            (contender.process.cpu_s()? - cpu, self.subgraphs.cpu_s()? - subgraphs_cpu);
        let calls = self.calls().await? - calls;
        let open = go(Run::open(&target, operations(), rate, lasts)).await?;
        let (closed, open) = (&closed.stretches[0].all, &open.stretches[0].all);
        let name = contender.kind.name();
        for all in [closed, open] {
            let (refused, unsent) = (all.refused, all.unsent);
            ensure!(all.good == all.all(), "{name}: {:?}, {refused} refused, {unsent} unsent", all.failed);
        }
        let requests = closed.good as f64;
        Ok(Turn {
            name,
            cpu_ms: cpu * 1e3 / requests,
            subgraphs_cpu_ms: subgraphs_cpu * 1e3 / requests,
            per_s: requests / lasts.as_secs_f64(),
            calls: calls / requests,
            answer_kb: closed.answer_bytes as f64 / requests / 1e3,
            p50_ms: open.p50_ms,
            p99_ms: open.p99_ms,
            memory_mib: contender.process.memory_mib()?.1,
        })
    }

    async fn calls(&self) -> anyhow::Result<f64> {
        let text = self.http.get(format!("{}/calls", self.base)).send().await?.text().await?;
        Ok(text.parse()?)
    }
}

fn operation(target: &Loopback, mode: Mode) -> Operation {
    let caller = match mode {
        Mode::Identical => Caller::Nobody,
        Mode::Unique => Caller::Unique,
    };
    Operation::new("large", 1.0, vec![Prepared::post(&target.path, body(), caller)]).expecting("topProducts")
}

async fn go(run: Run) -> anyhow::Result<crate::series::Measured> {
    run.start(Instant::now())?.measured().await
}

/// Writes down what our gateway asked for one request, and gives what it answered.
async fn write_fetches(
    http: &reqwest::Client,
    base: &str,
    url: &str,
    file: &PathBuf,
) -> anyhow::Result<serde_json::Value> {
    let taken = http.get(format!("{base}/asked")).send().await?.json::<Vec<Asked>>().await?;
    let answer = ask(http, url).await?;
    let parsed: serde_json::Value = serde_json::from_str(&answer)?;
    ensure!(parsed["errors"].is_null(), "our gateway answers {}", parsed["errors"]);
    let fetches = Fetches { base: base.to_owned(), asked: taken, answer };
    ensure!(!fetches.asked.is_empty(), "our gateway has asked the subgraphs nothing");
    std::fs::write(file, serde_json::to_vec(&fetches)?)?;
    Ok(parsed)
}

/// The answer to the request that all get.
async fn ask(http: &reqwest::Client, url: &str) -> anyhow::Result<String> {
    let request = http.post(url).header("content-type", "application/json");
    Ok(request.header("accept", "application/json").body(body()).send().await?.text().await?)
}
