//! A list costs a few statements a level, however long it is. Alone in its file: it counts the statements
//! of the whole process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by stopping")]

use serde_json::json;
use testkit::Statements;

#[allow(dead_code, reason = "the other tests use all of it")]
#[path = "service/world.rs"]
mod world;

#[tokio::test]
async fn a_list_of_sealed_applications_costs_a_few_statements_however_long_it_is() {
    let counted = Statements::counted();
    for world in world::worlds().await {
        for _ in 0..8 {
            world.submitted(5).await;
        }
        let fields = "applicantName { th } answers evidence { fileName } decision { reason }
            timeline(first: 5) { nodes { kind message requestedDocuments { evidenceCode } } }";
        let lists = [(&world.citizen, "applications"), (&world.officer, "officerQueue")];
        for (who, list) in lists {
            let before = counted.so_far();
            let answer = world.ask(who, &format!("{{ {list} {{ nodes {{ {fields} }} }} }}"), json!({})).await;
            let count = counted.so_far() - before;
            assert_eq!(answer["data"][list]["nodes"].as_array().map(Vec::len), Some(8), "{answer}");
            // The list, the key, the evidence, the timelines. A busy machine may split a batch, never fall
            // back to one each: that would be over 30.
            assert!((4..=8).contains(&count), "{count} statements for {list}");
        }
    }
}
