//! A running identity service with the sandbox beside it, browsers, and an app that logs in.

use std::net::SocketAddr;
use std::sync::Mutex;

use auth::{AccessTokenClaims, Principal};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clock::Clock;
use identity::{Config, Service};
use reqwest::{Response, StatusCode};
use sealing::{Keys, Sealer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use testkit::{Engines, TestDatabase};
use url::Url;

pub const VERIFIER: &str = "a-verifier-that-is-long-enough-for-rfc-7636-to-accept";
pub const SCOPE: &str =
    "openid profile:read applications:read applications:write payments:read payments:write";

/// One installation.
pub struct World {
    pub service: Service,
    pub clock: Clock,
    pub public_url: String,
    /// The sealing key.
    pub master: String,
    sealer: Sealer,
    config: Config,
    pub place: TestDatabase,
}

/// Worlds on every engine there is.
pub async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for place in Engines::all().await {
        worlds.push(World::open(place, |_| {}).await);
    }
    worlds
}

impl World {
    pub async fn open(place: TestDatabase, change: impl FnOnce(&mut Config)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = format!("http://{}", listener.local_addr().unwrap());
        let clock = testkit::clock();
        let settings = sandbox::Config { public_url: public_url.clone(), ..Default::default() };
        let sandbox = sandbox::Sandbox::open(&place.target, clock.clone(), settings).await.unwrap();
        let mut config = Config::sandbox(&public_url);
        change(&mut config);
        let master = Keys::generate();
        let sealer = Sealer::new(Keys::from_base64(&master).unwrap());
        let opened = Service::open(&place.target, clock.clone(), sealer.clone(), config.clone()).await;
        let service = opened.unwrap();
        let app = Router::new().nest("/sandbox", sandbox.routes()).merge(service.routes());
        tokio::spawn(async move {
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
        });
        Self { service, clock, public_url, master, sealer, config, place }
    }

    /// The service as another process finds it, after this one is gone.
    pub async fn reopened(&self) -> Service {
        self.service.database().close().await;
        let (sealer, config) = (self.sealer.clone(), self.config.clone());
        Service::open(&self.place.target, self.clock.clone(), sealer, config).await.unwrap()
    }

    /// Another process on the same database; `None` where only one may have it.
    pub async fn beside(&self) -> Option<Service> {
        if self.place.engine == "sqlite" {
            return None;
        }
        let (sealer, config) = (self.sealer.clone(), self.config.clone());
        Some(Service::open(&self.place.target, self.clock.clone(), sealer, config).await.unwrap())
    }

    /// Bytes in the log of its database; `None` where it is not a file beside it.
    pub fn log_bytes(&self) -> Option<u64> {
        let log = self.place.directory().join("identity.sqlite-wal");
        std::fs::metadata(log).map(|file| file.len()).ok()
    }

    pub fn portal(&self) -> App<'_> {
        App {
            world: self,
            client_id: "citizen-portal",
            redirect_uri: format!("{}/portal/callback", self.public_url),
        }
    }

    pub fn mobile(&self) -> App<'_> {
        App { world: self, client_id: "mobile-app", redirect_uri: "app.pratu:/callback".into() }
    }

    pub fn desk(&self) -> App<'_> {
        App { world: self, client_id: "officer-desk", redirect_uri: "http://127.0.0.1:51999/callback".into() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }
}

/// A browser: keeps cookies, follows nothing by itself.
pub struct Browser {
    http: reqwest::Client,
    cookies: Mutex<Vec<(String, String)>>,
}

impl Browser {
    pub fn new() -> Self {
        Self { http: chassis::http_client(std::time::Duration::from_secs(10)), cookies: Mutex::default() }
    }

    pub async fn get(&self, url: &str) -> Response {
        self.send(self.http.get(url)).await
    }

    pub async fn head(&self, url: &str) -> Response {
        self.send(self.http.head(url)).await
    }

    pub async fn post(&self, url: &str, form: &[(&str, &str)]) -> Response {
        self.send(self.http.post(url).form(form)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        let pairs: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("cookie", pairs.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            cookies.retain(|(known, _)| known != name);
            cookies.push((name.into(), value.into()));
        }
        response
    }
}

/// An app that logs people in.
pub struct App<'a> {
    pub world: &'a World,
    pub client_id: &'static str,
    pub redirect_uri: String,
}

impl App<'_> {
    /// The address the app opens in a browser.
    pub fn authorize_url(&self, extra: &[(&str, &str)]) -> String {
        let scope = if self.client_id == "officer-desk" { "openid cases:read cases:write" } else { SCOPE };
        let challenge = challenge(VERIFIER);
        let mut url = Url::parse(&self.world.url("/oauth/authorize")).unwrap();
        let base = [
            ("client_id", self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", scope),
            ("state", "the-apps-state"),
            ("nonce", "the-apps-nonce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        url.query_pairs_mut()
            .extend_pairs(base.iter().filter(|(name, _)| extra.iter().all(|(n, _)| n != name)));
        url.query_pairs_mut().extend_pairs(extra);
        url.into()
    }

    /// Goes through a whole login; the parameters that came back to the app.
    pub async fn authorize(&self, provider: &str, persona: &str, extra: &[(&str, &str)]) -> Returned {
        let browser = Browser::new();
        let callback = self.at_provider(&browser, provider, persona, extra).await;
        returned(&browser.get(&callback).await)
    }

    /// Goes as far as the provider's answer: the callback address.
    pub async fn at_provider(
        &self,
        browser: &Browser,
        provider: &str,
        persona: &str,
        extra: &[(&str, &str)],
    ) -> String {
        let extra: Vec<_> = extra.iter().copied().chain([("provider", provider)]).collect();
        let begun = browser.get(&self.authorize_url(&extra)).await;
        let at_provider = location(&begun);
        location(&browser.post(&at_provider, &[("persona", persona)]).await)
    }

    /// A whole login with its tokens.
    pub async fn log_in(&self, provider: &str, persona: &str) -> Tokens {
        let returned = self.authorize(provider, persona, &[]).await;
        self.redeem(returned.code()).await.unwrap()
    }

    pub async fn redeem(&self, code: &str) -> Result<Tokens, Value> {
        self.redeem_with(code, VERIFIER).await
    }

    pub async fn redeem_with(&self, code: &str, verifier: &str) -> Result<Tokens, Value> {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", verifier),
        ])
        .await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, Value> {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Result<Tokens, Value> {
        let form: Vec<_> = form.iter().copied().chain([("client_id", self.client_id)]).collect();
        let response = Browser::new().post(&self.world.url("/oauth/token"), &form).await;
        assert_eq!(response.headers()["cache-control"], "no-store");
        let ok = response.status() == StatusCode::OK;
        let body: Value = response.json().await.unwrap();
        if ok { Ok(Tokens { body }) } else { Err(body) }
    }
}

/// What a token request gave.
#[derive(Debug)]
pub struct Tokens {
    pub body: Value,
}

impl Tokens {
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap()
    }

    pub fn access(&self, world: &World) -> Result<(Principal, AccessTokenClaims), auth::TokenError> {
        world.service.verifier().verify(self.text("access_token"))
    }

    pub fn claims(&self, world: &World) -> AccessTokenClaims {
        self.access(world).unwrap().1
    }
}

/// The parameters of an authorization response.
#[derive(Debug)]
pub struct Returned {
    pub address: Url,
}

impl Returned {
    pub fn get(&self, name: &str) -> Option<String> {
        self.address.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }

    pub fn code(&self) -> &str {
        let pair = self.address.query().unwrap().split('&').find_map(|pair| pair.strip_prefix("code="));
        pair.unwrap_or_else(|| panic!("no code in {}", self.address))
    }

    pub fn error(&self) -> String {
        self.get("error").unwrap_or_else(|| panic!("no error in {}", self.address))
    }
}

pub fn returned(response: &Response) -> Returned {
    Returned { address: Url::parse(&location(response)).unwrap() }
}

pub fn location(response: &Response) -> String {
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{response:?}");
    response.headers()["location"].to_str().unwrap().to_owned()
}

pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}
