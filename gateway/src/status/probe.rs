//! Asks each part of the system one cheap thing that anybody could ask, within a short time.

use std::time::Duration;

use auth::Principal;
use database::Database;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use graphql::LocalizedText;

use crate::config::Role;
use crate::graph::OwnGraph;
use crate::peers::Peers;

/// How long a part may take before it is down, and before it is slow.
const TIMEOUT: Duration = Duration::from_millis(2_000);
const SLOW: Duration = Duration::from_millis(1_000);
/// Closed services whose titles are looked up.
const TITLES_MAX: usize = 50;

const FINDING: &str = "{ publicServices(first: 1) { nodes { code } } }";
const LOGGING_IN: &str =
    "{ identityProviders { code name { th en } availability { open text { th en } closesAt opensAt } } }";
const FILING: &str = "{ serviceClosures { publicService { code } \
                      availability { open text { th en } closesAt opensAt } } }";
const PAYING: &str = "{ paymentMethods { method availability { open text { th en } closesAt opensAt } } }";
const TITLE: &str = "query($code: String!) { publicService(code: $code) { title { th en } } }";

/// What a part answered, and whether in good time.
pub struct Answer<T> {
    pub said: T,
    pub slow: bool,
}

/// What each part answered; none where it did not.
pub struct Found {
    pub finding: Option<Answer<()>>,
    pub logging_in: Option<Answer<Vec<Provider>>>,
    pub filing: Option<Answer<Vec<Closed>>>,
    pub paying: Option<Answer<Vec<Method>>>,
}

/// How something that can be closed stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    pub open: bool,
    pub text: Option<LocalizedText>,
    pub closes_at: Option<String>,
    pub opens_at: Option<String>,
}

#[derive(Deserialize)]
pub struct Provider {
    pub code: String,
    pub name: LocalizedText,
    pub availability: Availability,
}

#[derive(Deserialize)]
pub struct Method {
    pub method: String,
    pub availability: Availability,
}

/// A public service that is closed or going to be.
pub struct Closed {
    pub code: String,
    pub title: LocalizedText,
    pub availability: Availability,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Closure {
    public_service: Code,
    availability: Availability,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Asks all parts at once.
pub async fn all(graph: &OwnGraph, peers: &Peers, databases: &[(&'static str, Database)]) -> Found {
    let ask = |role, document| ask(graph, peers, databases, role, document);
    let (finding, logging_in, filing, paying) = futures::join!(
        ask(Role::Catalogue, FINDING),
        ask(Role::Identity, LOGGING_IN),
        ask(Role::Applications, FILING),
        ask(Role::Payments, PAYING),
    );
    let filing = match read::<Vec<Closure>>(filing, "serviceClosures") {
        Some(Answer { said, slow }) => Some(Answer { said: with_titles(graph, said).await, slow }),
        None => None,
    };
    Found {
        finding: read::<Value>(finding, "publicServices")
            .map(|Answer { slow, .. }| Answer { said: (), slow }),
        logging_in: read(logging_in, "identityProviders"),
        filing,
        paying: read(paying, "paymentMethods"),
    }
}

/// The answer of one part; none when it failed, took too long, or its database is away: what is closed is
/// answered from memory then, and nothing else would be.
async fn ask(
    graph: &OwnGraph,
    peers: &Peers,
    databases: &[(&'static str, Database)],
    role: Role,
    document: &'static str,
) -> Option<Answer<Value>> {
    let asked_at = tokio::time::Instant::now();
    let answer = async {
        for (_, database) in databases.iter().filter(|(name, _)| *name == role.name()) {
            database.ping().await.ok()?;
        }
        if !peers.is_ready(role).await {
            return None;
        }
        graph.ask(&Principal::Nobody, document.to_owned(), json!({})).await.ok()
    };
    let said = tokio::time::timeout(TIMEOUT, answer).await.ok().flatten()?;
    Some(Answer { said, slow: asked_at.elapsed() > SLOW })
}

fn read<T: DeserializeOwned>(answer: Option<Answer<Value>>, field: &str) -> Option<Answer<T>> {
    let Answer { mut said, slow } = answer?;
    let said = serde_json::from_value(said.get_mut(field)?.take()).ok()?;
    Some(Answer { said, slow })
}

/// Titles are the catalogue's: when it is away, the code says it.
async fn with_titles(graph: &OwnGraph, closures: Vec<Closure>) -> Vec<Closed> {
    let titled = closures.into_iter().take(TITLES_MAX).map(|closure| async move {
        let code = closure.public_service.code;
        let asked = graph.ask(&Principal::Nobody, TITLE.to_owned(), json!({ "code": code }));
        let answer = tokio::time::timeout(TIMEOUT, asked).await.ok().and_then(Result::ok);
        let title = answer.and_then(|mut answer| {
            serde_json::from_value(answer.pointer_mut("/publicService/title")?.take()).ok()
        });
        let title = title.unwrap_or_else(|| LocalizedText { th: code.clone(), en: None });
        Closed { code, title, availability: closure.availability }
    });
    futures::future::join_all(titled).await
}
