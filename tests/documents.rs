//! Our own clients' documents: each is valid, can be planned, and is named like its file.

use std::path::Path;

use graphql_tools::parser::query::{Definition, OperationDefinition};

use crate::person::document;

/// Every document of `graphql/operations`: its name and text.
pub fn all() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphql/operations");
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let names = files.map(|file| file.expect("a file").path().file_stem().expect("a name").to_owned());
    let mut names: Vec<String> = names.map(|name| name.into_string().expect("UTF-8")).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), document(&name))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_of_ours_is_valid_and_named_like_its_file() {
    let place = crate::installation::Installation::start().await;
    let nobody = crate::person::Person::nobody(&place);
    let all = all();
    assert!(all.len() >= 20);
    for (name, text) in all {
        let parsed = graphql_tools::parser::parse_query::<&str>(&text).expect("it parses");
        let operations = parsed.definitions.iter().filter_map(|definition| match definition {
            Definition::Operation(OperationDefinition::Query(query)) => query.name,
            Definition::Operation(OperationDefinition::Mutation(mutation)) => mutation.name,
            Definition::Operation(OperationDefinition::Subscription(subscription)) => subscription.name,
            _ => None,
        });
        assert_eq!(operations.collect::<Vec<_>>(), [name.as_str()]);
        // Without variables a valid document is refused for its variables or runs; never for itself.
        let answer = nobody.query(&text, serde_json::json!({})).await;
        let codes = answer["errors"].as_array().cloned().unwrap_or_default();
        for error in codes {
            let code = error["extensions"]["code"].as_str().unwrap_or_default().to_owned();
            assert!(!code.starts_with("GRAPHQL_") && code != "INTERNAL_SERVER_ERROR", "{name}: {error}");
        }
    }
}
