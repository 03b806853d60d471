//! A list costs a few statements a level, however long it is. Alone in its file: it counts the statements
//! of the whole process.

use async_graphql::Request;
use catalogue::Service;
use chassis::Environment;
use serde_json::json;
use testkit::{Statements, TestDatabase};

#[tokio::test]
async fn a_list_costs_a_few_statements_however_long_it_is() {
    let counted = Statements::counted();
    let place = TestDatabase::sqlite();
    let service = Service::open(&place.target, testkit::clock(), Environment::Sandbox).await.unwrap();
    service.apply_embedded().await.unwrap();
    let statements = async |document: String| {
        let before = counted.so_far();
        let answer = serde_json::to_value(service.schema().execute(Request::new(document)).await).unwrap();
        assert_eq!(answer.get("errors"), None, "{answer}");
        (counted.so_far() - before, answer["data"].clone())
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
    let services = data["publicServices"]["nodes"].as_array().unwrap().len();
    assert!(services >= 50);
    // Publication, services, agencies, offerings twice, life events, their agencies: seven kinds, and one by one
    // over 200. A list this long is resolved in slices, and each may be a batch of its own.
    assert!((7..services).contains(&count), "{count} statements for a page of services");
}
