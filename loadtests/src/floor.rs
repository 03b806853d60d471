//! The floors: what it costs to make the same fetches without a gateway, and to give the same bytes without a thought.

use std::rc::Rc;

use axum::Router;
use axum::http::header;
use axum::routing::any;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::address::Loopback;
use crate::connections::Connections;
use crate::operation::{Caller, Prepared};
use crate::shop::Asked;

/// What the floor does for each request.
#[derive(Debug, Serialize, Deserialize)]
pub struct Fetches {
    /// Where the subgraphs are.
    pub base: String,
    pub asked: Vec<Asked>,
    /// What is answered in the end.
    pub answer: String,
}

/// Answers each request with the same bytes, as an axum handler would.
pub async fn serve_bytes(listener: TcpListener, bytes: Bytes) -> anyhow::Result<()> {
    let answer = move || {
        let bytes = bytes.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], bytes) }
    };
    Ok(axum::serve(listener, Router::new().fallback(any(answer))).await?)
}

/// For each request makes the fetches that a gateway made for it, one after the other, reads their answers to the
/// end, and gives the recorded answer: no gateway can cost less than this and fetch as much.
pub fn serve_fetches(listener: std::net::TcpListener, fetches: Fetches) -> anyhow::Result<()> {
    let target = Loopback::parse(&fetches.base)?;
    let asked = fetches.asked.into_iter();
    let prepared: Vec<Prepared> = asked
        .map(|asked| Prepared::post(&format!("/{}", asked.subgraph), asked.body.into_bytes(), Caller::Nobody))
        .collect();
    let floor =
        Rc::new(Floor { connections: Connections::new(target), prepared, answer: fetches.answer.into() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let floor = floor.clone();
            tokio::task::spawn_local(async move {
                let service = service_fn(move |request| answer(floor.clone(), request));
                let served = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
                drop(served);
            });
        }
    })
}

struct Floor {
    connections: Rc<Connections>,
    prepared: Vec<Prepared>,
    answer: Bytes,
}

async fn answer(
    floor: Rc<Floor>,
    request: Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, std::convert::Infallible> {
    drop(http_body_util::BodyExt::collect(request.into_body()).await);
    let mut good = true;
    for fetch in &floor.prepared {
        let sent = floor.connections.send(fetch.request(&floor.connections.target, 0)).await;
        good &= sent.is_ok_and(|answer| answer.status == 200);
    }
    let answer = hyper::Response::builder()
        .status(if good { 200 } else { 502 })
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(floor.answer.clone()));
    Ok(answer.expect("a response of constant parts"))
}
