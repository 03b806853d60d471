//! A subgraph behind HTTP: JSON requests, each signed anew; events over SSE or multipart.

mod frames;
mod parse;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

use self::frames::{Frame, Frames};
use crate::subgraph::{Answer, RequestContext, Subgraph, SubgraphError, SubgraphRequest};
use crate::value::{Value, read_json, write_json, write_text};

/// Makes the headers that tell a subgraph who asks, from the context and the body they are to vouch for.
pub type Sign = Arc<dyn Fn(&RequestContext, &[u8]) -> HeaderMap + Send + Sync>;

/// The largest answer that is read, or one event of a subscription.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How much room is made for an answer before it is there.
const TOLD_BYTES_MAX: usize = 256 * 1024;
/// The deepest answer that is read. What it holds can stand deeper in the client's answer and in a request to
/// another subgraph, and many readers stop at 128 levels.
const ANSWER_DEPTH_MAX: usize = 80;

pub struct Http {
    client: reqwest::Client,
    url: String,
    sign: Sign,
}

impl Http {
    pub fn new(client: reqwest::Client, url: impl Into<String>, sign: Sign) -> Self {
        Http { client, url: url.into(), sign }
    }

    async fn send(
        &self,
        request: &SubgraphRequest,
        context: &RequestContext,
        accept: &'static str,
    ) -> Result<reqwest::Response, SubgraphError> {
        let body = request_body(request);
        let mut headers = (self.sign)(context, &body);
        headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, http::HeaderValue::from_static(accept));
        self.client.post(&self.url).headers(headers).body(body).send().await.map_err(unreachable)
    }
}

#[async_trait]
impl Subgraph for Http {
    async fn execute(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<Answer, SubgraphError> {
        let accept = "application/graphql-response+json, application/json;q=0.9";
        whole(self.send(&request, context, accept).await?).await
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
        context: &RequestContext,
    ) -> Result<BoxStream<'static, Result<Answer, SubgraphError>>, SubgraphError> {
        let accept = "text/event-stream, multipart/mixed;subscriptionSpec=1.0;q=0.9, application/json;q=0.5";
        let response = self.send(&request, context, accept).await?;
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let frames = match kind {
            kind if kind.starts_with("text/event-stream") => Frames::sse(),
            kind if kind.starts_with("multipart/mixed") => Frames::multipart(),
            _ => {
                // A subgraph that refuses answers once, in plain JSON.
                let answer = whole(response).await?;
                return Ok(futures::stream::once(async { Ok(answer) }).boxed());
            }
        };
        Ok(events(response, frames).boxed())
    }
}

fn events(
    response: reqwest::Response,
    mut frames: Frames,
) -> impl futures::Stream<Item = Result<Answer, SubgraphError>> + Send {
    async_stream::stream! {
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => frames.push(&chunk),
                Err(error) => {
                    yield Err(unreachable(error));
                    return;
                }
            }
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
    }
}

fn request_body(request: &SubgraphRequest) -> Vec<u8> {
    let mut body = b"{\"query\":".to_vec();
    write_text(&mut body, &request.operation.text);
    if !request.variables.is_empty() {
        body.extend_from_slice(b",\"variables\":");
        write_json(&mut body, &Value::object(request.variables.clone()));
    }
    body.push(b'}');
    body
}

/// An answer that comes at once.
async fn whole(response: reqwest::Response) -> Result<Answer, SubgraphError> {
    let status = response.status();
    match read(body(response).await?) {
        // An error page explains less than its status.
        Err(_) if !status.is_success() => Err(SubgraphError::Unreachable(format!("status {status}"))),
        answer => answer,
    }
}

async fn body(mut response: reqwest::Response) -> Result<Bytes, SubgraphError> {
    let told_bytes = response.content_length().map_or(0, |told| told as usize);
    // What it says of its length is not trusted with much memory.
    let mut body = Vec::with_capacity(told_bytes.min(TOLD_BYTES_MAX));
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(SubgraphError::Malformed("the answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(body))
}

fn read(body: Bytes) -> Result<Answer, SubgraphError> {
    let value =
        read_json(body, ANSWER_DEPTH_MAX).map_err(|error| SubgraphError::Malformed(error.to_string()))?;
    parse::answer(value)
}

fn unreachable(error: reqwest::Error) -> SubgraphError {
    match error.is_timeout() {
        true => SubgraphError::Timeout,
        false => SubgraphError::Unreachable(error.to_string()),
    }
}
