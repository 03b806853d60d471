//! Other processes, as tests of this folder pretend them.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

use super::Peers;
use crate::Config;
use crate::config::Role;

/// Answers by `routes` for as long as the test runs.
pub async fn serving(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// Those who know the processes of one role.
pub fn peers_at(role: Role, addresses: &[SocketAddr]) -> Peers {
    let addresses = addresses.iter().map(|address| format!("http://{address}")).collect();
    Peers::new(&Config {
        peers: [(role.name().to_owned(), addresses)].into(),
        subgraph_secret: Some("a secret of tests, 32 bytes or more".into()),
        ..Config::default()
    })
}
