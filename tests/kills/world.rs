//! One drill's world: an installation that dies and comes back, and a bank that lives on.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use database::{Database, Target, args};
use futures::FutureExt;
use sandbox::Sandbox;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::TestDatabase;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::child::{Order, Process};
use crate::installation::{Installation, client};

/// How long the drill waits for anything that must come in the end.
const PATIENCE: Duration = Duration::from_secs(120);
/// While nothing comes, the clocks move so much every so often.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_S: i64 = 5;
/// A message that a dead process had claimed comes again after this long, by the clock of the sandbox.
const CLAIM_S: i64 = 31;
/// Timers of payments end sooner; legal ones wait for days, and are left alone.
const TIMERS_H: i64 = 2;
const STEP_S: i64 = 240;
/// Services with an outbox.
const SENDERS: [&str; 4] = ["catalogue", "identity", "applications", "payments"];

pub struct World {
    /// The installation as its users reach it.
    pub place: Installation,
    /// Where the bank is.
    pub bank_url: String,
    bank_clock: Clock,
    data: TempDir,
    target: Target,
    /// None where a drill runs many and looks after them itself.
    one: Option<One>,
    _postgres: Option<TestDatabase>,
}

/// The one process that is killed and started again.
struct One {
    config: Value,
    process: Mutex<Process>,
    deaths: AtomicU64,
}

impl World {
    /// A fresh one; on PostgreSQL when a place there is given.
    pub async fn open(postgres: Option<TestDatabase>) -> Self {
        let data = TempDir::new().expect("a temporary folder can be made");
        let ours = data.path().join("ours");
        Self::open_with(data, ours, postgres).await
    }

    /// One that keeps its data in `ours`; the bank's are elsewhere.
    pub async fn open_at(ours: PathBuf, postgres: Option<TestDatabase>) -> Self {
        let data = TempDir::new().expect("a temporary folder can be made");
        Self::open_with(data, ours, postgres).await
    }

    async fn open_with(data: TempDir, ours: PathBuf, postgres: Option<TestDatabase>) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr());
        let url = format!("http://{}", address.expect("a free port"));
        let (bank_url, bank_clock) = open_bank(&data, &url).await;

        let database_url = postgres.as_ref().map(|place| match &place.target {
            Target::Postgres { url } => url.clone(),
            _ => unreachable!("it was asked for on PostgreSQL"),
        });
        let config = json!({
            "listen": url.trim_start_matches("http://"),
            "data": ours,
            "database_url": database_url,
            "payments": {
                "scb": { "base_url": format!("{bank_url}/sandbox/bank") },
                "kbank": { "base_url": format!("{bank_url}/sandbox/kbank") },
                "gwallet": { "base_url": format!("{bank_url}/sandbox/gwallet") },
            },
        });
        let target = match database_url {
            Some(url) => Target::Postgres { url },
            None => Target::embedded(ours),
        };
        let process = Mutex::new(Process::start(&config, &data.path().join("stderr")).await);
        let one = Some(One { config, process, deaths: AtomicU64::new(0) });
        let place = Installation::elsewhere(&url);
        Self { place, bank_url, bank_clock, data, target, one, _postgres: postgres }
    }

    /// One whose installation will be at `url`, with a bank of its own.
    pub async fn elsewhere(url: &str, target: Target) -> Self {
        let data = TempDir::new().expect("a temporary folder can be made");
        let (bank_url, bank_clock) = open_bank(&data, url).await;
        let place = Installation::elsewhere(url);
        Self { place, bank_url, bank_clock, data, target, one: None, _postgres: None }
    }

    fn one(&self) -> &One {
        self.one.as_ref().expect("the world has one process")
    }

    /// Gives the process an order, and forgets earlier deaths.
    pub async fn order(&self, order: Order<'_>) {
        self.revive().await;
        self.deaths();
        self.one().process.lock().await.order(order).await;
    }

    /// A file of the drill's own.
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.data.path().join(name)
    }

    /// Does something until it is answered, with the same keys each time. A process found dead is
    /// started again, and time passes while nothing comes: a confirmation may have met a dead process,
    /// and then our own timers find the money.
    pub async fn insist<T>(&self, what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        let mut moved_at = begun;
        loop {
            // Helpers of other tests panic when nobody answers; here that is to be expected.
            if let Ok(Some(done)) = AssertUnwindSafe(attempt()).catch_unwind().await {
                return done;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}\n{}", self.errors());
            if self.one.is_some() {
                self.revive().await;
                if moved_at.elapsed() > PAUSE {
                    moved_at = Instant::now();
                    self.pass(PAUSE_S).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the process again when it has died; tells whether it had.
    pub async fn revive(&self) -> bool {
        let one = self.one();
        let mut process = one.process.lock().await;
        if !process.is_dead() {
            return false;
        }
        *process = Process::start(&one.config, &self.file("stderr")).await;
        drop(process);
        one.deaths.fetch_add(1, Ordering::SeqCst);
        assert!(self.pass(CLAIM_S).await, "a process that just started moves its clock");
        true
    }

    /// Changes a service's database behind its back, while the process is away.
    pub async fn sabotage(&self, service: &str, sql: &str) {
        let one = self.one();
        let mut process = one.process.lock().await;
        process.kill().await;
        let database = Database::open(&self.target, service, &[]).await.expect("the database opens");
        database.execute(sql, Vec::new()).await.expect("the database obeys");
        database.close().await;
        *process = Process::start(&one.config, &self.file("stderr")).await;
    }

    /// How often it died since this was last asked.
    pub fn deaths(&self) -> u64 {
        self.one().deaths.swap(0, Ordering::SeqCst)
    }

    /// Moves the clocks of the installation and of the bank forward, unless there is nobody to move them.
    pub async fn pass(&self, seconds: i64) -> bool {
        let clock = format!("{}/sandbox/clock", self.place.url);
        let moved = client().post(clock).json(&json!({ "advance_s": seconds })).send().await;
        let moved = moved.is_ok_and(|moved| moved.status().is_success());
        if moved {
            self.bank_clock.advance(TimeDelta::seconds(seconds));
        }
        moved
    }

    /// Looks into a service's database while the process runs.
    pub async fn database(&self, service: &str) -> Database {
        Database::observe(&self.target, service).await.expect("the database can be read")
    }

    /// Delivers everything there is, the timers of payments too.
    pub async fn drain(&self) {
        self.insist("empty outboxes", async || {
            let clock = self.place.http.get(format!("{}/sandbox/clock", self.place.url)).send().await;
            let now: Value = clock.ok()?.json().await.ok()?;
            let now: DateTime<Utc> = now["now"].as_str()?.parse().ok()?;
            let horizon = now + TimeDelta::hours(TIMERS_H);
            let (mut due, mut waiting) = (0, 0);
            for service in SENDERS {
                let sql =
                    "select cast(coalesce(sum(case when not_before <= $1 then 1 else 0 end), 0) as bigint)
                               as due, count(*) as waiting
                           from outbox_message
                           where delivered_at is null and dead_at is null and not_before <= $2";
                let database = self.database(service).await;
                let row = database.row(sql, args![now, horizon]).await.ok().flatten()?;
                database.close().await;
                due += row.get::<i64>("due").ok()?;
                waiting += row.get::<i64>("waiting").ok()?;
            }
            if waiting > 0 && due == 0 {
                // What waits are timers, or what a dead process had claimed.
                self.pass(STEP_S).await;
            }
            (waiting == 0).then_some(())
        })
        .await;
    }

    /// The bank's own books.
    pub async fn bank_books(&self) -> Value {
        let books = self.place.http.get(format!("{}/sandbox/bank/books?limit=9999", self.bank_url));
        books.send().await.expect("the bank answers").json().await.expect("its books are JSON")
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(self.file("stderr")).unwrap_or_default()
    }
}

/// Opens the bank of a world, which tells the installation at `url` of payments.
async fn open_bank(data: &TempDir, url: &str) -> (String, Clock) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let bank_url = format!("http://{}", listener.local_addr().expect("an address"));
    let clock = Clock::system();
    let settings = sandbox::Config {
        public_url: url.to_owned(),
        confirmation_gap_ms: 200,
        ..sandbox::Config::default()
    };
    let bank = Target::embedded(data.path().join("bank"));
    let bank = Sandbox::open(&bank, clock.clone(), settings).await.expect("the bank opens");
    let routes = Router::new().nest("/sandbox", bank.routes());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (bank_url, clock)
}
