//! Writes the answer: status, headers, body; and one log line about it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use clock::Clock;
use federation::GraphQLError;
use futures::StreamExt;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use super::answers::Public;
use super::classify::{Form, Stream, Wish};
use super::events::{Subscription, multipart, sse};
use super::{Door, Refusal};

pub const REQUEST_ID: &str = "x-request-id";
const REQUEST_ID_CHARS_MAX: usize = 64;

/// 0.12 ms for an answer of 75 KB, an eighth of which is left. Level 1 saves a fifth of that time and leaves
/// half as much again; level 4 takes twice as long for a sixth less. Brotli takes longer for as much.
const GZIP_LEVEL: i32 = 2;
/// Shorter answers fit into one packet or two as they are.
const COMPRESSED_BYTES_MIN: u16 = 1024;

/// What a request came to.
pub enum Reply {
    Answer(federation::Response),
    /// One that is the same for everyone.
    Public(Box<Public>),
    Events(Box<Subscription>),
    /// The answer that turns the connection into a WebSocket.
    Upgrade(Response<Body>),
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
        given.filter(plain).map_or_else(|| Self::fresh(clock), |given| Self(given.to_owned()))
    }

    pub fn fresh(clock: &Clock) -> Self {
        Self(clock.uuid().to_string())
    }

    /// What log lines of this request stand in.
    pub fn span(&self) -> tracing::Span {
        tracing::info_span!("graphql", request_id = %self, operation = tracing::field::Empty)
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

pub fn respond(
    outcome: Result<Reply, Refusal>,
    door: &Arc<Door>,
    wish: &Wish,
    id: &RequestId,
) -> Response<Body> {
    let mut response = match outcome {
        Ok(Reply::Upgrade(response)) => return response,
        Ok(Reply::Events(subscription)) => events(subscription, door, wish),
        Ok(Reply::Answer(answer)) => json(StatusCode::OK, answer, wish, id),
        Ok(Reply::Public(public)) => public.response(media_type(wish.form)),
        Err(refusal) => refused(refusal, wish, id),
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id);
    }
    // Other answers depend on who asks; nothing between us and the client may keep them.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Compresses long answers for clients that take it. A stream must not wait in a compressor. That lengths
/// tell of secrets (BREACH) is no danger here: nobody can make another's browser ask with their token.
pub fn compression() -> CompressionLayer<impl Predicate> {
    let answers = SizeAbove::new(COMPRESSED_BYTES_MIN)
        .and(NotForContentType::SSE)
        .and(NotForContentType::const_new("multipart/"));
    CompressionLayer::new().quality(CompressionLevel::Precise(GZIP_LEVEL)).compress_when(answers)
}

/// One line per request: which operation, how it ended, how long it took; never its variables.
pub fn log(response: &Response<Body>, took: Duration) {
    let codes = response.extensions().get::<Codes>().map_or("", |codes| &codes.0);
    write_log(Some(response.status()), codes, took);
}

/// The same for an operation on a WebSocket, which has no status.
pub fn log_operation(errors: &[GraphQLError], took: Duration) {
    write_log(None, &Codes::of(errors).0, took);
}

fn write_log(status: Option<StatusCode>, codes: &str, took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(status = status.map(|status| status.as_u16()), took_ms, codes, "answered");
}

fn refused(refusal: Refusal, wish: &Wish, id: &RequestId) -> Response<Body> {
    let status = match wish.form {
        // The older media type keeps 200 for documents that are at fault (GraphQL over HTTP, 6.4.1). An
        // event stream is accepted first: what is wrong is its first event (GraphQL over SSE).
        Form::Json | Form::EventStream if refusal.graphql => StatusCode::OK,
        _ => refusal.status,
    };
    let mut response = json(status, federation::Response::from_errors(refusal.errors), wish, id);
    let headers = response.headers_mut();
    if let Some(challenge) = refusal.challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = refusal.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(allow) = refusal.allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        // The rest of the body is not read: the client must not send another request behind it.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn json(status: StatusCode, mut answer: federation::Response, wish: &Wish, id: &RequestId) -> Response<Body> {
    id.mark(&mut answer.errors);
    let codes = Codes::of(&answer.errors);
    let mut response = if wish.form == Form::EventStream && status == StatusCode::OK {
        event_stream(EVENTS, Body::from(sse::whole(&answer)))
    } else {
        let mut response = Response::new(Body::from(answer.to_json_bytes()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(wish.form)));
        response
    };
    *response.status_mut() = status;
    response.extensions_mut().insert(codes);
    response
}

fn media_type(form: Form) -> &'static str {
    match form {
        Form::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        Form::Json | Form::EventStream | Form::Other => "application/json; charset=utf-8",
    }
}

const EVENTS: &str = "text/event-stream; charset=utf-8";

fn events(subscription: Box<Subscription>, door: &Arc<Door>, wish: &Wish) -> Response<Body> {
    let told = subscription.told(Arc::clone(door));
    if wish.stream == Some(Stream::Multipart) {
        let opening = futures::stream::once(async { Bytes::from_static(multipart::OPENING) });
        let frames = opening.chain(told.map(multipart::frame)).map(Ok::<_, Infallible>);
        return event_stream(multipart::CONTENT_TYPE, Body::from_stream(frames));
    }
    event_stream(EVENTS, Body::from_stream(told.map(sse::frame).map(Ok::<_, Infallible>)))
}

fn event_stream(media_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // A buffering proxy would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
