//! `/graphiql`: the schema to click through, with a login of its own; sandbox only.
//!
//! The page is ours; GraphiQL itself comes from `make graphiql` (npm packages that need no bundler)
//! or, where that was not run, from its CDN.

use std::path::Path;

use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_http::services::ServeDir;

const PAGE: &str = include_str!("graphiql.html");
const CDN: [(&str, &str); 4] = [
    ("react.js", "https://unpkg.com/react@18.3.1/umd/react.production.min.js"),
    ("react-dom.js", "https://unpkg.com/react-dom@18.3.1/umd/react-dom.production.min.js"),
    ("graphiql.js", "https://unpkg.com/graphiql@3.8.3/graphiql.min.js"),
    ("graphiql.css", "https://unpkg.com/graphiql@3.8.3/graphiql.min.css"),
];

/// The journey as tabs to click through: a document of ours each, and variables to fill in.
const JOURNEY: [(&str, &str); 14] = [
    (
        include_str!("../../graphql/operations/FindServices.graphql"),
        r#"{"search":"ขายอาหาร","area":"1201","first":3}"#,
    ),
    (include_str!("../../graphql/operations/ServiceGuide.graphql"), r#"{"code":"LAO-01"}"#),
    (include_str!("../../graphql/operations/Viewer.graphql"), "{}"),
    (
        include_str!("../../graphql/operations/StartApplication.graphql"),
        r#"{"input":{"idempotencyKey":"start-1","offeringId":"from FindServices","partyId":"from Viewer"}}"#,
    ),
    (
        include_str!("../../graphql/operations/SaveApplicationDraft.graphql"),
        r#"{"input":{"idempotencyKey":"save-1","applicationId":"from StartApplication","revision":1,"answers":{
        "shop_name":"ครัวคุณสมชาย","food_kind":"cooked","premises_address":"99/1 ถนนทดสอบ ตำบลสวนใหญ่",
        "floor_area_m2":42.5,"seats":20,"phone":"0812345678"}}}"#,
    ),
    (
        include_str!("../../graphql/operations/StartEvidenceUpload.graphql"),
        r#"{"input":{"idempotencyKey":"map-1","applicationId":"","evidenceCode":"map","fileName":"map.png",
        "mediaType":"image/png","sizeBytes":68}}"#,
    ),
    (
        include_str!("../../graphql/operations/SubmitApplication.graphql"),
        r#"{"input":{"idempotencyKey":"submit-1","applicationId":"","revision":2}}"#,
    ),
    (include_str!("../../graphql/operations/ApplicationDetail.graphql"), r#"{"id":""}"#),
    (include_str!("../../graphql/operations/ApplicationEvents.graphql"), r#"{"id":"","after":0}"#),
    (include_str!("../../graphql/operations/OfficerQueue.graphql"), "{}"),
    (
        include_str!("../../graphql/operations/TakeApplication.graphql"),
        r#"{"input":{"idempotencyKey":"take-1","applicationId":""}}"#,
    ),
    (
        include_str!("../../graphql/operations/ApproveApplication.graphql"),
        r#"{"input":{"idempotencyKey":"approve-1","applicationId":"","reason":"ครบถ้วน"}}"#,
    ),
    (
        include_str!("../../graphql/operations/StartPayment.graphql"),
        r#"{"input":{"idempotencyKey":"pay-1","billId":"from ApplicationDetail","method":"G_WALLET"}}"#,
    ),
    (include_str!("../../graphql/operations/BillDetail.graphql"), r#"{"id":""}"#),
];

pub fn routes(assets: &Path) -> Router {
    let page = if assets.join("graphiql.js").is_file() { PAGE.to_owned() } else { from_cdn() };
    let tabs = JOURNEY.map(|(query, variables)| json!({ "query": query, "variables": spread(variables) }));
    Router::new()
        .route("/graphiql", get(move || async move { Html(page) }))
        .route("/graphiql/journey.json", get(move || async move { Json(tabs) }))
        .nest_service("/graphiql/assets", ServeDir::new(assets))
}

/// Variables laid out for people.
fn spread(variables: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(variables).ok();
    parsed.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_default()
}

fn from_cdn() -> String {
    CDN.iter().fold(PAGE.to_owned(), |page, (file, address)| {
        page.replace(&format!("/graphiql/assets/{file}"), address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tab_has_variables_that_are_json() {
        for (query, variables) in JOURNEY {
            assert!(spread(variables).starts_with('{'), "{query}");
        }
    }
}
