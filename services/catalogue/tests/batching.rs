//! A list costs a few statements a level, however long it is. Alone in its file: it counts the statements
//! of the whole process.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::Request;
use catalogue::Service;
use chassis::Environment;
use serde_json::json;
use testkit::TestDatabase;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

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
async fn a_list_costs_a_few_statements_however_long_it_is() {
    tracing::subscriber::set_global_default(Counter).unwrap();
    let place = TestDatabase::sqlite();
    let service = Service::open(&place.target, testkit::clock(), Environment::Sandbox).await.unwrap();
    service.apply_embedded().await.unwrap();
    let statements = async |document: String| {
        let before = STATEMENTS.load(Ordering::SeqCst);
        let answer = serde_json::to_value(service.schema().execute(Request::new(document)).await).unwrap();
        assert_eq!(answer.get("errors"), None, "{answer}");
        (STATEMENTS.load(Ordering::SeqCst) - before, answer["data"].clone())
    };

    // What applications asks for a page of twenty, half of them of the same offering.
    let offerings =
        [("LAO-01", "nonthaburi"), ("LAO-01", "chiang-mai"), ("DBD-01", "dbd"), ("DLT-01", "dlt")];
    let of: Vec<_> = (0..20)
        .map(|n| offerings[n % 4])
        .map(|(service, agency)| format!("off_{}", catalogue::offering_id(service, agency).simple()))
        .map(|id| format!("{{ __typename: \"Offering\", id: {} }}", json!(id)))
        .collect();
    let document = format!(
        "{{ _entities(representations: [{}]) {{ ... on Offering {{ fee {{ due }} publicService {{ title {{ th }} }} }} }} }}",
        of.join(", ")
    );
    let (count, data) = statements(document).await;
    assert_eq!(data["_entities"].as_array().unwrap().len(), 20);
    // The offerings, then their services. A busy machine may split a batch, never fall back to one each.
    assert!((2..=4).contains(&count), "{count} statements for 20 offerings and their services");

    let document = "{ publicServices(first: 100) { nodes { agency { code } offering(area: \"1201\") { id }
        offerings(first: 5) { nodes { agency { name { th } } } } lifeEvents { code } } } }";
    let (count, data) = statements(document.to_owned()).await;
    assert!(data["publicServices"]["nodes"].as_array().unwrap().len() >= 14);
    // Publication, services, agencies, offerings twice, life events, their agencies: one by one over 60.
    assert!((7..=14).contains(&count), "{count} statements for a page of services");
}
