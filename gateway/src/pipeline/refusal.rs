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
    /// Whether the request was well-formed GraphQL over HTTP, and only its document or variables are
    /// at fault: the older media type then answers 200.
    pub graphql: bool,
}

impl Refusal {
    pub fn new(status: StatusCode, code: ErrorCode, message: &str) -> Self {
        let error = GraphQLError::new(code.as_str(), message).with("retryable", code.retryable());
        Self { status, errors: vec![error], challenge: None, allow: None, graphql: false }
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
        Self { status, errors, challenge: None, allow: None, graphql }
    }
}
