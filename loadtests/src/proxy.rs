//! A proxy that makes a connection slow, silent or dead: faults between two processes without either knowing.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes that are passed on at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// Answers come so much later.
    Delay(Duration),
    /// Nothing comes through, and nobody hangs up.
    Silence,
    /// Connections break, and new ones are closed at once.
    Dead,
}

/// A proxy in front of one address.
pub struct Proxy {
    pub address: SocketAddr,
    fault: watch::Sender<Fault>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(to: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (fault, faults) = watch::channel(Fault::None);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(connection(stream, to, faults.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, fault, task })
    }

    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(near: TcpStream, to: SocketAddr, mut faults: watch::Receiver<Fault>) {
    if *faults.borrow() == Fault::Dead {
        return;
    }
    let Ok(far) = TcpStream::connect(to).await else { return };
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    let there = pass(near_in, far_out, faults.clone(), false);
    let back = pass(far_in, near_out, faults.clone(), true);
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = faults.wait_for(|fault| *fault == Fault::Dead) => {}
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut faults: watch::Receiver<Fault>,
    delayed: bool,
) {
    let mut bytes = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let fault = *faults.borrow_and_update();
        if let (Fault::Delay(delay), true) = (fault, delayed) {
            tokio::time::sleep(delay).await;
        }
        if fault == Fault::Silence && faults.wait_for(|fault| *fault != Fault::Silence).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await.unwrap_or_default();
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn a_silent_connection_goes_on_afterwards_and_a_dead_one_breaks() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let mut got = [0; 2];
        stream.write_all(b"ab").await.unwrap();
        stream.read_exact(&mut got).await.unwrap();
        proxy.set(Fault::Silence);
        stream.write_all(b"cd").await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(50), stream.read_exact(&mut got)).await;
        assert!(waited.is_err(), "nothing comes through");
        proxy.set(Fault::None);
        stream.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"cd");
        proxy.set(Fault::Dead);
        assert_eq!(stream.read(&mut got).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn a_delay_is_on_the_answer() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        proxy.set(Fault::Delay(Duration::from_millis(60)));
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let begun = std::time::Instant::now();
        stream.write_all(b"a").await.unwrap();
        stream.read_exact(&mut [0]).await.unwrap();
        assert!((60..2_000).contains(&begun.elapsed().as_millis()));
    }
}
