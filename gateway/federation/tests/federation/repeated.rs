//! One entity at many places of an answer: each place shows what is known there, and tells of its own errors.

use federation::{Answer, Grants};
use serde_json::{Value, json};

use super::played::{self, Resolve, data};

const LIBRARY: &str = include_str!("../fixtures/library.graphql");

/// The same book three times, and once under another title.
fn shop(operation: &str, _: &[Value]) -> Answer {
    let title = match operation.contains("_internal_qp_alias_0: title") {
        true => "_internal_qp_alias_0",
        false => "title",
    };
    let book = |name: &str| json!({"__typename": "Book", "isbn": "i1", title: name});
    match operation.contains("works") {
        true => data(json!({"works": [book("Nets"), book("Ropes"), book("Nets")], "newest": book("Nets")})),
        false => data(json!({"newest": book("Nets")})),
    }
}

async fn ask(archive: Resolve, query: &str) -> (Value, Vec<String>) {
    played::ask(LIBRARY, &[("shop", shop), ("archive", archive)], query, &Grants::default()).await
}

#[tokio::test]
async fn what_differs_between_places_still_does_when_an_entity_is_laid_over_them() {
    let archive: Resolve = |_, _| data(json!({"_entities": [{"__typename": "Book", "pages": 7}]}));
    let (answer, asked) = ask(archive, "{ works { ... on Book { title pages } } }").await;
    let book = |title: &str| json!({"title": title, "pages": 7});
    assert_eq!(answer, json!({"data": {"works": [book("Nets"), book("Ropes"), book("Nets")]}}));
    assert_eq!(asked[1].matches("\"i1\"").count(), 1, "{asked:?}");
}

#[tokio::test]
async fn each_place_shows_what_is_selected_there() {
    let query = "{ works { ... on Book { pages } } newest { isbn blurb } }";
    let archive: Resolve = |operation, _| {
        let entity = json!([{"__typename": "Book", "pages": 7, "blurb": "Archived."}]);
        match operation.contains("_e0") {
            true => data(json!({"_e0": entity, "_e1": entity})),
            false => data(json!({"_entities": entity})),
        }
    };
    let (answer, _) = ask(archive, query).await;
    assert_eq!(answer["data"]["works"], json!([{"pages": 7}, {"pages": 7}, {"pages": 7}]));
    assert_eq!(answer["data"]["newest"], json!({"isbn": "i1", "blurb": "Archived."}));
}

#[tokio::test]
async fn a_wrong_value_of_an_entity_is_told_of_at_each_of_its_places() {
    let archive: Resolve = |_, _| data(json!({"_entities": [{"__typename": "Book", "pages": "seven"}]}));
    let (answer, _) = ask(archive, "{ works { ... on Book { isbn pages } } }").await;
    let paths: Vec<_> =
        answer["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
    let place = |index: usize| json!(["works", index, "pages"]);
    assert_eq!(paths, [place(0), place(1), place(2)]);
    assert_eq!(answer["data"]["works"][2], json!({"isbn": "i1", "pages": null}));
}
