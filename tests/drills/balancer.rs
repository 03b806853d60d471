//! The balancer in front of the gateways: connections go to those that are ready, as an ingress does it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::installation::client;

/// How often each gateway is asked whether it is ready.
const LOOK: Duration = Duration::from_millis(100);
/// How long it may take to say so.
const LOOK_TIMEOUT: Duration = Duration::from_millis(500);

struct Gateway {
    at: SocketAddr,
    is_ready: AtomicBool,
}

/// Binds the public address; nothing is accepted before [`balance`].
pub async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("an address");
    (listener, at)
}

/// Passes connections on to `gateways` in turn, until the test ends.
pub fn balance(listener: TcpListener, gateways: Vec<SocketAddr>) {
    let gateway = |at| Gateway { at, is_ready: AtomicBool::new(true) };
    let gateways: Arc<Vec<Gateway>> = Arc::new(gateways.into_iter().map(gateway).collect());
    tokio::spawn(look(Arc::clone(&gateways)));
    tokio::spawn(async move {
        let turn = AtomicUsize::new(0);
        while let Ok((stream, _)) = listener.accept().await {
            let first = turn.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(pass(stream, Arc::clone(&gateways), first));
        }
    });
}

async fn look(gateways: Arc<Vec<Gateway>>) {
    let http = client();
    loop {
        join_all(gateways.iter().map(async |gateway| {
            let asked = http.get(format!("http://{}/readyz", gateway.at)).timeout(LOOK_TIMEOUT).send().await;
            let is_ready = asked.is_ok_and(|answer| answer.status().is_success());
            gateway.is_ready.store(is_ready, Ordering::Relaxed);
        }))
        .await;
        tokio::time::sleep(LOOK).await;
    }
}

/// The ready ones first, from the one whose turn it is; a connection that is refused goes to the next.
async fn pass(mut near: TcpStream, gateways: Arc<Vec<Gateway>>, first: usize) {
    let turns = (0..gateways.len()).map(|turn| &gateways[(first + turn) % gateways.len()]);
    let (ready, others): (Vec<_>, Vec<_>) =
        turns.partition(|gateway| gateway.is_ready.load(Ordering::Relaxed));
    for gateway in ready.into_iter().chain(others) {
        let Ok(mut far) = TcpStream::connect(gateway.at).await else { continue };
        if near.set_nodelay(true).is_ok() && far.set_nodelay(true).is_ok() {
            // However it ends, both ends are closed.
            let _ = copy_bidirectional(&mut near, &mut far).await;
        }
        return;
    }
}
