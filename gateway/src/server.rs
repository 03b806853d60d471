//! One running process: its listener, its roles, its end.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::roles::Roles;
use crate::{Config, health, roles, shortcomings};

/// Why the process does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the configuration cannot be used:\n  - {}", .0.join("\n  - "))]
    Shortcomings(Vec<String>),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Roles(#[from] roles::Error),
}

/// A running installation in this process.
pub struct Server {
    pub address: SocketAddr,
    pub public_url: String,
    stop: CancellationToken,
    drain: Duration,
    serving: JoinHandle<()>,
    roles: Roles,
}

impl Server {
    /// Opens every role and begins to answer.
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        let found = shortcomings::of(&config);
        if !found.is_empty() {
            return Err(StartError::Shortcomings(found));
        }
        let listening = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        if config.public_url.is_empty() {
            config.public_url = format!("http://{address}");
        }
        // It is the beginning of many addresses, and compared to the letter as our issuer.
        config.public_url.truncate(config.public_url.trim_end_matches('/').len());
        let stop = CancellationToken::new();
        let roles = Roles::open(&config, stop.clone()).await?;
        let app = roles.routes().into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
        let serving = tokio::spawn(async move {
            if let Err(error) = serving.into_future().await {
                tracing::error!(%error, "serving ended");
            }
        });
        tokio::spawn(health::upkeep(stop.clone()));
        let drain = Duration::from_millis(config.limits.drain_ms);
        Ok(Self { address, public_url: config.public_url, stop, drain, serving, roles })
    }

    /// Ends everything at once, as a crash would: what was acknowledged is kept.
    pub fn abort(self) {
        self.stop.cancel();
        self.serving.abort();
    }

    /// Lets running requests finish, for a while, then closes everything. What was acknowledged is kept.
    pub async fn stop(mut self) {
        self.stop.cancel();
        match tokio::time::timeout(self.drain, &mut self.serving).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!("serving panicked"),
            // A client that sends half a request or reads nothing would keep us for ever.
            Err(_) => tracing::warn!("some requests had not ended: they are left behind"),
        }
        self.roles.close().await;
    }
}
