//! A request that a stage turned away: its HTTP status and its GraphQL errors.

use axum::http::StatusCode;
use federation::GraphQLError;
use graphql::ErrorCode;

/// Why a request got no answer of the graph.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub errors: Vec<GraphQLError>,
    /// The value of `WWW-Authenticate` (RFC 6750), with status 401.
    pub challenge: Option<&'static str>,
    /// What the path does accept, with status 405.
    pub allow: Option<&'static str>,
    /// After how many seconds to try again, with status 429 or 503.
    pub retry_after_s: Option<u64>,
    /// Whether the request was well-formed GraphQL over HTTP, and only its document or variables are
    /// at fault: the older media type then answers 200.
    pub graphql: bool,
}

impl Refusal {
    pub fn new(status: StatusCode, code: ErrorCode, message: &str) -> Self {
        let error = GraphQLError::new(code.as_str(), message).with("retryable", code.retryable());
        let (challenge, allow, retry_after_s) = (None, None, None);
        Self { status, errors: vec![error], challenge, allow, retry_after_s, graphql: false }
    }

    /// Says when to try again, in the header and in the error.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        for error in &mut self.errors {
            error.extensions.insert("retryAfter".to_owned(), seconds.into());
        }
        self
    }

    /// What is wrong, in words.
    pub fn message(&self) -> &str {
        self.errors.first().map_or("", |error| &error.message)
    }

    pub fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadUserInput, message)
    }
}

/// The engine's own refusals: parse, validation, limits, variables, authorization; or that it could not
/// get to the document.
impl From<Vec<GraphQLError>> for Refusal {
    fn from(errors: Vec<GraphQLError>) -> Self {
        let first = errors.first().map_or("", |error| &*error.code);
        let is = |code: ErrorCode| first == code.as_str();
        let status = if is(ErrorCode::Overloaded) || is(ErrorCode::Unavailable) {
            StatusCode::SERVICE_UNAVAILABLE
        } else if is(ErrorCode::Internal) {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::BAD_REQUEST
        };
        let graphql = status == StatusCode::BAD_REQUEST;
        let retry_after = errors.first().and_then(|error| error.extensions.get("retryAfter"));
        let retry_after_s = retry_after.and_then(serde_json::Value::as_u64);
        Self { status, errors, challenge: None, allow: None, retry_after_s, graphql }
    }
}
