//! What is counted of requests: how many, how they ended, how long they took.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use cache::Source;
use federation::{GraphQLError, OperationKind};
use graphql::ErrorCode;
use metrics::{Counter, Histogram, counter, histogram};

use super::{Refusal, Reply};

/// Of a request that was refused before its operation was known: the last.
const TYPES: [&str; 4] = ["query", "mutation", "subscription", "none"];
const OUTCOMES: [&str; 3] = ["ok", "refused", "failed"];
const CACHES: [&str; 4] = ["hit", "stale", "miss", "none"];
/// Errors that are our fault, or that of what stands behind us.
const OURS: [ErrorCode; 3] = [ErrorCode::Internal, ErrorCode::Unavailable, ErrorCode::Overloaded];

/// What one request, or one operation on a WebSocket, comes to.
pub struct Tally {
    /// A place in `TYPES`.
    kind: AtomicU8,
}

#[derive(Clone, Copy)]
enum Outcome {
    Ok,
    /// By the client's fault.
    Refused,
    Failed,
}

/// Handles, so that a request does not look them up.
struct Meters {
    requests: [[Counter; 3]; 4],
    took: [[Histogram; 4]; 4],
}

static METERS: LazyLock<Meters> = LazyLock::new(|| Meters {
    requests: TYPES.map(|kind| {
        OUTCOMES.map(|outcome| counter!("graphql_requests_total", "type" => kind, "outcome" => outcome))
    }),
    took: TYPES.map(|kind| {
        CACHES.map(|cache| histogram!("graphql_request_duration_seconds", "type" => kind, "cache" => cache))
    }),
});

impl Tally {
    pub fn new() -> Self {
        Self { kind: AtomicU8::new(3) }
    }

    /// Says what the request turned out to be.
    pub fn is(&self, kind: OperationKind) {
        let kind = match kind {
            OperationKind::Query => 0,
            OperationKind::Mutation => 1,
            OperationKind::Subscription => 2,
        };
        self.kind.store(kind, Ordering::Relaxed);
    }

    /// Counts it. A subscription is over here when it has begun.
    pub fn count(&self, outcome: &Result<Reply, Refusal>, took: Duration) {
        let (ended, cache) = match outcome {
            Ok(Reply::Upgrade(_)) => return,
            Ok(Reply::Events(_)) => (Outcome::Ok, 3),
            Ok(Reply::Public(public)) => (Outcome::Ok, cache(public.found.source)),
            Ok(Reply::Answer(answer)) => (count_errors(&answer.errors, Outcome::Ok), 3),
            Err(refusal) => {
                let failed = refusal.status.is_server_error();
                let otherwise = if failed { Outcome::Failed } else { Outcome::Refused };
                (count_errors(&refusal.errors, otherwise), 3)
            }
        };
        let kind = usize::from(self.kind.load(Ordering::Relaxed));
        METERS.requests[kind][ended as usize].increment(1);
        METERS.took[kind][cache].record(took.as_secs_f64());
    }
}

/// A place in `CACHES`.
fn cache(source: Source) -> usize {
    match source {
        Source::Memory | Source::Redis => 0,
        Source::Stale => 1,
        Source::Loaded => 2,
    }
}

/// Counts each error by its code; one of ours makes a failure of what is `otherwise` none.
fn count_errors(errors: &[GraphQLError], otherwise: Outcome) -> Outcome {
    let mut outcome = otherwise;
    for error in errors {
        let code = ErrorCode::ALL.into_iter().find(|code| code.as_str() == &*error.code);
        // Other people's subgraphs have codes of their own, as many as they like.
        counter!("graphql_errors_total", "code" => code.map_or("OTHER", ErrorCode::as_str)).increment(1);
        if code.is_some_and(|code| OURS.contains(&code)) {
            outcome = Outcome::Failed;
        }
    }
    outcome
}
