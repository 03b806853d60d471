//! One WebSocket, from its opening to its close.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, Method, header};
use futures::SinkExt;
use serde_json::{Map, Value};
use tokio::time::{Instant, Interval};

use super::close::Close;
use super::message::{self, Said};
use super::operations::Operations;
use crate::pipeline::authenticate::authenticate;
use crate::pipeline::events::seats::{Holder, Seat};
use crate::pipeline::events::{End, Watch, ticker};
use crate::pipeline::respond::RequestId;
use crate::pipeline::{Asker, Door};

/// Pings that may stay without any message of the client's before it counts as gone.
const PINGS_UNANSWERED_MAX: u32 = 2;
/// How long we wait for the client to close its side too.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// One client's line, and who is on it.
pub struct Connection {
    door: Arc<Door>,
    asker: Asker,
    /// What the request for this connection said of its caller.
    headers: HeaderMap,
    seat: Seat,
    /// Whether `connection_init` came, after which operations may.
    greeted: bool,
    pings_unanswered: u32,
    operations: Operations,
}

/// What happens next.
enum Event {
    Ended(End),
    InitTimeout,
    KeepAlive,
    Came(Option<Result<Message, axum::Error>>),
    ToTell(Message),
}

impl Connection {
    pub fn new(door: Arc<Door>, asker: Asker, headers: HeaderMap, seat: Seat) -> Self {
        let operations = Operations::default();
        Self { door, asker, headers, seat, greeted: false, pings_unanswered: 0, operations }
    }

    /// Serves the client until one of us closes.
    pub async fn run(mut self, mut socket: WebSocket) {
        let close = if socket.protocol().is_some() {
            // An error is a line that broke: nobody is there to be told.
            self.serve(&mut socket).await.unwrap_or(None)
        } else {
            Some(Close::subprotocol())
        };
        tracing::debug!(code = close.as_ref().map(|close| close.code), "a WebSocket is closed");
        // Its seats are free before the client has said farewell.
        drop(self);
        if let Some(close) = close
            && socket.send(close.message()).await.is_err()
        {
            return;
        }
        // A line that is cut at once can take the close frame with it.
        let farewell = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = tokio::time::timeout(CLOSE_MAX, farewell).await;
    }

    /// Why we close, or nothing when the client did.
    async fn serve(&mut self, socket: &mut WebSocket) -> Result<Option<Close>, axum::Error> {
        let limits = &self.door.limits;
        let mut keep_alive = ticker(Duration::from_millis(limits.keep_alive_ms));
        let init_until = Instant::now() + Duration::from_millis(limits.connection_init_timeout_ms);
        let mut watch = Watch::new();
        loop {
            let event = self.event(socket, &mut watch, init_until, &mut keep_alive).await;
            let told = match event {
                Event::Ended(End::Forbidden) => Err(Close::forbidden()),
                Event::Ended(End::GoingAway | End::Complete) => {
                    self.finish(socket).await?;
                    Err(Close::going_away())
                }
                Event::InitTimeout => Err(Close::init_timeout()),
                Event::KeepAlive => self.ping(),
                Event::ToTell(message) => Ok(Some(message)),
                Event::Came(None | Some(Ok(Message::Close(_)))) => return Ok(None),
                Event::Came(Some(Ok(Message::Ping(_)))) => {
                    // The library has answered it, into a buffer without end: nothing more is read until
                    // the client has taken that.
                    socket.flush().await?;
                    Ok(None)
                }
                Event::Came(Some(Err(_))) => Err(self.unreadable()),
                Event::Came(Some(Ok(message))) => self.take(message).await,
            };
            match told {
                Ok(Some(message)) => socket.send(message).await?,
                Ok(None) => {}
                Err(close) => return Ok(Some(close)),
            }
        }
    }

    async fn event(
        &mut self,
        socket: &mut WebSocket,
        watch: &mut Watch,
        init_until: Instant,
        keep_alive: &mut Interval,
    ) -> Event {
        tokio::select! {
            // In this order: what ends it comes before what is still to tell.
            biased;
            end = watch.ended(&self.door, &self.asker.caller) => Event::Ended(end),
            () = tokio::time::sleep_until(init_until), if !self.greeted => Event::InitTimeout,
            _ = keep_alive.tick() => Event::KeepAlive,
            event = Self::came_or_told(socket, &mut self.operations) => event,
        }
    }

    /// In no order: a client that never falls silent would else keep all its operations waiting, and what
    /// they hold; and one that is told without end would never be heard.
    async fn came_or_told(socket: &mut WebSocket, operations: &mut Operations) -> Event {
        tokio::select! {
            came = socket.recv() => Event::Came(came),
            Some(message) = operations.next() => Event::ToTell(message),
        }
    }

    /// Answers what was begun: a mutation may have happened already. Nothing new is heard, and subscriptions
    /// go on elsewhere.
    async fn finish(&mut self, socket: &mut WebSocket) -> Result<(), axum::Error> {
        let until = Instant::now() + Duration::from_millis(self.door.limits.request_timeout_ms);
        while let Ok(Some(message)) = tokio::time::timeout_at(until, self.operations.next()).await {
            socket.send(message).await?;
        }
        Ok(())
    }

    /// Asks for a sign of life, or gives a client up that gives none.
    fn ping(&mut self) -> Result<Option<Message>, Close> {
        if self.pings_unanswered >= PINGS_UNANSWERED_MAX {
            return Err(Close::silent());
        }
        self.pings_unanswered += 1;
        Ok(Some(message::ping()))
    }

    /// What a message of the client's is answered with at once.
    async fn take(&mut self, message: Message) -> Result<Option<Message>, Close> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Close::invalid("Messages are text")),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(None),
        };
        // Only messages are signs of life: control frames may also come between the parts of one that never
        // ends, whose beginning is kept in memory.
        self.pings_unanswered = 0;
        match Said::read(&text)? {
            Said::ConnectionInit { payload } => self.greet(&payload).await.map(Some),
            Said::Ping { payload } => Ok(Some(message::pong(payload))),
            Said::Pong => Ok(None),
            Said::Subscribe { .. } if !self.greeted => Err(Close::unauthorized()),
            Said::Subscribe { id, asked } => {
                let asker = Asker { id: RequestId::fresh(&self.door.clock), ..self.asker.clone() };
                self.operations.start(&self.door, asker, id, asked)
            }
            Said::Complete { id } => {
                self.operations.end(&id);
                Ok(None)
            }
        }
    }

    /// Learns who is on the line; a token here goes before one of the request.
    async fn greet(&mut self, payload: &Map<String, Value>) -> Result<Message, Close> {
        if self.greeted {
            return Err(Close::second_init());
        }
        if let Some(token) = message::header(payload, header::AUTHORIZATION.as_str())? {
            let mut headers = std::mem::take(&mut self.headers);
            headers.insert(header::AUTHORIZATION, token);
            // A proof is for the request that opened this connection, whose method it was.
            if let Some(proof) = message::header(payload, auth::PROOF_HEADER)? {
                headers.insert(auth::PROOF_HEADER, proof);
            }
            let caller = authenticate(&self.door, &Method::GET, &headers).await;
            self.asker.caller = caller.map_err(|_| Close::forbidden())?;
            let holder = Holder::of(&self.asker.caller, self.asker.address);
            self.seat.pass_to(holder, &self.door.limits).map_err(|_| Close::try_again_later())?;
        }
        self.greeted = true;
        Ok(message::connection_ack())
    }

    /// A frame or text that cannot be, or a message that is too long.
    fn unreadable(&self) -> Close {
        let bytes_max = self.door.limits.body_bytes_max;
        Close::invalid(&format!("The message is malformed, or longer than {bytes_max} bytes"))
    }
}
