//! Logging in through the sandbox, as a mobile app does: authorization code with PKCE.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goose::goose::{GooseMethod, GooseRequest};
use goose::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::citizen::{ask, wrong};

const SCOPES: &str =
    "openid offline_access profile:read applications:read applications:write payments:read payments:write";
const REDIRECT_URI: &str = "app.pratu:/callback";
const PERSONAS: [&str; 6] = ["somchai", "malee", "prasert", "duangjai", "din", "somsak"];
const PAGES_MAX: usize = 12;
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// What one person keeps through the journey.
#[derive(Clone, Default)]
pub struct Session {
    pub token: String,
    refresh: String,
    pub party: String,
    pub offering: String,
    pub application: String,
}

/// Logs in as one of the personas, and learns what can be filed and for whom.
pub async fn log_in(user: &mut GooseUser) -> TransactionResult {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    user.set_client_builder(client.timeout(PAGE_TIMEOUT)).await?;
    let persona = PERSONAS[rand::random_range(0..PERSONAS.len())];
    let verifier = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let query = [
        ("response_type", "code"),
        ("client_id", "mobile-app"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", SCOPES),
        ("state", "load"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("provider", "thaid"),
    ];
    let start = user.build_url("/oauth/authorize")?;
    let start = Url::parse_with_params(&start, &query).map_err(wrong)?;
    let back = walk(user, start, persona).await?;
    let given: HashMap<String, String> = back.query_pairs().into_owned().collect();
    let code = given.get("code").ok_or_else(|| wrong(format!("the login came back as {back}")))?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", "mobile-app"),
        ("code_verifier", verifier.as_str()),
    ];
    let mut session = Session::default();
    take_tokens(user, &mut session, &form).await?;
    user.set_session_data(session);
    let viewer = ask(user, "Viewer", json!({}), "parties").await?;
    let party = text(&viewer["viewer"]["parties"][0]["id"])?;
    let found =
        ask(user, "FindServices", json!({ "search": "หนังสือรับรองบริษัท", "area": "1201" }), "nodes").await?;
    let nodes = found["publicServices"]["nodes"].as_array().cloned().unwrap_or_default();
    let node = nodes.iter().find(|node| node["code"] == "DBD-03").ok_or_else(|| wrong("no DBD-03"))?;
    let offering = text(&node["offering"]["id"])?;
    let session = user.get_session_data_mut::<Session>().ok_or_else(|| wrong("nobody is logged in"))?;
    (session.party, session.offering) = (party, offering);
    Ok(())
}

/// Takes new tokens: they live for five minutes, and each round of the journey begins with fresh ones.
pub async fn renew(user: &mut GooseUser) -> TransactionResult {
    let mut session =
        user.get_session_data::<Session>().cloned().ok_or_else(|| wrong("nobody is logged in"))?;
    let refresh = session.refresh.clone();
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("client_id", "mobile-app")];
    take_tokens(user, &mut session, &form).await?;
    user.set_session_data(session);
    Ok(())
}

pub fn text(value: &Value) -> Result<String, Box<TransactionError>> {
    value.as_str().map(str::to_owned).ok_or_else(|| wrong("a text is missing"))
}

async fn take_tokens(
    user: &mut GooseUser,
    session: &mut Session,
    form: &[(&str, &str)],
) -> TransactionResult {
    let builder = user.get_request_builder(&GooseMethod::Post, "/oauth/token")?.form(form);
    let request = GooseRequest::builder().method(GooseMethod::Post).path("/oauth/token").name("token");
    let answer = user.request(request.set_request_builder(builder).build()).await?;
    let tokens: Value = answer.response.map_err(wrong)?.json().await.map_err(wrong)?;
    session.token = text(&tokens["access_token"])?;
    session.refresh = text(&tokens["refresh_token"])?;
    Ok(())
}

/// Follows the pages by itself: each is short, and what counts is the time of the whole.
async fn walk(user: &GooseUser, start: Url, persona: &str) -> Result<Url, Box<TransactionError>> {
    let mut cookies: HashMap<String, String> = HashMap::new();
    let mut next = start;
    for _ in 0..PAGES_MAX {
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let page = user.client.get(next.clone()).header("cookie", pairs.join("; "));
        let mut response = page.send().await.map_err(wrong)?;
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if response.status().as_u16() == 200 && next.path().contains("/sandbox/idp/") {
            let post = user.client.post(next.clone()).form(&[("persona", persona)]);
            response = post.send().await.map_err(wrong)?;
        }
        let location = response.headers().get("location").and_then(|location| location.to_str().ok());
        let location = location.ok_or_else(|| wrong(format!("no way on at {next}")))?;
        next = next.join(location).map_err(wrong)?;
        if next.scheme() != "http" {
            return Ok(next);
        }
    }
    Err(wrong("the login goes round in circles"))
}
