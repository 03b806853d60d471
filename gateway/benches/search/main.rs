//! What a search through `/graphql` costs over four thousand services, as a ratio to what it costs over those
//! of this repository, with as many results: `cargo bench -p pratu --bench search`.
//!
//! Two whole installations run on threads of their own, and the client on this one: the CPU time that counts
//! is the process's without this thread's. They take turns, so that what differs from minute to minute falls
//! on both alike.
#![allow(clippy::unwrap_used, reason = "what goes wrong here ends the measuring")]

#[path = "../../../services/catalogue/tests/generated/mod.rs"]
mod generated;

use std::time::Duration;

use catalogue::SourceFile;
use database::Target;
use pratu::{Config, Server};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SERVICES: usize = 4_000;
const TURNS: usize = 15;
const REQUESTS_PER_TURN: usize = 60;
/// Results on a page at most: as many as the smaller catalogue has.
const RESULTS_MAX: usize = 10;
const DOCUMENT: &str = include_str!("../../../graphql/operations/FindServices.graphql");
/// What is typed, and what kind of search it is.
const SEARCHES: [(&str, &str); 6] = [
    ("ใบอนุญาต", "broad: a word that thousands have"),
    ("ขอใบอนุญาตจดทะเบียน licence registration", "broad: several such words"),
    ("ต่อใบขับขี่รถยนต์", "narrow"),
    ("ใบอนุยาดร้านอาหาร", "mistyped, Thai"),
    ("driving lisence renewal", "mistyped, English"),
    ("", "none: all in order of code"),
];

/// One installation with its catalogue.
struct Place {
    server: Server,
    url: String,
    _data: TempDir,
}

fn main() {
    let servers = Runtime::new().unwrap();
    let small = servers.block_on(Place::start(0));
    let large = servers.block_on(Place::start(SERVICES));
    let client_runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::builder().build().unwrap();
    println!(
        "\n| search | found | own services, CPU µs | {SERVICES} more, CPU µs | ratio |\n| --- | ---: | ---: | ---: | ---: |"
    );
    for (search, kind) in SEARCHES {
        let results = client_runtime.block_on(small.results(&client, search, RESULTS_MAX));
        assert_eq!(client_runtime.block_on(large.results(&client, search, results)), results, "{search}");
        let mut turns: Vec<(f64, f64)> = Vec::new();
        for _ in 0..=TURNS {
            let [small, large] = [&small, &large].map(|place| {
                let before = cpu_of_servers();
                for _ in 0..REQUESTS_PER_TURN {
                    client_runtime.block_on(place.results(&client, search, results));
                }
                (cpu_of_servers() - before).as_secs_f64() * 1e6 / REQUESTS_PER_TURN as f64
            });
            turns.push((small, large));
        }
        turns.remove(0); // warming up
        let [small, large, ratio] = [
            turns.iter().map(|(small, _)| *small).collect(),
            turns.iter().map(|(_, large)| *large).collect(),
            turns.iter().map(|(small, large)| large / small).collect(),
        ]
        .map(median);
        println!("| {kind} | {results} | {small:.0} | {large:.0} | {ratio:.2} |");
    }
    servers.block_on(async {
        small.server.stop().await;
        large.server.stop().await;
    });
}

impl Place {
    /// An installation of this repository's services and as many generated ones.
    async fn start(generated: usize) -> Self {
        let data = TempDir::new().unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = Config { listen, data: data.path().to_owned(), ..Config::default() };
        if generated > 0 {
            let files = generated::files(generated).into_iter().map(|(path, text)| SourceFile { path, text });
            let target = Target::Embedded { directory: data.path().to_owned(), durable: false };
            let clock = clock::Clock::system();
            let catalogue = catalogue::Service::open(&target, clock, config.environment).await.unwrap();
            catalogue.apply(&files.collect::<Vec<_>>(), catalogue::Edits::Keep).await.unwrap();
            catalogue.database().close().await;
        }
        let server = Server::start(config).await.unwrap();
        let url = format!("{}/graphql", server.public_url);
        Self { server, url, _data: data }
    }

    /// Searches, and tells how many services are on the page.
    async fn results(&self, client: &reqwest::Client, search: &str, first: usize) -> usize {
        let variables = json!({ "search": search, "area": "1201", "first": first });
        let request = json!({ "query": DOCUMENT, "operationName": "FindServices", "variables": variables });
        let answer: Value = client.post(&self.url).json(&request).send().await.unwrap().json().await.unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["publicServices"]["nodes"].as_array().unwrap().len()
    }
}

fn cpu_of_servers() -> Duration {
    let of = |clock| {
        let now = clock_gettime(clock);
        Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
    };
    of(ClockId::ProcessCPUTime) - of(ClockId::ThreadCPUTime)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
