//! Failures of protocol, permission and system: what stands in `errors[]`, with a stable code.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Value};

/// The published catalogue of error codes. Codes are never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    GraphqlParseFailed,
    GraphqlValidationFailed,
    BadUserInput,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
    QueryNotInSafelist,
    CostEstimatedTooExpensive,
    Unauthenticated,
    Forbidden,
    UnauthorizedFieldOrType,
    SubscriptionSchemaReload,
    NotFound,
    Conflict,
    RateLimited,
    Overloaded,
    Unavailable,
    IdentityLevelTooLow,
    Internal,
}

impl ErrorCode {
    pub const ALL: [Self; 18] = [
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::BadUserInput,
        Self::PersistedQueryNotFound,
        Self::PersistedQueryNotSupported,
        Self::QueryNotInSafelist,
        Self::CostEstimatedTooExpensive,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::UnauthorizedFieldOrType,
        Self::SubscriptionSchemaReload,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::Overloaded,
        Self::Unavailable,
        Self::IdentityLevelTooLow,
        Self::Internal,
    ];

    /// The code as clients see it; Apollo's own wherever Apollo has one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::QueryNotInSafelist => "QUERY_NOT_IN_SAFELIST",
            Self::CostEstimatedTooExpensive => "COST_ESTIMATED_TOO_EXPENSIVE",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::UnauthorizedFieldOrType => "UNAUTHORIZED_FIELD_OR_TYPE",
            Self::SubscriptionSchemaReload => "SUBSCRIPTION_SCHEMA_RELOAD",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::RateLimited => "RATE_LIMITED",
            Self::Overloaded => "OVERLOADED",
            Self::Unavailable => "UNAVAILABLE",
            Self::IdentityLevelTooLow => "IDENTITY_LEVEL_TOO_LOW",
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }

    /// Whether the same request may succeed later, unchanged.
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Overloaded | Self::Unavailable | Self::SubscriptionSchemaReload
        )
    }
}

/// A failure on its way to the client. What went wrong inside is logged once, when it becomes a
/// GraphQL error; the client sees the code and a sentence of ours.
pub struct Failure {
    code: ErrorCode,
    message: String,
    extensions: Vec<(&'static str, Value)>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), extensions: Vec::new(), source: None }
    }

    /// A failure whose reason concerns only us; worth another try when something does not answer now.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source: Arc<dyn std::error::Error + Send + Sync> = Arc::from(source.into());
        let failure = if is_outage(source.as_ref()) {
            Self::unavailable("Something needed for this does not answer now.")
        } else {
            Self::new(ErrorCode::Internal, "Something went wrong on our side.")
        };
        Self { source: Some(source), ..failure }
    }

    /// Something outside us, or another service, does not answer.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unavailable, message)
    }

    /// Adds a machine-readable detail under `extensions`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.extensions.push((name, value.into()));
        self
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    pub fn message(&self) -> &str {
        &self.message
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, " ({})", chain(source.as_ref())))
    }
}

/// Any other error is internal: `?` keeps its reason for the log and hides it from the client.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::internal(error)
    }
}

impl From<Failure> for async_graphql::Error {
    fn from(failure: Failure) -> Self {
        if let Some(source) = &failure.source {
            tracing::error!(error = chain(source.as_ref()), "a resolver failed");
        }
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", failure.code.as_str());
        extensions.set("retryable", failure.code.retryable());
        for (name, value) in failure.extensions {
            extensions.set(name, value);
        }
        Self { message: failure.message, source: None, extensions: Some(extensions) }
    }
}

/// Whether something outside the process was not there: databases and connections say so with these kinds.
fn is_outage(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected, ReadOnlyFilesystem,
        ResourceBusy, StorageFull, TimedOut,
    };
    let passes = |kind| {
        matches!(
            kind,
            ConnectionAborted
                | ConnectionRefused
                | ConnectionReset
                | NotConnected
                | ReadOnlyFilesystem
                | ResourceBusy
                | StorageFull
                | TimedOut
        )
    };
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.filter_map(|error| error.downcast_ref::<std::io::Error>()).any(|error| passes(error.kind()))
}

/// The error and what caused it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Reading(std::io::Error);

    impl std::fmt::Display for Reading {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("reading the register")
        }
    }

    impl std::error::Error for Reading {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn what_does_not_answer_now_may_be_tried_again_and_a_defect_may_not() {
        let busy = Reading(std::io::Error::new(std::io::ErrorKind::ResourceBusy, "deadlock"));
        assert_eq!(Failure::from(busy).code(), ErrorCode::Unavailable);
        let defect = Reading(std::io::Error::new(std::io::ErrorKind::InvalidData, "not what was written"));
        assert_eq!(Failure::from(defect).code(), ErrorCode::Internal);
    }
}
