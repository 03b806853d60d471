//! What is counted of one subgraph, for those who run it.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, gauge, histogram};

use super::failure::Failure;

/// Handles, so that a request does not look them up.
pub(super) struct Meters {
    name: String,
    answered: Counter,
    took: Histogram,
}

impl Meters {
    pub fn new(name: &str) -> Self {
        let name = name.to_owned();
        Meters {
            answered: counter!("subgraph_requests_total", "subgraph" => name.clone(), "outcome" => "answered"),
            took: histogram!("subgraph_request_duration_seconds", "subgraph" => name.clone()),
            name,
        }
    }

    /// One request, with all that was sent again for it.
    pub fn asked(&self, failure: Option<&Failure>, took: Duration) {
        self.took.record(took.as_secs_f64());
        match failure {
            None => self.answered.increment(1),
            Some(failure) => {
                let name = self.name.clone();
                counter!("subgraph_requests_total", "subgraph" => name, "outcome" => failure.name())
                    .increment(1);
            }
        }
    }

    /// One request that was, or would have been, sent again.
    pub fn again(&self, sent: bool) {
        let outcome = if sent { "sent" } else { "over_budget" };
        counter!("subgraph_retries_total", "subgraph" => self.name.clone(), "outcome" => outcome)
            .increment(1);
    }
}

/// Whether an address is left alone because it fails.
pub(super) fn breaker(subgraph: &str, address: &str, open: bool) {
    let (subgraph, address) = (subgraph.to_owned(), address.to_owned());
    gauge!("subgraph_breaker_open", "subgraph" => subgraph, "address" => address).set(f64::from(open));
}

/// Whether an address says that it is ready.
pub(super) fn ready(subgraph: &str, address: &str, ready: bool) {
    let (subgraph, address) = (subgraph.to_owned(), address.to_owned());
    gauge!("subgraph_address_ready", "subgraph" => subgraph, "address" => address).set(f64::from(ready));
}
