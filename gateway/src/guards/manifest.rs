//! Manifests of trusted documents, as clients' tools write them.

use serde::Deserialize;
use serde_json::{Map, Value};

/// What Apollo's tools write in the head of theirs.
const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";
const APOLLO_VERSION: u64 = 1;

/// One document by the id its client uses for it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    pub id: String,
    #[serde(rename = "body")]
    pub text: String,
}

#[derive(Deserialize)]
struct Apollo {
    format: String,
    version: u64,
    operations: Vec<Entry>,
}

/// Reads a manifest of Apollo iOS or Kotlin (an object with `operations`), or of Relay (texts by their MD5).
pub fn read(text: &str) -> Result<Vec<Entry>, String> {
    let manifest: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("it is not a JSON object: {error}"))?;
    if manifest.get("operations").is_some_and(Value::is_array) {
        let apollo: Apollo = serde_json::from_value(Value::Object(manifest))
            .map_err(|error| format!("it is not a manifest of Apollo's: {error}"))?;
        if (apollo.format.as_str(), apollo.version) != (APOLLO_FORMAT, APOLLO_VERSION) {
            return Err(format!("its format {:?} version {} is not known", apollo.format, apollo.version));
        }
        return Ok(apollo.operations);
    }
    let entry = |(id, text): (String, Value)| match text {
        Value::String(text) => Ok(Entry { id, text }),
        _ => Err(format!("{id:?} is no text of a document")),
    };
    manifest.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, text: &str) -> Entry {
        Entry { id: id.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn both_forms_are_read() {
        let apollo = r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations":
            [{"id": "1", "name": "A", "type": "query", "body": "query A { a }", "clientName": "ios"}]}"#;
        assert_eq!(read(apollo), Ok(vec![entry("1", "query A { a }")]));
        let relay = r#"{"0123456789abcdef0123456789abcdef": "query B { b }"}"#;
        assert_eq!(read(relay), Ok(vec![entry("0123456789abcdef0123456789abcdef", "query B { b }")]));
        assert_eq!(read("{}"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_a_reason() {
        for text in [
            "",
            "[]",
            r#"{"a": 1}"#,
            r#"{"operations": [{"id": "1"}]}"#,
            r#"{"format": "other", "version": 1, "operations": []}"#,
            r#"{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}"#,
        ] {
            assert!(read(text).is_err_and(|reason| !reason.is_empty()), "{text}");
        }
    }
}
