//! What a subgraph is told when what one of its fields requires could not be had.

use federation::{Answer, Grants};
use serde_json::{Value, json};

use super::played::{self, data};

const SHOP: &str = include_str!("../fixtures/supergraph.graphql");

/// Of the second product the weight is known, but not the price.
fn products(_: &str, _: &[Value]) -> Answer {
    data(json!({"products": [
        {"__typename": "Product", "upc": "1", "price": 10, "weight": 0.5},
        {"__typename": "Product", "upc": "2", "weight": 0.7},
    ]}))
}

fn reviews(_: &str, representations: &[Value]) -> Answer {
    let entity = |told: &Value| {
        let shipping = told.get("price").map(|price| json!(format!("{price} baht")));
        json!({"__typename": "Product", "shipping": shipping, "rating": 5})
    };
    data(json!({"_entities": representations.iter().map(entity).collect::<Vec<_>>()}))
}

/// Fields of one subgraph are asked for together. To leave an entity out because one of them cannot be had would
/// take the others along.
#[tokio::test]
async fn a_field_that_needs_the_key_alone_is_answered_where_another_lacks_what_it_requires() {
    let query = "{ products { shipping rating } }";
    let accounts: played::Resolve = |operation, _| panic!("asked for {operation}");
    let parts = [("accounts", accounts), ("products", products), ("reviews", reviews)];
    let (answer, asked) = played::ask(SHOP, &parts, query, &Grants::default()).await;
    assert_eq!(
        answer["data"]["products"],
        json!([{"shipping": "10 baht", "rating": 5}, {"shipping": null, "rating": 5}]),
        "{asked:#?}"
    );
    assert_eq!(asked.len(), 2, "{asked:#?}");
}
