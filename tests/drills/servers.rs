//! The real servers that are killed, stopped and promoted: `infra/servers`.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// A server of `infra/servers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Primary,
    Redis,
    /// The first primary of the Cluster.
    ClusterPrimary,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Primary => "durable",
            Self::Redis => "redis",
            Self::ClusterPrimary => "redis-cluster",
        }
    }

    /// Its process, which a drill may kill or stop.
    pub async fn pid(self) -> u32 {
        let pid = servers(&["pid", self.name()]).await;
        pid.trim().parse().expect("a server has a process")
    }

    pub async fn kill(self) {
        signal("-KILL", self.pid().await).await;
    }

    /// Starts it on the data it left.
    pub async fn again(self) {
        servers(&["again", self.name()]).await;
    }
}

/// Makes the standby the primary.
pub async fn promote() {
    servers(&["promote"]).await;
}

/// Makes sure that all servers of the drills run, and gives their addresses by name.
pub async fn up() -> Vec<(String, String)> {
    let addresses = servers(&["up", "durable", "redis", "redis-cluster"]).await;
    let pair = |line: &str| line.split_once('=').map(|(name, at)| (name.to_owned(), at.to_owned()));
    addresses.lines().filter_map(pair).collect()
}

/// Sends a signal, by its name.
pub async fn signal(signal: &str, pid: u32) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status().await;
    assert!(sent.is_ok_and(|status| status.success()), "{signal} cannot be sent to {pid}");
}

async fn servers(arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/servers");
    let ran = Command::new(script)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("infra/servers is there");
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}
