//! A whole installation on a free port with a folder of its own, for one test.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use database::Target;
use pratu::{Config, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::TestDatabase;
use tracing_subscriber::fmt::MakeWriter;

use crate::split::processes::{self, Processes};

/// How long a test waits for what must come by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running installation. Stopping it keeps its data; dropping it does not.
pub struct Installation {
    pub url: String,
    pub http: reqwest::Client,
    running: Running,
    config: Config,
    _data: TempDir,
}

/// How it runs.
#[allow(clippy::large_enum_variant, reason = "there is one for each test")]
enum Running {
    /// Another process runs it, or nobody does any more.
    Elsewhere,
    Here(Server),
    /// Every role in a process of its own.
    Split(Box<Processes>),
}

impl Installation {
    /// As `make run` starts it: embedded, in the sandbox.
    pub async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    /// One on PostgreSQL; `None` where the machine has no server for tests.
    pub async fn start_on_postgres() -> Option<Self> {
        let place = TestDatabase::postgres().await?;
        let Target::Postgres { url } = &place.target else { return None };
        Some(Self::start_with(Config { database_url: Some(url.as_str().into()), ..Config::default() }).await)
    }

    /// One that another process runs.
    pub fn elsewhere(url: &str) -> Self {
        let data = TempDir::new().expect("a temporary folder can be made");
        Self {
            url: url.to_owned(),
            http: client(),
            running: Running::Elsewhere,
            config: Config::default(),
            _data: data,
        }
    }

    async fn start_with(config: Config) -> Self {
        log_capture();
        if processes::is_wanted() {
            return Self::start_split(config, 1).await.expect("a PostgreSQL server for tests");
        }
        let data = TempDir::new().expect("a temporary folder can be made");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let config = Config { listen, data: data.path().to_owned(), ..config };
        let server = Server::start(config.clone()).await.expect("the installation starts");
        // A restart comes back under the same address: it is the issuer of tokens and providers.
        let config = Config { listen: server.address, ..config };
        let url = server.public_url.clone();
        Self { url, http: client(), running: Running::Here(server), config, _data: data }
    }

    /// Every role in `each` processes of its own; `None` where the machine has no PostgreSQL for tests.
    pub async fn start_split(config: Config, each: usize) -> Option<Self> {
        let data = TempDir::new().expect("a temporary folder can be made");
        let processes = Processes::start(&config, data.path(), each).await?;
        let (url, running) = (processes.url.clone(), Running::Split(Box::new(processes)));
        Some(Self { url, http: client(), running, config, _data: data })
    }

    /// The processes of one that is split.
    pub fn processes(&mut self) -> &mut Processes {
        let Running::Split(processes) = &mut self.running else { panic!("it is one process") };
        processes
    }

    /// Stops it and starts it again on the same data.
    pub async fn restart(&mut self) {
        match std::mem::replace(&mut self.running, Running::Elsewhere) {
            Running::Split(mut processes) => {
                processes.restart(&self.config).await;
                self.running = Running::Split(processes);
            }
            Running::Here(server) => {
                server.stop().await;
                let server = Server::start(self.config.clone()).await.expect("it starts again");
                self.running = Running::Here(server);
            }
            Running::Elsewhere => panic!("it does not run here"),
        }
    }

    /// The same with other settings.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.restart().await;
    }

    /// Its settings, for what runs beside it.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it keeps everything.
    pub fn data(&self) -> &std::path::Path {
        &self.config.data
    }

    /// Where its databases are.
    pub fn target(&self) -> Target {
        if let Running::Split(processes) = &self.running {
            return processes.target();
        }
        match &self.config.database_url {
            Some(url) => Target::Postgres { url: url.reveal().to_owned() },
            None => Target::embedded(&self.config.data),
        }
    }

    /// Moves the sandbox's clock forward.
    pub async fn pass(&self, seconds: i64) {
        let moved =
            self.http.post(format!("{}/sandbox/clock", self.url)).json(&json!({"advance_s": seconds}));
        assert!(moved.send().await.expect("the sandbox answers").status().is_success());
    }

    /// The sandbox bank's own books.
    pub async fn bank_books(&self) -> Value {
        let books = self.http.get(format!("{}/sandbox/bank/books", self.url)).send().await;
        books.expect("the bank answers").json().await.expect("its books are JSON")
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // Ends the tasks; a runtime of the test's own goes with it.
        if let Running::Here(server) = std::mem::replace(&mut self.running, Running::Elsewhere) {
            server.abort();
        }
    }
}

/// Tries until `attempt` gives something; fails the test when it never does.
pub async fn eventually<T, F>(what: &str, mut attempt: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let begun = std::time::Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A client like a careful app's: no cookies, no redirects followed, everything timed.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .expect("constant settings")
}

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Everything this test process has logged, at debug level.
pub fn logged() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

fn log_capture() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let filter = "debug,hyper=info,sqlx=info,h2=info";
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Log);
        // Another test of this process may have been first.
        let _ = subscriber.try_init();
    });
}

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}
