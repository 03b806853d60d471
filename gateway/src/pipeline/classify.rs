//! What the client wants: by which method, and in which forms it takes answers.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use federation::{Engine, OperationKind, Prepared};
use graphql::ErrorCode;

use super::Refusal;

/// The scalar for numbers of persons.
const NATIONAL_ID: &str = "NationalId";

/// The form of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/graphql-response+json`: the status says whether there is data.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request.
    Json,
    /// `text/event-stream`: the answer as an event, for clients that ask everything over one transport.
    EventStream,
    /// Nothing that we can write.
    Other,
}

/// The form of a subscription's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// GraphQL over SSE, distinct connections.
    Events,
    /// `multipart/mixed` with `subscriptionSpec=1.0`, as Apollo's clients speak it.
    Multipart,
}

/// Method and forms of one request.
#[derive(Clone, Debug)]
pub struct Wish {
    method: Method,
    pub form: Form,
    /// The best form for a subscription, which may be another than the best for one answer.
    pub stream: Option<Stream>,
    /// Whether this opens a WebSocket.
    pub web_socket: bool,
}

impl Wish {
    pub fn of(request: &Request) -> Self {
        let headers = request.headers();
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let (form, stream) = accepted_forms(accepted);
        let method = request.method().clone();
        let web_socket = method == Method::GET && upgrades(headers);
        Self { method, form, stream, web_socket }
    }

    /// Refuses methods and forms that GraphQL over HTTP does not have.
    pub fn check(&self) -> Result<(), Refusal> {
        if !matches!(self.method, Method::GET | Method::POST) {
            let message = "GraphQL is asked with GET or POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message);
            return Err(Refusal { allow: Some("GET, POST"), ..refusal });
        }
        if self.form == Form::Other && !self.web_socket {
            let message = "The answer comes as application/graphql-response+json, application/json, \
                           text/event-stream, or multipart/mixed for subscriptions.";
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message));
        }
        Ok(())
    }

    /// Whether caches between us and the client may keep this answer: those of a GET, where we say so.
    pub fn may_be_kept(&self, response: &Response<Body>) -> bool {
        let control = response.headers().get(header::CACHE_CONTROL);
        self.method == Method::GET && control.is_some_and(|control| control.as_bytes().starts_with(b"public"))
    }

    /// Refuses what is not to stand in an address: addresses are logged by everyone on the way.
    pub fn check_given(&self, engine: &Engine, prepared: &Prepared) -> Result<(), Refusal> {
        if self.method == Method::GET && engine.is_given(prepared, NATIONAL_ID) {
            let message = "A national number is sent with POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message);
            return Err(Refusal { allow: Some("POST"), ..refusal });
        }
        Ok(())
    }

    /// Refuses operations that this method or form cannot carry.
    pub fn check_kind(&self, kind: OperationKind) -> Result<(), Refusal> {
        if kind == OperationKind::Mutation && self.method == Method::GET {
            let message = "Mutations are sent with POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message);
            return Err(Refusal { allow: Some("POST"), ..refusal });
        }
        if kind == OperationKind::Subscription && self.stream.is_none() {
            let message = "Subscriptions are answered as text/event-stream, as multipart/mixed with \
                           subscriptionSpec=1.0, or over a WebSocket.";
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message));
        }
        Ok(())
    }
}

fn upgrades(headers: &HeaderMap) -> bool {
    let named = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    named.is_some_and(|named| named.eq_ignore_ascii_case("websocket"))
}

/// What `Accept` headers take: the first of the best forms for one answer, and for many.
fn accepted_forms<'h>(accepted: impl Iterator<Item = &'h str>) -> (Form, Option<Stream>) {
    let mut named = accepted.flat_map(|value| value.split(',')).filter(|range| !range.trim().is_empty());
    // Who says nothing takes anything.
    let first = named.next().unwrap_or("*/*");
    let (mut form, mut form_quality) = (Form::Other, 0.0);
    let (mut stream, mut stream_quality) = (None, 0.0);
    for range in std::iter::once(first).chain(named) {
        let range = Range::of(range);
        if let Some(named) = range.form()
            && range.quality > form_quality
        {
            (form, form_quality) = (named, range.quality);
        }
        if let Some(named) = range.stream()
            && range.quality > stream_quality
        {
            (stream, stream_quality) = (Some(named), range.quality);
        }
    }
    if form == Form::Other && stream == Some(Stream::Multipart) {
        // What is refused, and what is no subscription, has one answer: nothing for parts.
        form = Form::Json;
    }
    (form, stream)
}

/// One media range of an `Accept` header.
struct Range<'h> {
    media_type: &'h str,
    quality: f32,
    /// Which protocol of subscriptions a `multipart/mixed` means; others use it for other things.
    subscription_spec: Option<&'h str>,
}

impl<'h> Range<'h> {
    fn of(text: &'h str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let mut range = Self { media_type, quality: 1.0, subscription_spec: None };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("q") {
                range.quality = value.parse().unwrap_or(1.0);
            } else if name.eq_ignore_ascii_case("subscriptionSpec") {
                range.subscription_spec = Some(value);
            }
        }
        range
    }

    fn is(&self, media_type: &str) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type)
    }

    fn form(&self) -> Option<Form> {
        if self.is("application/json") || self.is("*/*") || self.is("application/*") {
            Some(Form::Json)
        } else if self.is("application/graphql-response+json") {
            Some(Form::GraphqlResponse)
        } else if self.is("text/event-stream") {
            Some(Form::EventStream)
        } else {
            None
        }
    }

    fn stream(&self) -> Option<Stream> {
        if self.is("text/event-stream") {
            Some(Stream::Events)
        } else if self.is("multipart/mixed") && self.subscription_spec == Some("1.0") {
            Some(Stream::Multipart)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_acceptable_form_is_taken() {
        for (accept, form) in [
            ("", Form::Json),
            ("*/*", Form::Json),
            ("application/graphql-response+json, application/json;q=0.9", Form::GraphqlResponse),
            ("application/json;q=0.1, application/graphql-response+json;q=0.9", Form::GraphqlResponse),
            ("text/event-stream", Form::EventStream),
            ("text/html", Form::Other),
            ("application/json;q=0", Form::Other),
        ] {
            assert_eq!(accepted_forms([accept].into_iter()).0, form, "{accept}");
        }
    }

    #[test]
    fn a_subscription_comes_as_the_client_takes_it_and_everything_else_as_one_answer() {
        let apollo = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0";
        for (accept, form, stream) in [
            (format!("{apollo},application/json"), Form::Json, Some(Stream::Multipart)),
            (format!("application/json, {apollo}"), Form::Json, Some(Stream::Multipart)),
            (
                format!("{apollo},application/graphql-response+json,application/json;q=0.9"),
                Form::GraphqlResponse,
                Some(Stream::Multipart),
            ),
            (apollo.to_owned(), Form::Json, Some(Stream::Multipart)),
            (
                r#"Multipart/Mixed; boundary="graphql"; subscriptionSpec="1.0""#.to_owned(),
                Form::Json,
                Some(Stream::Multipart),
            ),
            (format!("{apollo};q=0.5, text/event-stream"), Form::EventStream, Some(Stream::Events)),
            (format!("{apollo}, text/event-stream;q=0.5"), Form::EventStream, Some(Stream::Multipart)),
            // These mean parts of a deferred answer, which we do not give.
            ("multipart/mixed".to_owned(), Form::Other, None),
            ("multipart/mixed;deferSpec=20220824, application/json".to_owned(), Form::Json, None),
            ("multipart/mixed;subscriptionSpec=2.0, application/json".to_owned(), Form::Json, None),
        ] {
            assert_eq!(accepted_forms([&*accept].into_iter()), (form, stream), "{accept}");
        }
    }
}
