//! A wire between a process and Redis that can hang or be cut.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    Whole,
    /// Takes everything and passes nothing on, as a machine that has stopped.
    Hangs,
    /// Every connection ends, and no new one is served.
    Cut,
}

pub struct Proxy {
    pub url: String,
    wire: Arc<watch::Sender<Wire>>,
}

impl Proxy {
    pub async fn before(url: &str) -> Self {
        let target: SocketAddr = url.trim_start_matches("redis://").parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("redis://{}", listener.local_addr().expect("it is bound"));
        let wire = Arc::new(watch::channel(Wire::Whole).0);
        let state = wire.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *state.borrow() == Wire::Cut {
                    continue;
                }
                let Ok(server) = TcpStream::connect(target).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server, state.subscribe()));
                tokio::spawn(pass(from_server, to_client, state.subscribe()));
            }
        });
        Self { url, wire }
    }

    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut wire: watch::Receiver<Wire>,
) {
    let mut cut = wire.clone();
    let passing = async {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            // What is on its way when the wire hangs arrives when it no longer does.
            if wire.wait_for(|wire| *wire != Wire::Hangs).await.is_err()
                || to.write_all(&buffer[..count]).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        () = passing => {}
        _ = async { cut.wait_for(|wire| *wire == Wire::Cut).await.is_ok() } => {}
    }
}
