//! Why an address gave no answer, and what follows from it.

use std::time::Duration;

use http::StatusCode;

use crate::subgraph::SubgraphError;

#[derive(Debug)]
pub(super) enum Failure {
    /// No connection came about: nothing was sent.
    Refused(String),
    /// The connection broke. Whether the request was heard nobody knows.
    Broken(String),
    /// Meanwhile the address fell silent.
    Gone,
    Timeout,
    /// A status, and no GraphQL answer.
    Status(StatusCode),
    Malformed(String),
    /// No address may be asked just now.
    Closed,
}

impl Failure {
    /// Whether asking again can help, and whether that is a second request to somebody.
    pub fn again(&self, repeatable: bool) -> Again {
        match self {
            Failure::Refused(_) => Again::Freely,
            Failure::Broken(_) | Failure::Gone if repeatable => Again::WithinBudget,
            Failure::Status(status) if repeatable && is_temporary(*status) => Again::WithinBudget,
            _ => Again::Never,
        }
    }

    /// Whether it speaks against the address. A timeout does when there was time enough.
    pub fn counts(&self, had: Duration) -> bool {
        /// Less is not fair to anybody.
        const FAIR: Duration = Duration::from_millis(400);
        match self {
            Failure::Refused(_) | Failure::Broken(_) | Failure::Gone => true,
            Failure::Timeout => had >= FAIR,
            Failure::Status(status) => status.is_server_error(),
            Failure::Malformed(_) | Failure::Closed => false,
        }
    }

    /// Its name in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Failure::Refused(_) => "refused",
            Failure::Broken(_) | Failure::Gone => "broken",
            Failure::Timeout => "timeout",
            Failure::Status(_) => "status",
            Failure::Malformed(_) => "malformed",
            Failure::Closed => "closed",
        }
    }
}

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// It was sent, and would be sent a second time.
    WithinBudget,
    /// Nobody has heard it yet.
    Freely,
}

/// What a proxy says of what stands behind it.
fn is_temporary(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE)
}

impl From<Failure> for SubgraphError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(why) | Failure::Broken(why) => SubgraphError::Unreachable(why),
            Failure::Gone => SubgraphError::Unreachable("it fell silent".to_owned()),
            Failure::Timeout => SubgraphError::Timeout,
            Failure::Status(status) => SubgraphError::Unreachable(format!("status {status}")),
            Failure::Malformed(why) => SubgraphError::Malformed(why),
            Failure::Closed => SubgraphError::Unreachable("none of its addresses is in use".to_owned()),
        }
    }
}
