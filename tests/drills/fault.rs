//! What can befall an installation, how it is brought about, and how it ends.

use std::time::Duration;

use pratu::config::Role;

use super::provider::{Manner, Provider};
use super::servers::{self, Server};
use crate::split::processes::Processes;

/// An orchestrator starts a dead process again after about this long.
const STARTED_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long something stands still, or a provider misbehaves.
const SPELL: Duration = Duration::from_secs(8);
/// Longer than our adapters wait for a provider.
const SLOW: Duration = Duration::from_secs(15);

/// One misfortune.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of one of a role's two processes.
    Kill(Role),
    /// SIGSTOP of one of a role's two processes.
    Stop(Role),
    /// SIGTERM of each process in turn, and the same program again: a new version rolls out.
    Roll,
    KillRedis,
    StopRedis,
    /// A primary of the Cluster: its replica takes over.
    KillClusterPrimary,
    /// PostgreSQL is killed and starts again.
    KillPostgres,
    SlowProvider,
    LyingProvider,
    /// PostgreSQL is killed and its standby promoted. The last one: nothing stands behind it then.
    FailOver,
}

impl Fault {
    /// All that one installation on one Redis goes through, in this order.
    pub const ON_REDIS: [Self; 14] = [
        Self::Kill(Role::Gateway),
        Self::Kill(Role::Catalogue),
        Self::Kill(Role::Identity),
        Self::Kill(Role::Applications),
        Self::Kill(Role::Payments),
        Self::Stop(Role::Applications),
        Self::Stop(Role::Payments),
        Self::Roll,
        Self::KillRedis,
        Self::StopRedis,
        Self::SlowProvider,
        Self::LyingProvider,
        Self::KillPostgres,
        Self::FailOver,
    ];
    /// On a Cluster.
    pub const ON_CLUSTER: [Self; 1] = [Self::KillClusterPrimary];

    /// Whether nobody may notice it at all.
    pub fn is_invisible(self) -> bool {
        matches!(self, Self::Roll)
    }

    /// How it is asked for: `DRILL=kill-payments`.
    pub fn name(self) -> String {
        match self {
            Self::Kill(role) => format!("kill-{role}"),
            Self::Stop(role) => format!("stop-{role}"),
            Self::Roll => "roll".to_owned(),
            Self::KillRedis => "kill-redis".to_owned(),
            Self::StopRedis => "stop-redis".to_owned(),
            Self::KillClusterPrimary => "kill-cluster-primary".to_owned(),
            Self::KillPostgres => "kill-postgres".to_owned(),
            Self::SlowProvider => "slow-provider".to_owned(),
            Self::LyingProvider => "lying-provider".to_owned(),
            Self::FailOver => "fail-over".to_owned(),
        }
    }

    /// Brings it about and ends it.
    pub async fn befall(self, processes: &mut Processes, provider: &Provider) {
        match self {
            Self::Kill(role) => {
                processes.kill_first(role).await;
                tokio::time::sleep(STARTED_AGAIN_AFTER).await;
                processes.start_all().await;
            }
            Self::Stop(role) => {
                let pid = processes.first_pid(role).expect("it runs");
                stand_still(pid).await;
            }
            Self::Roll => {
                for role in
                    [Role::Catalogue, Role::Identity, Role::Applications, Role::Payments, Role::Gateway]
                {
                    processes.roll(role).await;
                }
            }
            Self::KillRedis => killed(Server::Redis).await,
            Self::KillClusterPrimary => killed(Server::ClusterPrimary).await,
            Self::KillPostgres => killed(Server::Primary).await,
            Self::StopRedis => stand_still(Server::Redis.pid().await).await,
            Self::SlowProvider => misbehave(provider, Manner::Slow(SLOW)).await,
            Self::LyingProvider => misbehave(provider, Manner::Lies).await,
            Self::FailOver => {
                Server::Primary.kill().await;
                servers::promote().await;
            }
        }
    }
}

async fn killed(server: Server) {
    server.kill().await;
    tokio::time::sleep(STARTED_AGAIN_AFTER).await;
    server.again().await;
}

async fn stand_still(pid: u32) {
    servers::signal("-STOP", pid).await;
    tokio::time::sleep(SPELL).await;
    servers::signal("-CONT", pid).await;
}

async fn misbehave(provider: &Provider, manner: Manner) {
    provider.behave(manner);
    tokio::time::sleep(SPELL).await;
    provider.behave(Manner::Honest);
}
