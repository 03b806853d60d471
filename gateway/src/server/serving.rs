//! Takes connections in and answers what comes over them, until told to stop.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::Connection;
use super::full::Full;
use super::notice::Notice;
use crate::Config;

/// Bytes of a request's head: long enough for a document in an address.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Serves until `stop`, and then what was begun. HTTP/2 is for the proxy that ends TLS: over one
/// connection many streams could each be left unread, where `write_timeout_ms` sees only connections.
pub async fn serve(
    mut listener: TcpListener,
    routes: Router,
    config: Config,
    notice: Arc<Notice>,
    stop: CancellationToken,
) {
    let (limits, connections_max) = (config.limits, config.door.overload.connections_max);
    let full = Full::new();
    let open = TaskTracker::new();
    let write_timeout = Duration::from_millis(limits.write_timeout_ms);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.header_timeout_ms))
        .max_header_size(HEAD_BYTES_MAX);
    // This one goes on where accepting fails for a while, as when there are too many open files.
    while let Some((stream, address)) = stop.run_until_cancelled(Listener::accept(&mut listener)).await {
        if open.len() >= connections_max {
            full.turn_away(stream);
            continue;
        }
        let connection = Connection::new(stream, write_timeout, open.token());
        let (routes, notice) = (routes.clone(), Arc::clone(&notice));
        tokio::spawn(answer(http.clone(), connection, address, routes, notice, stop.clone()));
    }
    drop(listener);
    open.close();
    open.wait().await;
}

async fn answer(
    http: http1::Builder,
    connection: Connection,
    address: SocketAddr,
    routes: Router,
    notice: Arc<Notice>,
    stop: CancellationToken,
) {
    let asked = AtomicBool::new(false);
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(address));
        notice.answer(routes.clone(), request)
    });
    let mut serving = pin!(http.serve_connection(TokioIo::new(connection), service).with_upgrades());
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stop.cancelled() => {
            if !asked.load(Ordering::Relaxed) {
                // Browsers open connections in advance; nothing was begun over this one.
                return;
            }
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection broke off");
    }
}
