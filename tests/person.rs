//! One person with a device: logs in as a persona, asks the graph, reads its events.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::installation::Installation;

const CITIZEN_SCOPES: &str =
    "openid offline_access profile:read applications:read applications:write payments:read payments:write";
const OFFICER_SCOPES: &str = "openid offline_access cases:read cases:write catalogue:edit books:read books:write people:erase switches:write";

/// A first-party client and how it comes back from login.
#[derive(Clone, Copy)]
struct Client {
    id: &'static str,
    redirect_uri: &'static str,
    scopes: &'static str,
}

const APP: Client = Client { id: "mobile-app", redirect_uri: "app.pratu:/callback", scopes: CITIZEN_SCOPES };
const DESK: Client =
    Client { id: "officer-desk", redirect_uri: "http://127.0.0.1/callback", scopes: OFFICER_SCOPES };

/// How to log in.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    pub persona: &'a str,
    pub provider: &'a str,
    pub acr_values: Option<&'a str>,
}

/// Somebody who asks, with the tokens of their login; nobody when there are none.
pub struct Person<'a> {
    place: &'a Installation,
    pub token: Option<String>,
    pub refresh_token: Option<String>,
}

impl<'a> Person<'a> {
    pub fn nobody(place: &'a Installation) -> Self {
        Self { place, token: None, refresh_token: None }
    }

    /// A citizen who logs in with a mobile app, by the authorization code flow.
    pub async fn citizen(place: &'a Installation, persona: &str, provider: &str) -> Self {
        let login = Login { persona, provider, acr_values: None };
        Self::log_in(place, APP, login).await.expect("the login goes through")
    }

    /// A citizen's login that may be refused; the error is the OAuth error code.
    pub async fn try_citizen(place: &'a Installation, login: Login<'_>) -> Result<Self, String> {
        Self::log_in(place, APP, login).await
    }

    /// A citizen whose token has only `scopes`.
    pub async fn citizen_with_scopes(place: &'a Installation, persona: &str, scopes: &'static str) -> Self {
        let login = Login { persona, provider: "thaid", acr_values: None };
        Self::log_in(place, Client { scopes, ..APP }, login).await.expect("the login goes through")
    }

    /// An officer at their desk.
    pub async fn officer(place: &'a Installation, persona: &str) -> Self {
        let login = Login { persona, provider: "thaid", acr_values: None };
        Self::log_in(place, DESK, login).await.expect("the login goes through")
    }

    pub async fn try_officer(place: &'a Installation, persona: &str) -> Result<Self, String> {
        Self::log_in(place, DESK, Login { persona, provider: "thaid", acr_values: None }).await
    }

    async fn log_in(place: &'a Installation, client: Client, login: Login<'_>) -> Result<Self, String> {
        let verifier = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", client.id),
            ("redirect_uri", client.redirect_uri),
            ("scope", client.scopes),
            ("state", "the-state"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("provider", login.provider),
        ];
        query.extend(login.acr_values.map(|values| ("acr_values", values)));
        let start = Url::parse_with_params(&format!("{}/oauth/authorize", place.url), &query).expect("a URL");
        let answer = Browser::new(place).walk(start, login.persona).await;
        let parameters: HashMap<String, String> = answer.query_pairs().into_owned().collect();
        assert_eq!(parameters.get("state").map(String::as_str), Some("the-state"), "{answer}");
        if let Some(error) = parameters.get("error") {
            return Err(error.clone());
        }
        assert_eq!(parameters.get("iss"), Some(&place.url), "RFC 9207");
        let form = [
            ("grant_type", "authorization_code"),
            ("code", parameters["code"].as_str()),
            ("redirect_uri", client.redirect_uri),
            ("client_id", client.id),
            ("code_verifier", verifier.as_str()),
        ];
        let tokens = place.http.post(format!("{}/oauth/token", place.url)).form(&form).send().await;
        let tokens = tokens.expect("the token endpoint answers");
        assert_eq!(tokens.status(), StatusCode::OK);
        let tokens: Value = tokens.json().await.expect("tokens are JSON");
        let text = |name: &str| tokens[name].as_str().map(str::to_owned);
        Ok(Self { place, token: text("access_token"), refresh_token: text("refresh_token") })
    }

    /// Sends a document of `graphql/operations` and gives the whole answer.
    pub async fn send(&self, operation: &str, variables: Value) -> Value {
        let request =
            json!({ "query": document(operation), "operationName": operation, "variables": variables });
        self.post(&request).await.json().await.expect("the answer is JSON")
    }

    /// Like [`Self::send`], where nothing may go wrong: gives `data`.
    pub async fn ask(&self, operation: &str, variables: Value) -> Value {
        let mut answer = self.send(operation, variables).await;
        assert!(answer.get("errors").is_none(), "{operation}: {answer}");
        answer["data"].take()
    }

    /// Sends any document.
    pub async fn query(&self, query: &str, variables: Value) -> Value {
        let answer = self.post(&json!({ "query": query, "variables": variables })).await;
        answer.json().await.expect("the answer is JSON")
    }

    async fn post(&self, request: &Value) -> Response {
        let mut post = self.place.http.post(format!("{}/graphql", self.place.url)).json(request);
        if let Some(token) = &self.token {
            post = post.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        post.send().await.expect("the gateway answers")
    }

    /// Opens a subscription and reads events until `enough`.
    pub async fn events(
        &self,
        operation: &str,
        variables: Value,
        enough: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let request =
            json!({ "query": document(operation), "operationName": operation, "variables": variables });
        let mut post = self.place.http.post(format!("{}/graphql", self.place.url)).json(&request);
        post = post.header(ACCEPT, "text/event-stream");
        if let Some(token) = &self.token {
            post = post.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = post.send().await.expect("the gateway answers");
        assert_eq!(response.status(), StatusCode::OK);
        let mut stream = response.bytes_stream();
        let (mut text, mut events) = (Vec::new(), Vec::new());
        while !enough(&events) {
            let bytes = tokio::time::timeout(std::time::Duration::from_secs(20), stream.next()).await;
            let bytes = bytes.unwrap_or_else(|_| panic!("no more events came after {events:#?}"));
            let Some(bytes) = bytes else { break };
            text.extend_from_slice(&bytes.expect("the stream holds"));
            events = next_events(&text);
        }
        events
    }

    /// Opens a subscription that is to be refused; gives the first answer, in whatever form it comes.
    pub async fn refused_subscription(&self, operation: &str, variables: Value) -> Value {
        let request =
            json!({ "query": document(operation), "operationName": operation, "variables": variables });
        let mut post = self.place.http.post(format!("{}/graphql", self.place.url)).json(&request);
        post = post.header(ACCEPT, "text/event-stream");
        if let Some(token) = &self.token {
            post = post.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = post.send().await.expect("the gateway answers");
        if response.status() != StatusCode::OK {
            return response.json().await.expect("a refusal is JSON");
        }
        let text = response.text().await.expect("the stream ends");
        next_events(text.as_bytes()).into_iter().next().expect("an event says why")
    }

    /// Uploads a file to the address that `startEvidenceUpload` gave.
    pub async fn upload(&self, address: &str, media_type: &str, file: Vec<u8>) -> StatusCode {
        let put = self.place.http.put(address).header("content-type", media_type).body(file);
        put.send().await.expect("the upload is answered").status()
    }

    /// Fetches something with the bearer token.
    pub async fn get(&self, address: &str) -> Response {
        let get = self.place.http.get(address);
        let token = self.token.clone().unwrap_or_default();
        get.header(AUTHORIZATION, format!("Bearer {token}")).send().await.expect("it answers")
    }
}

/// The document of one of our own clients' operations.
pub fn document(operation: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphql/operations");
    let file = folder.join(format!("{operation}.graphql"));
    std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("there is no {}", file.display()))
}

fn next_events(text: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(text);
    let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
    let frames = whole.split("\n\n").filter(|frame| frame.starts_with("event: next"));
    let data = frames.filter_map(|frame| frame.lines().find_map(|line| line.strip_prefix("data: ")));
    data.map(|data| serde_json::from_str(data).expect("an event is JSON")).collect()
}

/// A browser that goes through login pages by itself, with cookies.
pub struct Browser<'a> {
    place: &'a Installation,
    cookies: HashMap<String, String>,
    /// Every address it came by: none may show who the person is.
    pub visited: Vec<String>,
}

impl<'a> Browser<'a> {
    pub fn new(place: &'a Installation) -> Self {
        Self { place, cookies: HashMap::new(), visited: Vec::new() }
    }

    /// Follows redirects and picks `persona` on the provider's page, until the client's own address.
    pub async fn walk(&mut self, start: Url, persona: &str) -> Url {
        let mut next = start;
        for _ in 0..12 {
            self.visited.push(next.to_string());
            let get = self.place.http.get(next.clone()).header(COOKIE, self.cookie_header());
            let mut response = get.send().await.expect("the page comes");
            self.keep_cookies(&response);
            if response.status() == StatusCode::OK && next.path().contains("/sandbox/idp/") {
                let post = self.place.http.post(next.clone()).form(&[("persona", persona)]);
                response = post.send().await.expect("the provider answers");
            }
            let status = response.status();
            let Some(location) = response.headers().get(LOCATION) else {
                let page = response.text().await.unwrap_or_default();
                panic!("{status} without a way on at {next}: {page}");
            };
            let location = location.to_str().expect("addresses are ASCII");
            next = next.join(location).expect("a URL");
            if !next.as_str().starts_with(&self.place.url) {
                self.visited.push(next.to_string());
                return next;
            }
        }
        panic!("the login goes round in circles at {next}");
    }

    fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn keep_cookies(&mut self, response: &Response) {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap_or_default();
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
