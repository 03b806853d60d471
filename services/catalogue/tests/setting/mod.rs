//! A catalogue on each engine, filled with the files of this repository, and its door.
#![allow(dead_code, reason = "each test file uses what it needs")]

use async_graphql::{Request, Variables};
use auth::Principal;
use catalogue::Service;
use chassis::Environment;
use serde_json::Value;
use testkit::{Engines, TestDatabase};

/// A catalogue and the place it lives in.
pub struct Setting {
    pub place: TestDatabase,
    pub service: Service,
}

/// A catalogue with the embedded files on each engine that the machine has.
pub async fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    for place in Engines::all().await {
        let service = open(&place).await;
        service.apply_embedded().await.expect("the embedded files are published");
        settings.push(Setting { place, service });
    }
    settings
}

/// Opens the catalogue at `place`.
pub async fn open(place: &TestDatabase) -> Service {
    Service::open(&place.target, testkit::clock(), Environment::Sandbox).await.expect("the catalogue opens")
}

impl Setting {
    /// Asks through the door; errors fail the test.
    pub async fn ask(&self, document: &str, variables: Value) -> Value {
        let answer = self.answer(document, variables).await;
        assert_eq!(answer.get("errors"), None, "{} on {}", answer, self.place.engine);
        answer["data"].clone()
    }

    /// Asks through the door and returns data and errors.
    pub async fn answer(&self, document: &str, variables: Value) -> Value {
        let request = Request::new(document).variables(Variables::from_json(variables));
        serde_json::to_value(self.service.schema().execute(request).await).expect("an answer is JSON")
    }

    /// Asks as somebody; errors fail the test.
    pub async fn ask_as(&self, who: &Principal, document: &str, variables: Value) -> Value {
        let answer = self.answer_as(who, document, variables).await;
        assert_eq!(answer.get("errors"), None, "{} on {}", answer, self.place.engine);
        answer["data"].clone()
    }

    /// Asks as somebody and returns data and errors.
    pub async fn answer_as(&self, who: &Principal, document: &str, variables: Value) -> Value {
        let request = Request::new(document).variables(Variables::from_json(variables)).data(who.clone());
        serde_json::to_value(self.service.schema().execute(request).await).expect("an answer is JSON")
    }

    /// The codes found by a search, best first.
    pub async fn search(&self, search: &str) -> Vec<String> {
        let document =
            "query($search: String!) { publicServices(search: $search, first: 5) { nodes { code } } }";
        codes(&self.ask(document, serde_json::json!({ "search": search })).await["publicServices"]["nodes"])
    }
}

/// The codes of a list of objects.
pub fn codes(nodes: &Value) -> Vec<String> {
    let nodes = nodes.as_array().expect("a list");
    nodes.iter().map(|node| node["code"].as_str().expect("a code").to_owned()).collect()
}
