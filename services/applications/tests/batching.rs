//! A list costs a few statements a level, however long it is. Alone in its file: it counts the statements
//! of the whole process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by stopping")]

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[allow(dead_code, reason = "the other tests use all of it")]
#[path = "service/world.rs"]
mod world;

static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

/// Counts what sqlx tells of each statement.
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
        STATEMENTS.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_list_of_sealed_applications_costs_a_few_statements_however_long_it_is() {
    tracing::subscriber::set_global_default(Counter).unwrap();
    for world in world::worlds().await {
        for _ in 0..8 {
            world.submitted(5).await;
        }
        let fields = "applicantName { th } answers evidence { fileName } decision { reason }
            timeline(first: 5) { nodes { kind message requestedDocuments { evidenceCode } } }";
        let lists = [(&world.citizen, "applications"), (&world.officer, "officerQueue")];
        for (who, list) in lists {
            let before = STATEMENTS.load(Ordering::SeqCst);
            let answer = world.ask(who, &format!("{{ {list} {{ nodes {{ {fields} }} }} }}"), json!({})).await;
            let count = STATEMENTS.load(Ordering::SeqCst) - before;
            assert_eq!(answer["data"][list]["nodes"].as_array().map(Vec::len), Some(8), "{answer}");
            // The list, the key, the evidence, the timelines. A busy machine may split a batch, never fall
            // back to one each: that would be over 30.
            assert!((4..=8).contains(&count), "{count} statements for {list}");
        }
    }
}
