//! People with sessions, before the load begins: they log in through the sandbox, as a mobile app does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use url::Url;

use crate::operation::Token;

const SCOPES: &str =
    "openid offline_access profile:read applications:read applications:write payments:read payments:write";
const CLIENT_ID: &str = "mobile-app";
const REDIRECT_URI: &str = "app.pratu:/callback";
/// Tokens live for five minutes.
const RENEW_EVERY: Duration = Duration::from_secs(180);
/// Pages of one login at most.
const PAGES_MAX: usize = 12;
/// Citizens of the sandbox whose logins go through at the level that filing needs.
pub const PERSONAS: [&str; 6] = ["somchai", "malee", "prasert", "duangjai", "din", "somsak"];

/// An installation that is set up over its own public door.
#[derive(Clone)]
pub struct Place {
    pub url: String,
    pub http: reqwest::Client,
}

/// Somebody who is logged in.
#[derive(Clone)]
pub struct Person {
    pub token: Token,
    access: Arc<Mutex<String>>,
    refresh: Arc<Mutex<String>>,
    /// The person as an applicant.
    pub party: String,
}

impl Person {
    pub async fn log_in(place: &Place, persona: &str) -> anyhow::Result<Self> {
        let verifier = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let query = [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", REDIRECT_URI),
            ("scope", SCOPES),
            ("state", "load"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("provider", "thaid"),
        ];
        let start = Url::parse_with_params(&format!("{}/oauth/authorize", place.url), &query)?;
        let back = walk(place, start, persona).await?;
        let given: HashMap<String, String> = back.query_pairs().into_owned().collect();
        let code =
            given.get("code").with_context(|| format!("the login of {persona} came back as {back}"))?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", CLIENT_ID),
            ("code_verifier", verifier.as_str()),
        ];
        let (access, refresh) = tokens(place, &form).await?;
        let mut person = Self {
            token: Token::new(&access),
            access: Arc::new(Mutex::new(access)),
            refresh: Arc::new(Mutex::new(refresh)),
            party: String::new(),
        };
        let viewer = person.ask(place, "{ viewer { parties { id } } }", json!({})).await?;
        let party = viewer["viewer"]["parties"][0]["id"].as_str().context("nobody is logged in")?;
        party.clone_into(&mut person.party);
        Ok(person)
    }

    /// Takes new tokens; requests on their way go on with the old one.
    pub async fn renew(&self, place: &Place) -> anyhow::Result<()> {
        let mut refresh = self.refresh.lock().await;
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("client_id", CLIENT_ID)];
        let (access, next) = tokens(place, &form).await?;
        *refresh = next;
        self.token.renew(&access);
        *self.access.lock().await = access;
        Ok(())
    }

    /// Asks the graph; errors are errors.
    pub async fn ask(&self, place: &Place, document: &str, variables: Value) -> anyhow::Result<Value> {
        let bearer = format!("Bearer {}", self.access.lock().await);
        let body = json!({ "query": document, "variables": variables });
        let post = place.http.post(format!("{}/graphql", place.url)).header(AUTHORIZATION, bearer);
        let mut answer: Value = post.json(&body).send().await?.json().await?;
        ensure!(answer.get("errors").is_none(), "the graph answered {answer}");
        Ok(answer["data"].take())
    }
}

/// Renews everyone's tokens until it is dropped with the load.
pub async fn keep_logged_in(place: &Place, people: &[Person]) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        for person in people {
            if let Err(error) = person.renew(place).await {
                eprintln!("a token was not renewed: {error:#}");
            }
        }
    }
}

/// Asks as nobody.
pub async fn ask_as_nobody(place: &Place, document: &str, variables: Value) -> anyhow::Result<Value> {
    let body = json!({ "query": document, "variables": variables });
    let mut answer: Value =
        place.http.post(format!("{}/graphql", place.url)).json(&body).send().await?.json().await?;
    ensure!(answer.get("errors").is_none(), "the graph answered {answer}");
    Ok(answer["data"].take())
}

async fn tokens(place: &Place, form: &[(&str, &str)]) -> anyhow::Result<(String, String)> {
    let answer = place.http.post(format!("{}/oauth/token", place.url)).form(form).send().await?;
    let status = answer.status();
    let tokens: Value = answer.json().await?;
    ensure!(status == StatusCode::OK, "no tokens: {tokens}");
    let text = |name: &str| tokens[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    Ok((text("access_token")?, text("refresh_token")?))
}

/// A browser's way through the login pages, to the address of the app.
async fn walk(place: &Place, start: Url, persona: &str) -> anyhow::Result<Url> {
    let mut cookies: HashMap<String, String> = HashMap::new();
    let mut next = start;
    for _ in 0..PAGES_MAX {
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut response = place.http.get(next.clone()).header(COOKIE, pairs.join("; ")).send().await?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if response.status() == StatusCode::OK && next.path().contains("/sandbox/idp/") {
            response = place.http.post(next.clone()).form(&[("persona", persona)]).send().await?;
        }
        let Some(location) = response.headers().get(LOCATION) else {
            bail!("{} at {next}: the login does not go on", response.status());
        };
        next = next.join(location.to_str()?)?;
        if !next.as_str().starts_with(&place.url) {
            return Ok(next);
        }
    }
    bail!("the login goes round in circles at {next}")
}
