//! Load from outside: what a request costs, what the whole holds, and what faults do to it. See README.md.

mod address;
mod arrivals;
mod bench;
mod connections;
mod filing;
mod floor;
mod generator;
mod installation;
mod journeys;
mod machine;
mod metrics;
mod operation;
mod peers;
mod people;
mod process;
mod proxy;
mod report;
mod scenario;
mod series;
mod shop;
mod together;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

/// As in the program that is measured, so that floors and gateway differ in nothing else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Load tests of Pratu. Everything stays on this machine; other targets are refused.
#[derive(Parser)]
struct Arguments {
    /// The program to measure; the `pratu` beside this one when left out.
    #[arg(long, global = true)]
    program: Option<PathBuf>,
    /// Keeps the result under this name in loadtests/results.
    #[arg(long, global = true)]
    keep: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a scenario of loadtests/scenarios.
    Scenario(scenario::Options),
    /// Whole citizens, with thresholds.
    Journeys(journeys::Options),
    /// The same operations through us and through other gateways, in turn.
    Peers(peers::Options),
    /// A cached public operation against a bare handler with the same bytes.
    Cached(bench::cached::Options),
    /// A private query: what is added to the cost of its SQL.
    Tracking(bench::tracking::Options),
    /// Submits of prepared drafts at a fixed rate, durable and exactly once.
    Submits(bench::submits::Options),
    /// A hot key that expires under load.
    HotKey(bench::hot_key::Options),
    /// Memory per open subscription.
    Subscriptions(bench::subscriptions::Options),
    /// Serves the subgraphs of the comparison.
    #[command(hide = true)]
    Shop {
        #[arg(long)]
        listen: SocketAddr,
        /// Subgraphs work for each request instead of remembering their answers.
        #[arg(long)]
        executed: bool,
    },
    /// Serves the fetches of a gateway without one.
    #[command(hide = true)]
    Floor {
        #[arg(long)]
        listen: SocketAddr,
        fetches: PathBuf,
    },
    /// Serves our engine and the subgraphs in one process.
    #[command(hide = true)]
    Together {
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Serves the bytes of a file, whatever is asked.
    #[command(hide = true)]
    Bytes {
        #[arg(long)]
        listen: SocketAddr,
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("Something that was to hold did not.");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("loadtests: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything held.
fn run(arguments: Arguments) -> anyhow::Result<bool> {
    if let Command::Floor { listen, fetches } = &arguments.command {
        // It has one thread, like the generator: started before any other runtime.
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        floor::serve_fetches(listener, serde_json::from_slice(&std::fs::read(fetches)?)?)?;
        return Ok(true);
    }
    let runtime = tokio::runtime::Runtime::new().context("the runtime does not start")?;
    let held = runtime.block_on(async {
        if arguments.command.serves() {
            return command(arguments).await;
        }
        // Whoever is asked to stop leaves nothing behind: what was started ends as the run is dropped.
        let held = tokio::select! {
            held = command(arguments) => held,
            signal = signalled() => Err(anyhow::anyhow!("{signal}: the run was broken off")),
        };
        installation::drop_databases().await;
        held
    });
    // A generator that is still at it is not waited for.
    runtime.shutdown_background();
    held
}

/// Waits until this process is asked to stop.
async fn signalled() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

impl Command {
    /// Whether it is one of our own helpers, which serve until they are killed.
    fn serves(&self) -> bool {
        matches!(self, Self::Shop { .. } | Self::Floor { .. } | Self::Together { .. } | Self::Bytes { .. })
    }
}

async fn command(arguments: Arguments) -> anyhow::Result<bool> {
    let program = match arguments.program {
        Some(program) => program,
        None => std::env::current_exe()?.with_file_name("pratu"),
    };
    let bind = tokio::net::TcpListener::bind::<SocketAddr>;
    let report = match arguments.command {
        Command::Shop { listen, executed } => {
            return shop::serve(bind(listen).await?, executed).await.map(|()| true);
        }
        Command::Together { listen } => return together::serve(bind(listen).await?).await.map(|()| true),
        Command::Bytes { listen, file } => {
            let bytes = std::fs::read(file)?.into();
            return floor::serve_bytes(bind(listen).await?, bytes).await.map(|()| true);
        }
        Command::Floor { .. } => return Ok(true),
        Command::Journeys(options) => return journeys::run(&options, &program).await,
        Command::Scenario(options) => scenario::run(&options, &program).await?,
        Command::Peers(options) => peers::run(&options, &program).await?,
        Command::Cached(options) => bench::cached::run(&options, &program).await?,
        Command::Tracking(options) => bench::tracking::run(&options, &program).await?,
        Command::Submits(options) => bench::submits::run(&options, &program).await?,
        Command::HotKey(options) => bench::hot_key::run(&options, &program).await?,
        Command::Subscriptions(options) => bench::subscriptions::run(&options, &program).await?,
    };
    report.finish(arguments.keep.as_deref())?;
    Ok(report.held())
}
