//! The public door lets in what it should: known documents, at a bearable cost, from whom and as much as agreed.

mod cost;
mod documents;
mod origins;
mod overload;
mod production;
mod quotas;

use serde_json::{Value, json};

use crate::installation::Installation;

/// What sends a request with these parameters.
fn asking(place: &Installation, parameters: &Value) -> reqwest::RequestBuilder {
    place.http.post(format!("{}/graphql", place.url)).json(parameters)
}

async fn ask(place: &Installation, parameters: &Value) -> Value {
    asking(place, parameters).send().await.unwrap().json().await.unwrap()
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

fn typename() -> Value {
    json!({"data": {"__typename": "Query"}})
}
