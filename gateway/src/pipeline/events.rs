//! What stays open: subscriptions, over three transports, and the WebSockets that carry one of them.
//!
//! Each holds a seat, ends when its token, its session or this process does, and shows that it lives.
//! `sse` and `multipart` write one subscription as the body of an answer, `web_socket` many on one line.

pub mod multipart;
mod seats;
pub mod sse;
mod web_socket;

use std::sync::Arc;
use std::time::Duration;

use federation::{Prepared, Response};
use futures::stream::{BoxStream, Stream, StreamExt};
use tokio::time::{Interval, MissedTickBehavior};

use super::execute::context;
use super::{Asker, Caller, Door, Refusal};
use seats::Seat;

pub use seats::{Holder, Seats};
pub use web_socket::open as web_socket;

/// How often something open looks whether its token or session has ended.
const TOKEN_CHECK: Duration = Duration::from_secs(1);

/// A subscription that was opened, on its seat.
pub struct Subscription {
    seat: Seat,
    answers: BoxStream<'static, Response>,
    asker: Asker,
}

/// What a subscription has to tell, in the end that it is over.
pub enum Told {
    /// Nothing, but it lives.
    Alive,
    Next(Response),
    End(End),
}

/// Why something open is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing more will come.
    Complete,
    /// Its token expired, or its session ended.
    Forbidden,
    /// This process drains; another one goes on.
    GoingAway,
}

/// Opens a subscription.
pub async fn open(door: &Arc<Door>, asker: Asker, prepared: Prepared) -> Result<Subscription, Refusal> {
    let holder = Holder::of(&asker.caller, asker.address);
    let seat = door.subscriptions.take(holder, &door.limits)?;
    let engine = Arc::clone(prepared.engine());
    let answers = engine.subscribe(prepared, context(&asker)).await?;
    Ok(Subscription { seat, answers, asker })
}

impl Subscription {
    /// All that it tells by itself, its errors marked with the request's id. Who drops it gives up the seat.
    fn answers(self) -> impl Stream<Item = Response> + Send {
        let Self { seat, answers, asker } = self;
        answers.map(move |mut answer| {
            let _taken = &seat;
            asker.id.mark(&mut answer.errors);
            answer
        })
    }

    /// The same with signs of life, until something ends it. Nothing is read ahead: while the client
    /// takes nothing, its subgraph is asked for nothing.
    pub fn told(self, door: Arc<Door>) -> BoxStream<'static, Told> {
        let caller = self.asker.caller.clone();
        let told = async_stream::stream! {
            let mut answers = std::pin::pin!(self.answers());
            let mut watch = Watch::new();
            let mut keep_alive = ticker(Duration::from_millis(door.limits.keep_alive_ms));
            // At once, so that headers reach the client before the first event.
            yield Told::Alive;
            let end = loop {
                tokio::select! {
                    // In this order: what ends it comes before what is still to tell.
                    biased;
                    end = watch.ended(&door, &caller) => break end,
                    _ = keep_alive.tick() => yield Told::Alive,
                    answer = answers.next() => match answer {
                        Some(answer) => yield Told::Next(answer),
                        None => break End::Complete,
                    },
                }
            };
            yield Told::End(end);
        };
        told.boxed()
    }
}

/// Watches over something open.
struct Watch {
    token_check: Interval,
}

impl Watch {
    fn new() -> Self {
        Self { token_check: ticker(TOKEN_CHECK) }
    }

    /// Waits until it has to end. It may be left and called again, with another caller too.
    async fn ended(&mut self, door: &Door, caller: &Caller) -> End {
        loop {
            tokio::select! {
                biased;
                () = door.stop.cancelled() => return End::GoingAway,
                _ = self.token_check.tick() => if has_ended(door, caller) { return End::Forbidden },
            }
        }
    }
}

fn has_ended(door: &Door, caller: &Caller) -> bool {
    let expired = caller.expires_at.is_some_and(|at| at <= door.clock.now());
    let session = caller.principal.session_id();
    expired || session.is_some_and(|session| door.tokens.has_ended(session))
}

fn ticker(period: Duration) -> Interval {
    let mut ticker = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticker
}
