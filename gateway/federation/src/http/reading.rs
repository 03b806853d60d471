//! Reads what a subgraph sends: one answer, or a stream of events.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::connections::told;
use super::frames::{Frame, Frames};
use super::{ANSWER_BYTES_MAX, ANSWER_DEPTH_MAX, Failure, Got, parse};
use crate::subgraph::{Answer, SubgraphError};
use crate::value::read_json;

/// How much room is made for an answer before it is there.
const TOLD_BYTES_MAX: u64 = 256 * 1024;

/// An answer that comes at once.
pub(super) async fn whole(response: Response<Incoming>) -> Result<Answer, Failure> {
    let status = response.status();
    match body(response.into_body()).await.and_then(read) {
        // It waited for as long as there was time, as we do.
        Err(Failure::Malformed(_)) if status == StatusCode::GATEWAY_TIMEOUT => Err(Failure::Timeout),
        // An error page explains less than its status.
        Err(Failure::Malformed(_)) if !status.is_success() => Err(Failure::Status(status)),
        answer => answer,
    }
}

/// A stream of events; or one answer, from a subgraph that refuses.
pub(super) async fn events(response: Response<Incoming>, silence_max: Duration) -> Result<Got, Failure> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let frames = match kind {
        kind if kind.starts_with("text/event-stream") => Frames::sse(),
        kind if kind.starts_with("multipart/mixed") => Frames::multipart(),
        _ => return whole(response).await.map(Got::Answer),
    };
    Ok(Got::Events(stream(response.into_body(), frames, silence_max)))
}

fn stream(
    mut body: Incoming,
    mut frames: Frames,
    silence_max: Duration,
) -> BoxStream<'static, Result<Answer, SubgraphError>> {
    let events = async_stream::stream! {
        loop {
            let chunk = match tokio::time::timeout(silence_max, chunk(&mut body)).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(None) => break,
                Ok(Some(Err(failure))) => {
                    yield Err(failure.into());
                    return;
                }
                Err(_) => {
                    yield Err(SubgraphError::Timeout);
                    return;
                }
            };
            frames.push(&chunk);
            while let Some(frame) = frames.next() {
                match frame {
                    Frame::Event(event) => match parse::event(event, ANSWER_DEPTH_MAX) {
                        Ok(Some(answer)) => yield Ok(answer),
                        Ok(None) => {}
                        Err(error) => yield Err(error),
                    },
                    Frame::Complete => return,
                }
            }
            if frames.waiting_bytes() > ANSWER_BYTES_MAX {
                yield Err(SubgraphError::Malformed("an event is too long".to_owned()));
                return;
            }
        }
        if frames.cut_off() {
            yield Err(SubgraphError::Malformed("the stream ended within an event".to_owned()));
        }
    };
    events.boxed()
}

/// All of a body. One that came in one piece is not copied.
async fn body(mut body: Incoming) -> Result<Bytes, Failure> {
    // What it says of its length is not trusted with much memory.
    let told_bytes = body.size_hint().exact().unwrap_or(0).min(TOLD_BYTES_MAX);
    let Some(first) = chunk(&mut body).await.transpose()? else { return Ok(Bytes::new()) };
    if first.len() > ANSWER_BYTES_MAX {
        return Err(too_long());
    }
    let Some(second) = chunk(&mut body).await.transpose()? else { return Ok(first) };
    let mut all = Vec::with_capacity(usize::try_from(told_bytes).unwrap_or_default());
    all.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(piece) = next {
        if all.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(too_long());
        }
        all.extend_from_slice(&piece);
        next = chunk(&mut body).await.transpose()?;
    }
    Ok(Bytes::from(all))
}

/// The next piece of a body; trailers are passed over.
async fn chunk(body: &mut Incoming) -> Option<Result<Bytes, Failure>> {
    loop {
        match body.frame().await? {
            Ok(frame) => match frame.into_data() {
                Ok(chunk) => return Some(Ok(chunk)),
                Err(_) => continue,
            },
            Err(error) => return Some(Err(Failure::Broken(told(&error)))),
        }
    }
}

fn too_long() -> Failure {
    Failure::Malformed("the answer is too long".to_owned())
}

fn read(body: Bytes) -> Result<Answer, Failure> {
    let value = read_json(body, ANSWER_DEPTH_MAX).map_err(|error| Failure::Malformed(error.to_string()))?;
    parse::answer(value).map_err(|error| match error {
        SubgraphError::Malformed(why) => Failure::Malformed(why),
        other => Failure::Malformed(other.to_string()),
    })
}
