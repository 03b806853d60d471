//! Writes the answer: status, headers, body; and one log line about it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use clock::Clock;
use federation::GraphQLError;
use futures::stream::BoxStream;

use super::classify::{Form, Wish};
use super::{Refusal, events};

pub const REQUEST_ID: &str = "x-request-id";
const REQUEST_ID_CHARS_MAX: usize = 64;

/// What a request came to.
pub enum Reply {
    Answer(federation::Response),
    /// The frames of an event stream.
    Events(BoxStream<'static, Bytes>),
}

/// Names a request in logs and errors: the caller's own `x-request-id`, or a fresh one.
#[derive(Clone, Debug)]
pub struct RequestId(String);

/// The codes of a response's errors, for the log line.
#[derive(Clone, Debug)]
struct Codes(String);

impl Codes {
    fn of(errors: &[GraphQLError]) -> Self {
        let codes: Vec<&str> = errors.iter().map(|error| &*error.code).collect();
        Self(codes.join(","))
    }
}

impl RequestId {
    pub fn of(headers: &HeaderMap, clock: &Clock) -> Self {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let plain = |id: &&str| {
            (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        Self(given.filter(plain).map_or_else(|| clock.uuid().to_string(), str::to_owned))
    }

    /// Puts it into each error, so that a user can quote it.
    pub fn mark(&self, errors: &mut [GraphQLError]) {
        for error in errors {
            error.extensions.insert("requestId".to_owned(), self.0.as_str().into());
        }
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

pub fn respond(outcome: Result<Reply, Refusal>, wish: &Wish, id: &RequestId) -> Response<Body> {
    let mut response = match outcome {
        Ok(Reply::Events(frames)) => event_stream(Body::from_stream(events::infallible(frames))),
        Ok(Reply::Answer(answer)) if wish.form == Form::EventStream => {
            event_stream(Body::from(events::whole(answer, id)))
        }
        Ok(Reply::Answer(answer)) => json(StatusCode::OK, answer, wish, id),
        Err(refusal) => refused(refusal, wish, id),
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id);
    }
    // Answers depend on who asks; nothing between us and the client may keep them.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// One line per request: which operation, how it ended, how long it took; never its variables.
pub fn log(response: &Response<Body>, took: Duration) {
    let codes = response.extensions().get::<Codes>().map_or("", |codes| &codes.0);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(status = response.status().as_u16(), took_ms, codes, "answered");
    metrics::histogram!("graphql_request_duration_seconds").record(took.as_secs_f64());
}

fn refused(refusal: Refusal, wish: &Wish, id: &RequestId) -> Response<Body> {
    if refusal.graphql && wish.form == Form::EventStream {
        // An event stream is accepted first: what is wrong with the document is its first event
        // (GraphQL over SSE, distinct connections).
        let codes = Codes::of(&refusal.errors);
        let answer = federation::Response::from_errors(refusal.errors);
        let mut response = event_stream(Body::from(events::whole(answer, id)));
        response.extensions_mut().insert(codes);
        return response;
    }
    // The older media type keeps 200 for documents that are at fault (GraphQL over HTTP, 6.4.1).
    let status = if refusal.graphql && wish.form == Form::Json { StatusCode::OK } else { refusal.status };
    let mut response = json(status, federation::Response::from_errors(refusal.errors), wish, id);
    let headers = response.headers_mut();
    if let Some(challenge) = refusal.challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(allow) = refusal.allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn json(status: StatusCode, mut answer: federation::Response, wish: &Wish, id: &RequestId) -> Response<Body> {
    id.mark(&mut answer.errors);
    let codes = Codes::of(&answer.errors);
    let mut response = Response::new(Body::from(answer.to_json_bytes()));
    *response.status_mut() = status;
    let media_type = match wish.form {
        Form::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        Form::Json | Form::EventStream | Form::Other => "application/json; charset=utf-8",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.extensions_mut().insert(codes);
    response
}

fn event_stream(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    // A buffering proxy would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
