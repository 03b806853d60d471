//! The process that a drill ends: the program of `pratu serve`, told on its standard input where to die.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use chassis::telemetry::{self, LogFormat};
use pratu::{Config, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The whole configuration as JSON, for the process that is started.
const CONFIG: &str = "PRATU_DRILL_CONFIG";
const OPEN: &str = "drill: open";
const ARMED: &str = "drill: armed";

/// A process of our own that serves.
pub struct Process {
    child: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

/// What the process is to do from now on.
pub enum Order<'a> {
    /// Die when the place with this name is reached so many times.
    DieAt(&'a str, u64),
    /// Write down every place that is reached.
    Record(&'a Path),
    Nothing,
}

impl Process {
    /// Starts it, and comes back when it is open.
    pub async fn start(config: &Value, errors: &Path) -> Self {
        let errors = File::options().append(true).create(true).open(errors).expect("a log can be written");
        let mut child = Command::new(std::env::current_exe().expect("this test is a file"))
            .args(["kills::child::serves_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
            .env(CONFIG, config.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .expect("this test can be started again");
        let orders = child.stdin.take().expect("it is piped");
        let said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut process = Self { child, orders, said };
        assert!(process.says(OPEN).await, "the process did not open");
        process
    }

    /// Gives an order, and comes back when it is in force.
    pub async fn order(&mut self, order: Order<'_>) {
        let order = match order {
            Order::DieAt(place, nth) => json!({ "place": place, "nth": nth }),
            Order::Record(file) => json!({ "journal": file }),
            Order::Nothing => json!({}),
        };
        self.orders.write_all(format!("{order}\n").as_bytes()).await.expect("the process listens");
        assert!(self.says(ARMED).await, "the process takes no orders");
    }

    /// Whether it has died.
    pub fn is_dead(&mut self) -> bool {
        self.child.try_wait().expect("its end can be asked for").is_some()
    }

    /// Ends it from outside.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Ends it as an orchestrator does: what runs is finished first.
    pub async fn drain(mut self) {
        self.orders.write_all(b"{\"drain\":true}\n").await.expect("the process listens");
        self.child.wait().await.expect("its end can be waited for");
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    async fn says(&mut self, what: &str) -> bool {
        while let Ok(Some(line)) = self.said.next_line().await {
            if line.contains(what) {
                return true;
            }
        }
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "not a test: the process that a drill starts and ends"]
async fn serves_until_it_is_killed() {
    #[allow(clippy::disallowed_methods, reason = "what the drill tells this process, not configuration")]
    let Ok(config) = std::env::var(CONFIG) else { return };
    let config: Config = serde_json::from_str(&config).expect("a configuration");
    let traces = config.traces_of_this_process();
    let exporting = (!traces.endpoint.is_empty()).then(|| telemetry::init(LogFormat::Text, "off", &traces));
    let server = Server::start(config).await.expect("it starts");
    println!("{OPEN}");
    let mut orders: Lines<BufReader<Stdin>> = BufReader::new(tokio::io::stdin()).lines();
    // The end of the drill is the end of its input, whatever way the drill ended.
    while let Ok(Some(order)) = orders.next_line().await {
        let order: Value = serde_json::from_str(&order).expect("an order");
        if order["drain"] == true {
            server.stop().await;
            return exporting.unwrap_or_default().close().await;
        }
        let kill = order["place"].as_str().zip(order["nth"].as_u64());
        let journal = order["journal"].as_str().map(PathBuf::from);
        failpoint::arm(failpoint::Drill {
            kill: kill.map(|(place, nth)| (place.to_owned(), nth)),
            journal: journal.map(|file| File::create(file).expect("a journal can be written")),
        });
        println!("{ARMED}");
    }
    server.abort();
}
