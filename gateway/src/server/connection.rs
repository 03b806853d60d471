//! One client's connection: given up when nothing can be written to it, and closed with care.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How long we go on reading, to no purpose, from a client that we have nothing more to say to.
const LINGER_MAX: Duration = Duration::from_secs(2);
/// How much of it.
const LINGER_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A stream of bytes to and from a client, whatever is spoken over it.
pub struct Connection {
    /// There until it is dropped.
    stream: Option<TcpStream>,
    write_timeout: Duration,
    /// Runs while nothing can be written.
    stalled: Option<Pin<Box<Sleep>>>,
    gave_up: bool,
    /// Also a WebSocket, which outlives the request that opened it, is waited for by who waits for these.
    _open: TaskTrackerToken,
}

impl Connection {
    pub fn new(stream: TcpStream, write_timeout: Duration, open: TaskTrackerToken) -> Self {
        // Events are small, and each should leave at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        open_connections().increment(1.0);
        Self { stream: Some(stream), write_timeout, stalled: None, gave_up: false, _open: open }
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.stream.as_mut().expect("it is taken by drop alone"))
    }

    /// Passes on what came of writing, unless nothing has for too long: a client that reads nothing must
    /// not keep its answers in our memory for ever, nor its seat.
    fn in_time<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.write_timeout)));
        ready!(stalled.as_mut().poll(context));
        self.gave_up = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = self.stream().poll_write(context, bytes);
        self.in_time(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.stream().poll_write_vectored(context, slices);
        self.in_time(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}

impl Drop for Connection {
    /// Closing while the client still sends would have its system throw away our last words, such as why
    /// its body is refused. So we say that we are done, and read on for a moment.
    fn drop(&mut self) {
        open_connections().decrement(1.0);
        let (Some(stream), false) = (self.stream.take(), self.gave_up) else { return };
        // Without a runtime the process is ending.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(farewell(stream));
        }
    }
}

fn open_connections() -> metrics::Gauge {
    metrics::gauge!("http_connections_open")
}

/// Closes with care, which takes a moment.
pub async fn farewell(stream: TcpStream) {
    // It may take longer: then it is cut.
    let _ = tokio::time::timeout(LINGER_MAX, linger(stream)).await;
}

async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_ok() {
        let mut rest = stream.take(LINGER_BYTES_MAX);
        // It breaks off, or ends: the same to us.
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    }
}
