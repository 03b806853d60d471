//! The door alone: any supergraph, anybody's subgraphs, somebody else's tokens.

mod replacement;
mod subgraphs;
mod tokens;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pratu::alone::{JwksSource, Options, TokenOptions};
use pratu::config::{Limits, Unauthorized};
use pratu::{Config, Server, StartError};
use serde_json::{Value, json};

use crate::installation::client;
use tokens::Issuer;

fn supergraph() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("alone/supergraph.graphql")
}

/// A door over both subgraphs, as `pratu gateway` opens it.
struct Door {
    url: String,
    http: reqwest::Client,
    _server: Server,
}

impl Door {
    async fn open(config: Config, options: Options) -> Self {
        let (shelf, stars) = subgraphs::serve().await;
        let subgraphs =
            BTreeMap::from([("shelf".to_owned(), vec![shelf]), ("stars".to_owned(), vec![stars])]);
        Self::over(config, Options { subgraphs, ..options }).await
    }

    async fn over(config: Config, options: Options) -> Self {
        Self::open_over(config, Options { supergraph: supergraph(), introspection: true, ..options }).await
    }

    /// The same over another supergraph.
    async fn open_over(config: Config, options: Options) -> Self {
        let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..config };
        let server = Server::start_alone(config, &options).await.unwrap();
        Self { url: format!("http://{}/graphql", server.address), http: client(), _server: server }
    }

    fn asking(&self, query: &str) -> reqwest::RequestBuilder {
        self.http.post(&self.url).json(&json!({ "query": query }))
    }

    async fn ask(&self, query: &str) -> Value {
        sent(self.asking(query)).await
    }

    async fn ask_with(&self, token: &str, query: &str) -> Value {
        sent(self.asking(query).bearer_auth(token)).await
    }
}

async fn sent(request: reqwest::RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

const OPEN: &str = "{ books { title stars } }";
const GUARDED: &str = "{ books { id notes price } }";

async fn start_error(options: Options) -> String {
    let error = match Server::start_alone(Config::default(), &options).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    };
    assert!(matches!(error, StartError::Alone(_)));
    error.to_string()
}

#[tokio::test]
async fn what_the_schema_leaves_open_needs_no_login() {
    let door = Door::open(Config::default(), Options::default()).await;
    let expected =
        json!({"data": {"books": [{"title": "Nets", "stars": 5}, {"title": "Tides", "stars": null}]}});
    assert_eq!(door.ask(OPEN).await, expected);
    // Nobody's tokens are taken here, so one changes nothing.
    assert_eq!(door.ask_with("whatever", OPEN).await, expected);
    let guarded = door.ask(GUARDED).await;
    assert_eq!(guarded["data"]["books"][0], json!({"id": "1", "notes": null, "price": null}));
    assert_eq!(guarded["errors"][0]["extensions"]["code"], "UNAUTHORIZED_FIELD_OR_TYPE", "{guarded}");
}

#[tokio::test]
async fn tokens_of_a_known_issuer_open_what_the_schema_guards() {
    let issuer = Issuer::new("https://login.example", "books");
    let keys = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(keys.path(), issuer.jwks()).unwrap();
    let tokens = TokenOptions {
        jwks: JwksSource::File(keys.path().to_owned()),
        issuer: "https://login.example".into(),
        audience: "books".into(),
    };
    let door = Door::open(Config::default(), Options { tokens: Some(tokens), ..Options::default() }).await;

    let plain = door.ask_with(&issuer.token(json!({})), GUARDED).await;
    assert_eq!(plain["data"]["books"][0], json!({"id": "1", "notes": "Torn cover.", "price": null}));
    for scopes in [json!({"scope": "a prices:read"}), json!({"scp": ["prices:read"]})] {
        let reader = door.ask_with(&issuer.token(scopes), GUARDED).await;
        assert_eq!(reader["data"]["books"][0]["price"], 120, "{reader}");
    }
    assert_eq!(door.ask(OPEN).await["data"]["books"][0]["stars"], 5);

    let stranger = Issuer::new("https://login.example", "books");
    let refused = [
        issuer.token(json!({"aud": "films"})),
        issuer.token(json!({"iss": "https://elsewhere.example"})),
        issuer.token(json!({"exp": 1_000_000_000})),
        issuer.token(json!({"nbf": 4_000_000_000_i64})),
        issuer.token_without("exp"),
        issuer.token_without("aud"),
        issuer.unsigned(),
        stranger.token(json!({})),
        "nonsense".to_owned(),
    ];
    for token in refused {
        let answer = door.asking(OPEN).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{token}");
        assert!(answer.headers().contains_key("www-authenticate"));
    }
}

/// This issuer's tokens, its keys at an address.
async fn taken(issuer: &Issuer) -> TokenOptions {
    let address = subgraphs::serve_text(issuer.jwks()).await;
    TokenOptions {
        jwks: JwksSource::Url(address.parse().unwrap()),
        issuer: "https://login.example".into(),
        audience: "books".into(),
    }
}

#[tokio::test]
async fn keys_are_fetched_from_an_address() {
    let issuer = Issuer::new("https://login.example", "books");
    let options = Options { tokens: Some(taken(&issuer).await), ..Options::default() };
    let door = Door::open(Config::default(), options).await;
    let answer = door.ask_with(&issuer.token(json!({})), GUARDED).await;
    assert_eq!(answer["data"]["books"][1]["notes"], "Reads well.", "{answer}");
}

#[tokio::test]
async fn only_named_headers_reach_the_subgraphs() {
    let forward = vec!["x-tenant".parse().unwrap()];
    let named = Door::open(Config::default(), Options { forward, ..Options::default() }).await;
    let silent = Door::open(Config::default(), Options::default()).await;
    for (door, tenant) in [(named, json!("north")), (silent, Value::Null)] {
        let answer = sent(door.asking("{ tenant }").header("x-tenant", "north")).await;
        assert_eq!(answer["data"]["tenant"], tenant, "{answer}");
    }
}

#[tokio::test]
async fn cookies_and_what_describes_a_connection_are_not_to_be_forwarded() {
    for name in ["cookie", "content-length", "transfer-encoding", "connection", "host", "accept-encoding"] {
        let options =
            Options { supergraph: supergraph(), forward: vec![name.parse().unwrap()], ..Options::default() };
        assert!(start_error(options).await.contains(name), "{name}");
    }
}

#[tokio::test]
async fn who_logged_in_elsewhere_has_seats_of_their_own() {
    let issuer = Issuer::new("https://login.example", "books");
    let limits =
        Limits { subscriptions_per_person_max: 1, subscriptions_per_address_max: 1, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let door = Door::open(config, Options { tokens: Some(taken(&issuer).await), ..Options::default() }).await;
    let open = async |subject: &str| {
        let get = door.http.get(&door.url).header("connection", "upgrade").header("upgrade", "websocket");
        let get =
            get.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").header("sec-websocket-version", "13");
        let get = get.header("sec-websocket-protocol", "graphql-transport-ws");
        get.bearer_auth(issuer.token(json!({"sub": subject}))).send().await.unwrap()
    };
    let (first, second) = (open("a").await, open("b").await);
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (101, 101));
    assert_eq!(open("a").await.status(), 429);
}

#[tokio::test]
async fn a_dead_subgraph_costs_its_own_fields() {
    let (shelf, _) = subgraphs::serve().await;
    // Port 1 is nobody's.
    let nobody = || "http://127.0.0.1:1/".to_owned();
    let subgraphs =
        BTreeMap::from([("shelf".to_owned(), vec![nobody(), shelf]), ("stars".to_owned(), vec![nobody()])]);
    let door = Door::over(Config::default(), Options { subgraphs, ..Options::default() }).await;
    let answer = door.ask("{ books { title stars } tenant }").await;
    assert_eq!(answer["data"]["books"][0], json!({"title": "Nets", "stars": null}));
    let codes: Vec<_> =
        answer["errors"].as_array().unwrap().iter().map(|it| &it["extensions"]["code"]).collect();
    assert!(!codes.is_empty() && codes.iter().all(|code| *code == "UNAVAILABLE"), "{answer}");
    assert!(!answer.to_string().contains("127.0.0.1"), "{answer}");
    // It is left alone now, and clients learn when to come back.
    let again = door.ask("{ books { title stars } }").await;
    assert_eq!(again["data"]["books"][0], json!({"title": "Nets", "stars": null}));
    assert_eq!(again["errors"][0]["extensions"]["retryAfter"], 1, "{again}");
}

#[tokio::test]
async fn a_setting_refuses_the_whole_of_what_is_not_allowed_in_part() {
    let config = Config { unauthorized: Unauthorized::RefuseAll, ..Config::default() };
    let door = Door::open(config, Options::default()).await;
    let answer = door.ask(GUARDED).await;
    assert_eq!(answer.get("data"), None, "{answer}");
    assert_eq!(answer["errors"][0]["path"], json!(["books", "notes"]), "{answer}");
    assert_eq!(door.ask(OPEN).await["data"]["books"][0]["title"], "Nets");
}

#[tokio::test]
async fn what_cannot_be_served_is_said_at_the_start() {
    let options = Options { supergraph: supergraph(), ..Options::default() };
    // This supergraph does not say where its subgraphs are.
    assert!(start_error(options.clone()).await.contains("shelf"));
    let subgraphs = BTreeMap::from([("cellar".to_owned(), vec!["http://127.0.0.1:1/".to_owned()])]);
    assert!(start_error(Options { subgraphs, ..options }).await.contains("cellar"));
    let missing = Options { supergraph: "nowhere.graphql".into(), ..Options::default() };
    assert!(start_error(missing).await.contains("nowhere.graphql"));
}
