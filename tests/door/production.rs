//! A door in production, as it is when its operator says nothing of it: closed to what it does not know.

use pratu::{Config, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::code;
use crate::installation::client;
use crate::person::document;

const PUBLIC_URL: &str = "https://pratu.example.go.th";
const INTROSPECTION: &str = "query Schema { __schema { types { name } } }";
const MISSPELLED: &str = "query Misspelled { publicServicez { nodes { code } } }";
/// All that production asks of its operator, and nothing about the door but which documents are known.
const SETTINGS: &str = r#"
    listen = "127.0.0.1:0"
    public_url = "https://pratu.example.go.th"
    environment = "production"
    sealing_key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

    [[identity.providers]]
    code = "thaid"
    adapter = "thaid"
    name = { th = "ไทยดี", en = "ThaID" }
    issuer = "https://id.example.go.th"
    client_id = "pratu"
    client_secret = "of-the-provider"

    [identity.registry]
    url = "https://registry.example.go.th"
    secret = "of-the-registry"

    [payments.scb]
    base_url = "https://bank.example"
    application_key = "of-the-bank"
    application_secret = "of-the-bank-too"

    [payments.gwallet]
    base_url = "https://wallet.example"
    api_key = "of-the-wallet"
    webhook_secret = "whsec_cHJvZHVjdGlvbi13YWxsZXQtd2ViaG9vaw=="
"#;

struct Production {
    server: Server,
    url: String,
    http: reqwest::Client,
    _data: tempfile::TempDir,
}

impl Production {
    async fn start() -> Self {
        let data = tempfile::TempDir::new().unwrap();
        let manifest = data.path().join("app.json");
        std::fs::write(&manifest, json!({"schema": INTROSPECTION, "typo": MISSPELLED}).to_string()).unwrap();
        let mut config: Config = toml::from_str(SETTINGS).unwrap();
        config.data = data.path().to_owned();
        config.door.documents.manifests = vec![manifest];
        let server = Server::start(config).await.unwrap();
        let url = format!("http://{}", server.address);
        Self { server, url, http: client(), _data: data }
    }

    async fn ask(&self, parameters: Value) -> Value {
        let asked = self.http.post(format!("{}/graphql", self.url)).json(&parameters);
        asked.send().await.unwrap().json().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_nothing_is_open_that_nobody_opened() {
    let place = Production::start().await;
    let unknown = "{ __typename }";
    assert_eq!(code(&place.ask(json!({"query": unknown})).await), "QUERY_NOT_IN_SAFELIST");
    let by_hash = super::documents::persisted(unknown);
    let registering = place.ask(json!({"query": unknown, "extensions": by_hash})).await;
    assert_eq!(code(&registering), "QUERY_NOT_IN_SAFELIST");
    assert_eq!(code(&place.ask(json!({"extensions": by_hash})).await), "PERSISTED_QUERY_NOT_FOUND");

    let schema = place.ask(json!({"documentId": "schema"})).await;
    assert_eq!(code(&schema), "GRAPHQL_VALIDATION_FAILED", "{schema}");
    let typo = place.ask(json!({"id": "typo"})).await;
    assert_eq!(code(&typo), "GRAPHQL_VALIDATION_FAILED", "{typo}");
    assert!(!typo.to_string().contains("Did you mean") && !typo.to_string().contains("publicServices"));

    for path in ["/graphiql", "/sandbox", "/sandbox/clock", "/sandbox/idp/thaid/authorize"] {
        let answer = place.http.get(format!("{}{path}", place.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    place.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_our_own_documents_are_answered_and_their_askers_counted() {
    let place = Production::start().await;
    let find = json!({"query": document("FindServices"), "variables": {"first": 1, "area": "1201"}});
    let asked = place.http.post(format!("{}/graphql", place.url)).json(&find);
    let answer = asked.header("origin", PUBLIC_URL).send().await.unwrap();
    let headers = answer.headers().clone();
    assert_eq!(headers["ratelimit-limit"], "60000");
    assert!(headers.contains_key("strict-transport-security"));
    assert_eq!(headers["access-control-allow-origin"], PUBLIC_URL);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["data"]["publicServices"]["nodes"], json!([]), "{answer}");

    let preflight = place.http.request(Method::OPTIONS, format!("{}/graphql", place.url));
    let preflight = preflight.header("origin", "http://localhost:5173");
    let preflight = preflight.header("access-control-request-method", "POST").send().await.unwrap();
    assert!(!preflight.headers().contains_key("access-control-allow-origin"));
    place.server.stop().await;
}
