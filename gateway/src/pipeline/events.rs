//! Subscriptions over server-sent events (GraphQL over SSE, distinct connections).

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use federation::Prepared;
use futures::stream::{BoxStream, Stream, StreamExt};
use graphql::ErrorCode;
use tokio::time::MissedTickBehavior;

use super::execute::context;
use super::respond::{Reply, RequestId};
use super::{Caller, Door, Refusal};

/// How often an open subscription looks whether its token or session has ended.
const TOKEN_CHECK: Duration = Duration::from_secs(1);
const KEEP_ALIVE: &[u8] = b":\n\n";
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

/// Counts an open subscription for as long as it lives.
struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(open: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        let before = open.fetch_add(1, Ordering::Relaxed);
        let seat = Self(Arc::clone(open));
        (before < max).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Opens a subscription. It completes when its token ends, when the session ends and when this
/// process drains; the client comes back with `after:` and misses nothing.
pub async fn open(
    door: &Arc<Door>,
    prepared: Prepared,
    caller: Caller,
    id: &RequestId,
) -> Result<Reply, Refusal> {
    let seat = Seat::take(&door.subscriptions, door.limits.subscriptions_max).ok_or_else(|| {
        let message = "Too many subscriptions are open; try again later.";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Overloaded, message)
    })?;
    let context = context(&caller, id);
    let mut answers = door.engine.subscribe(prepared, context).await?;
    let (door, id) = (Arc::clone(door), id.clone());
    let frames = async_stream::stream! {
        let _seat = seat;
        let mut token_check = ticker(TOKEN_CHECK);
        let mut keep_alive = ticker(Duration::from_millis(door.limits.keep_alive_ms));
        // At once, so that headers reach the client before the first event.
        yield Bytes::from_static(KEEP_ALIVE);
        loop {
            tokio::select! {
                // In this order: what ends it comes before what is still to tell.
                biased;
                () = door.stop.cancelled() => break,
                _ = token_check.tick() => if has_ended(&door, &caller) { break },
                _ = keep_alive.tick() => yield Bytes::from_static(KEEP_ALIVE),
                answer = answers.next() => match answer {
                    Some(answer) => yield next(answer, &id),
                    None => break,
                },
            }
        }
        yield Bytes::from_static(COMPLETE);
    };
    Ok(Reply::Events(frames.boxed()))
}

/// A whole answer as an event stream: for clients that ask everything over one transport.
pub fn whole(answer: federation::Response, id: &RequestId) -> Bytes {
    Bytes::from([&next(answer, id)[..], COMPLETE].concat())
}

/// Streams of frames never fail: what goes wrong is an event.
pub fn infallible(frames: BoxStream<'static, Bytes>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    frames.map(Ok)
}

fn next(mut answer: federation::Response, id: &RequestId) -> Bytes {
    id.mark(&mut answer.errors);
    // JSON text has no raw line breaks, so the answer is one `data` line.
    Bytes::from([b"event: next\ndata: ", &answer.to_json_bytes()[..], b"\n\n"].concat())
}

fn has_ended(door: &Door, caller: &Caller) -> bool {
    let expired = caller.expires_at.is_some_and(|at| at <= door.clock.now());
    let session = caller.principal.session_id();
    expired || session.is_some_and(|session| door.tokens.has_ended(session))
}

fn ticker(period: Duration) -> tokio::time::Interval {
    let mut ticker = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticker
}
