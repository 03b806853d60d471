//! Kept connections to one address, straight over hyper: the generator must cost less than what it measures.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::address::Loopback;

/// How a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    NoConnection,
    /// The connection broke after the request was on its way.
    Broken,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

/// Connections of one thread.
pub struct Connections {
    pub target: Loopback,
    idle: RefCell<Vec<SendRequest<Full<Bytes>>>>,
    pub opened: Cell<u64>,
}

impl Connections {
    pub fn new(target: Loopback) -> Rc<Self> {
        Rc::new(Self { target, idle: RefCell::default(), opened: Cell::new(0) })
    }

    /// Sends on a kept connection, or on a new one when none is idle.
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer> {
        loop {
            let kept = self.idle.borrow_mut().pop();
            let was_kept = kept.is_some();
            let mut sender = match kept {
                Some(sender) if sender.is_closed() => continue,
                Some(sender) => sender,
                None => self.open().await.ok_or(NoAnswer::NoConnection)?,
            };
            if sender.ready().await.is_err() {
                if was_kept { continue } else { return Err(NoAnswer::Broken) }
            }
            let response = match sender.try_send_request(request).await {
                Ok(response) => response,
                // A kept connection that was just being closed: nothing has left yet.
                Err(mut error) => match error.take_message() {
                    Some(unsent) if was_kept => {
                        request = unsent;
                        continue;
                    }
                    _ => return Err(NoAnswer::Broken),
                },
            };
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map_err(|_| NoAnswer::Broken)?.to_bytes();
            self.idle.borrow_mut().push(sender);
            return Ok(Answer { status, body });
        }
    }

    async fn open(&self) -> Option<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.target.socket).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        tokio::task::spawn_local(connection);
        self.opened.set(self.opened.get() + 1);
        Some(sender)
    }
}
