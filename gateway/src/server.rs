//! One running process: its listener, its roles, its end.

mod connection;
mod full;
mod headers;
mod notice;
mod serving;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::util::MapResponseLayer;

use crate::roles::Roles;
use crate::{Config, alone, measures, proxies, roles, shortcomings};
use notice::Notice;

/// Why the process does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the configuration cannot be used:\n  - {}", .0.join("\n  - "))]
    Shortcomings(Vec<String>),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Roles(#[from] roles::Error),
    #[error(transparent)]
    Alone(#[from] alone::Error),
}

/// A running installation in this process.
pub struct Server {
    pub address: SocketAddr,
    pub public_url: String,
    stop: CancellationToken,
    notice: Arc<Notice>,
    drain_notice: Duration,
    drain: Duration,
    serving: JoinHandle<()>,
    /// None for a door alone.
    roles: Option<Roles>,
}

impl Server {
    /// Opens every role and begins to answer.
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        measures::begin();
        let found = shortcomings::of(&config);
        if !found.is_empty() {
            return Err(StartError::Shortcomings(found));
        }
        let listener = listen(config.listen).await?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: config.listen, source })?;
        if config.public_url.is_empty() {
            config.public_url = format!("http://{address}");
        }
        // It is the beginning of many addresses, and compared to the letter as our issuer.
        config.public_url.truncate(config.public_url.trim_end_matches('/').len());
        let stop = CancellationToken::new();
        let roles = Roles::open(&config, stop.clone()).await?;
        let routes = roles.routes();
        Ok(Self { roles: Some(roles), ..Self::serve(listener, routes, stop, &config)? })
    }

    /// Opens the door alone, over the subgraphs of any supergraph: of the configuration only `door`,
    /// `environment`, `limits`, `listen`, `log`, `proxies`, `public_url`, `traces` and `unauthorized` matter.
    pub async fn start_alone(config: Config, options: &alone::Options) -> Result<Self, StartError> {
        measures::begin();
        let found = shortcomings::of_alone(&config);
        if !found.is_empty() {
            return Err(StartError::Shortcomings(found));
        }
        let stop = CancellationToken::new();
        let routes = alone::routes(&config, options, &stop).await?;
        Self::serve(listen(config.listen).await?, routes, stop, &config)
    }

    fn serve(
        listener: TcpListener,
        routes: Router,
        stop: CancellationToken,
        config: &Config,
    ) -> Result<Self, StartError> {
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: config.listen, source })?;
        let routes = if config.proxies.trusted.is_empty() {
            routes
        } else {
            let proxies = Arc::new(config.proxies.clone());
            routes.layer(middleware::from_fn_with_state(proxies, proxies::unveil))
        };
        let https = config.public_url.starts_with("https://");
        let protect = move |response| headers::protect(response, https);
        let routes = routes.layer(MapResponseLayer::new(protect));
        let notice = Arc::<Notice>::default();
        let serving = serving::serve(listener, routes, config.clone(), notice.clone(), stop.clone());
        let serving = tokio::spawn(serving);
        tokio::spawn(measures::upkeep(stop.clone()));
        let drain_notice = Duration::from_millis(config.limits.drain_notice_ms);
        let drain = Duration::from_millis(config.limits.drain_ms);
        let public_url = match config.public_url.as_str() {
            "" => format!("http://{address}"),
            url => url.to_owned(),
        };
        Ok(Self { address, public_url, stop, notice, drain_notice, drain, serving, roles: None })
    }

    /// Ends everything at once, as a crash would: what was acknowledged is kept.
    pub fn abort(self) {
        self.stop.cancel();
        self.serving.abort();
    }

    /// Says that it is going, then takes nothing new, lets running requests finish, for a while, and closes
    /// everything. What was acknowledged is kept.
    pub async fn stop(mut self) {
        if self.notice.give() {
            tokio::time::sleep(self.drain_notice).await;
        }
        self.stop.cancel();
        match tokio::time::timeout(self.drain, &mut self.serving).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!("serving panicked"),
            // A client that sends half a request or reads nothing would keep us for ever.
            Err(_) => tracing::warn!("some requests had not ended: they are left behind"),
        }
        if let Some(roles) = self.roles {
            roles.close().await;
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}
