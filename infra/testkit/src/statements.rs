//! Counts the SQL statements of a whole test process, to show that lists do not ask row by row.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The process's one counter: a test that uses it stands alone in its file.
pub struct Statements;

impl Statements {
    /// Begins to count what sqlx tells of each statement.
    pub fn counted() -> Self {
        tracing::subscriber::set_global_default(Counter).expect("nobody else listens in this process");
        Self
    }

    /// Statements so far.
    pub fn so_far(&self) -> usize {
        COUNT.load(Ordering::SeqCst)
    }
}

struct Counter;

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        COUNT.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
