//! Trusted documents by every name that clients give them, and those that clients register themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pratu::config::DocumentMode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ask, asking, code, typename};
use crate::filing::{key, parties};
use crate::installation::{Installation, eventually};
use crate::interoperability::socket::Socket;
use crate::person::{Person, document};

const TYPENAME: &str = "query Typename { __typename }";
const UNKNOWN: &str = "query Unknown { __typename }";

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn persisted(text: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash(text)}})
}

/// One with a manifest of each kind that names `TYPENAME`.
async fn with_manifests(mode: DocumentMode) -> Installation {
    let mut place = Installation::start().await;
    let folder = place.data().join("documents");
    std::fs::create_dir(&folder).unwrap();
    let apollo = json!({"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
        {"id": "apollo-id", "name": "Typename", "type": "query", "body": TYPENAME},
    ]});
    std::fs::write(folder.join("ios.json"), apollo.to_string()).unwrap();
    let relay = json!({"0123456789abcdef0123456789abcdef": TYPENAME});
    std::fs::write(folder.join("portal.json"), relay.to_string()).unwrap();
    place
        .restart_with(|config| {
            let documents = &mut config.door.documents;
            (documents.mode, documents.manifests, documents.poll_ms) = (Some(mode), vec![folder], 20);
        })
        .await;
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_document_is_known_by_every_name_that_clients_give_it() {
    let place = with_manifests(DocumentMode::Require).await;
    let prefixed = format!("sha256:{}", hash(TYPENAME));
    for parameters in [
        json!({"documentId": "apollo-id"}),
        json!({"documentId": prefixed}),
        json!({"doc_id": "0123456789abcdef0123456789abcdef"}),
        json!({"id": "0123456789abcdef0123456789abcdef", "variables": {}}),
        json!({"extensions": persisted(TYPENAME)}),
        json!({"query": TYPENAME, "extensions": persisted(TYPENAME)}),
        json!({"query": TYPENAME, "operationName": "Typename"}),
    ] {
        assert_eq!(ask(&place, &parameters).await, typename(), "{parameters}");
    }
    let extensions = persisted(TYPENAME).to_string();
    for query in [("documentId", prefixed.as_str()), ("extensions", &extensions)] {
        let get = place.http.get(format!("{}/graphql", place.url)).query(&[query]);
        assert_eq!(get.send().await.unwrap().json::<Value>().await.unwrap(), typename(), "{query:?}");
    }
    let mut socket = Socket::of(&place, &Person::nobody(&place)).await;
    socket.say(json!({"id": "1", "type": "subscribe", "payload": {"documentId": "apollo-id"}})).await;
    assert_eq!(socket.hear_of("next").await["payload"], typename());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_trusted_documents_are_required_nothing_else_is_answered() {
    let place = with_manifests(DocumentMode::Require).await;
    for (parameters, expected) in [
        (json!({"query": UNKNOWN}), "QUERY_NOT_IN_SAFELIST"),
        (json!({"query": format!("{TYPENAME} ")}), "QUERY_NOT_IN_SAFELIST"),
        (json!({"query": UNKNOWN, "extensions": persisted(UNKNOWN)}), "QUERY_NOT_IN_SAFELIST"),
        (json!({"extensions": persisted(UNKNOWN)}), "PERSISTED_QUERY_NOT_FOUND"),
        (json!({"documentId": "nothing"}), "PERSISTED_QUERY_NOT_FOUND"),
    ] {
        let answer = ask(&place, &parameters).await;
        assert_eq!(code(&answer), expected, "{parameters}: {answer}");
        assert!(answer.get("data").is_none());
    }
    let refused =
        asking(&place, &json!({"query": UNKNOWN})).header("accept", "application/graphql-response+json");
    assert_eq!(refused.send().await.unwrap().status(), 403);
    let mut socket = Socket::of(&place, &Person::nobody(&place)).await;
    socket.say(json!({"id": "1", "type": "subscribe", "payload": {"query": UNKNOWN}})).await;
    assert_eq!(socket.hear_of("error").await["payload"][0]["extensions"]["code"], "QUERY_NOT_IN_SAFELIST");

    // What our own clients ask is in the program, and what services ask of each other needs nobody's leave.
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    assert!(somchai.ask("Viewer", json!({})).await["viewer"]["citizen"].is_object());
    let found = somchai.ask("FindServices", json!({"search": "ขายอาหาร", "area": "1201", "first": 1})).await;
    let offering = &found["publicServices"]["nodes"][0]["offering"]["id"];
    let party = &parties(&somchai).await[0];
    let input = json!({"idempotencyKey": key(), "offeringId": offering, "partyId": party});
    let started = somchai.ask("StartApplication", json!({"input": input})).await;
    assert!(started["startApplication"]["application"]["id"].is_string(), "{started}");
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_are_read_again_when_they_change() {
    let place = with_manifests(DocumentMode::Require).await;
    let by_id = json!({"documentId": "later"});
    assert_eq!(code(&ask(&place, &by_id).await), "PERSISTED_QUERY_NOT_FOUND");
    let file = place.data().join("documents/android.json");
    std::fs::write(&file, json!({"later": UNKNOWN}).to_string()).unwrap();
    eventually("the new document", async || (ask(&place, &by_id).await == typename()).then_some(())).await;
    // A broken file takes nothing away.
    std::fs::write(&file, "{").unwrap();
    std::fs::write(place.data().join("documents/more.json"), json!({"more": UNKNOWN}).to_string()).unwrap();
    assert_eq!(ask(&place, &by_id).await, typename());
    std::fs::remove_file(&file).unwrap();
    eventually("the document to go", async || {
        (code(&ask(&place, &by_id).await) == "PERSISTED_QUERY_NOT_FOUND").then_some(())
    })
    .await;
    assert_eq!(ask(&place, &json!({"documentId": "more"})).await, typename());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_can_be_answered_and_counted_before_it_is_refused() {
    let place = with_manifests(DocumentMode::Log).await;
    let named = asking(&place, &json!({"query": UNKNOWN})).header("apollographql-client-name", "door-test");
    assert_eq!(named.send().await.unwrap().json::<Value>().await.unwrap(), typename());
    let logged = crate::installation::logged();
    assert!(logged.contains("a document that is not trusted") && logged.contains(&hash(UNKNOWN)));
    let metrics =
        place.http.get(format!("{}/metrics", place.url)).send().await.unwrap().text().await.unwrap();
    let counted = metrics.lines().find(|line| line.contains(r#"client="door-test",known="no""#));
    assert!(counted.is_some_and(|line| line.starts_with("graphql_documents_total") && line.ends_with(" 1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_trusted_documents_an_id_names_nothing() {
    let place = with_manifests(DocumentMode::Off).await;
    let answer = ask(&place, &json!({"documentId": "apollo-id"})).await;
    assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_SUPPORTED", "{answer}");
    assert_eq!(ask(&place, &json!({"query": UNKNOWN})).await, typename());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_registers_a_document_by_its_own_hash_only() {
    let place = Installation::start().await;
    let by_hash = json!({"extensions": persisted(UNKNOWN)});
    assert_eq!(code(&ask(&place, &by_hash).await), "PERSISTED_QUERY_NOT_FOUND");
    let stolen = json!({"query": TYPENAME, "extensions": persisted(UNKNOWN)});
    assert_eq!(code(&ask(&place, &stolen).await), "BAD_USER_INPUT");
    assert_eq!(code(&ask(&place, &by_hash).await), "PERSISTED_QUERY_NOT_FOUND");
    let both = json!({"query": UNKNOWN, "extensions": persisted(UNKNOWN)});
    assert_eq!(ask(&place, &both).await, typename());
    assert_eq!(ask(&place, &by_hash).await, typename());
    let both = json!({"query": UNKNOWN, "documentId": "x"});
    assert_eq!(code(&ask(&place, &both).await), "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_documents_are_asked_by_their_hash_in_an_address() {
    let place = Installation::start().await;
    let text = document("FindServices");
    let query = [
        ("documentId", format!("sha256:{}", hash(&text))),
        ("variables", json!({"first": 1, "area": "1201"}).to_string()),
    ];
    let get = place.http.get(format!("{}/graphql", place.url)).query(&query);
    let answer: Value = get.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["publicServices"]["nodes"].as_array().map(Vec::len), Some(1), "{answer}");
    // No other writing of the same bytes is its hash.
    let other = URL_SAFE_NO_PAD.encode(Sha256::digest(&text));
    let answer = ask(&place, &json!({"documentId": format!("sha256:{other}")})).await;
    assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND");
}
