//! A provider of our own that misbehaves on demand: for what no honest program can be set up to do.
//!
//! It is no measure of how real providers behave; npm `oidc-provider` is the independent one
//! (`tests/interoperability`).

use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clock::Clock;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::pkcs8::EncodePrivateKey;
use serde_json::{Value, json};
use url::Url;

use super::driver::{App, Browser, World, location};

pub const SOMCHAI: &str = "1100100001015";
pub const MALEE: &str = "1500100004045";

/// How an ID token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// As it should be.
    Published,
    /// With a key that is not among the published, under the id of one that is.
    OtherKey,
    /// With a key that is published from now on only.
    Rotated,
    /// `alg: none`.
    None,
    /// With the client secret.
    Secret,
    /// With the text of the published key, as if it were a secret.
    PublicKeyAsSecret,
    /// Somebody changed the claims afterwards.
    Tampered,
}

type Change = Box<dyn Fn(&mut Value) + Send>;
type Whole = Box<dyn Fn() -> Response + Send>;

/// What it does wrong now.
struct Conduct {
    signature: Signature,
    claims: Change,
    discovery: Change,
    jwks: Change,
    userinfo: Change,
    /// What the token endpoint answers instead of tokens.
    token: Option<Whole>,
    /// No request is answered until this many have been made; they hang.
    hangs: bool,
    person: (&'static str, &'static str),
}

struct Inner {
    issuer: String,
    clock: Clock,
    conduct: Mutex<Conduct>,
    asked: Mutex<Vec<&'static str>>,
    /// The last token request: its `Authorization` and its form.
    redeemed: Mutex<(String, Value)>,
    keys: Mutex<Vec<Key>>,
}

#[derive(Clone)]
struct Key {
    signing: EncodingKey,
    public: Jwk,
}

/// The provider. Cloning shares it.
#[derive(Clone)]
pub struct Rogue(Arc<Inner>);

impl Rogue {
    /// Starts it, well-behaved for now.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let conduct = Conduct {
            signature: Signature::Published,
            claims: Box::new(|_| {}),
            discovery: Box::new(|_| {}),
            jwks: Box::new(|_| {}),
            userinfo: Box::new(|_| {}),
            token: None,
            hangs: false,
            person: ("subject-of-somchai", SOMCHAI),
        };
        let rogue = Self(Arc::new(Inner {
            issuer,
            clock: testkit::clock(),
            conduct: Mutex::new(conduct),
            asked: Mutex::default(),
            redeemed: Mutex::default(),
            keys: Mutex::new(vec![Key::fresh("one")]),
        }));
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(rogue.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        rogue
    }

    /// An installation whose ThaID it is.
    pub async fn world(&self) -> World {
        self.world_with(|_| {}).await
    }

    pub async fn world_with(&self, change: impl FnOnce(&mut identity::Config)) -> World {
        let issuer = self.0.issuer.clone();
        World::open(testkit::TestDatabase::sqlite(), |config| {
            config.providers[0].issuer = issuer;
            change(config);
        })
        .await
    }

    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Its own clock: moving it makes it fast.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub fn sign(&self, signature: Signature) {
        if signature == Signature::Rotated {
            *self.0.keys.lock().unwrap() = vec![Key::fresh("two")];
        }
        self.conduct(|conduct| conduct.signature = signature);
    }

    pub fn claims(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.conduct(|conduct| conduct.claims = Box::new(change));
    }

    pub fn discovery(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.conduct(|conduct| conduct.discovery = Box::new(change));
    }

    pub fn jwks(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.conduct(|conduct| conduct.jwks = Box::new(change));
    }

    pub fn userinfo(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.conduct(|conduct| conduct.userinfo = Box::new(change));
    }

    pub fn token(&self, answer: impl Fn() -> Response + Send + 'static) {
        self.conduct(|conduct| conduct.token = Some(Box::new(answer)));
    }

    pub fn hangs(&self, hangs: bool) {
        self.conduct(|conduct| conduct.hangs = hangs);
    }

    /// Who logs in next: subject and number.
    pub fn person(&self, subject: &'static str, pid: &'static str) {
        self.conduct(|conduct| conduct.person = (subject, pid));
    }

    /// How often one of its doors was knocked at.
    pub fn asked(&self, door: &str) -> usize {
        self.0.asked.lock().unwrap().iter().filter(|asked| **asked == door).count()
    }

    /// The last token request: its `Authorization` and its form.
    pub fn redeemed(&self) -> (String, Value) {
        self.0.redeemed.lock().unwrap().clone()
    }

    /// Begins a login in a browser and comes back from here; the callback address, not yet opened.
    pub async fn callback(&self, app: &App<'_>, browser: &Browser, extra: &[(&str, &str)]) -> Url {
        let extra: Vec<_> = extra.iter().copied().chain([("provider", "thaid")]).collect();
        let here = location(&browser.get(&app.authorize_url(&extra)).await);
        self.answer_to(&Url::parse(&here).unwrap())
    }

    /// What it answers to an authorization request: the code carries the nonce.
    pub fn answer_to(&self, request: &Url) -> Url {
        assert!(request.as_str().starts_with(self.issuer()), "{request}");
        let asked = |name: &str| request.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
        let answer = [("code", asked("nonce")), ("state", asked("state")), ("iss", self.issuer().into())];
        Url::parse_with_params(&asked("redirect_uri"), answer).unwrap()
    }

    fn conduct(&self, change: impl FnOnce(&mut Conduct)) {
        change(&mut self.0.conduct.lock().unwrap());
    }

    /// Notes the knock; hangs when it is to hang.
    async fn knocked(&self, door: &'static str) {
        self.0.asked.lock().unwrap().push(door);
        let hangs = self.0.conduct.lock().unwrap().hangs;
        if hangs {
            std::future::pending::<()>().await;
        }
    }

    fn id_token(&self, claims: &Value) -> String {
        let keys = self.0.keys.lock().unwrap().clone();
        let (header, key) = (keys[0].header(), &keys[0].signing);
        match self.0.conduct.lock().unwrap().signature {
            Signature::Published | Signature::Rotated => jsonwebtoken::encode(&header, claims, key).unwrap(),
            Signature::OtherKey => jsonwebtoken::encode(&header, claims, &Key::fresh("one").signing).unwrap(),
            Signature::None => {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(claims))
            }
            Signature::Secret => shared(claims, b"sandbox-idp-secret"),
            Signature::PublicKeyAsSecret => {
                shared(claims, serde_json::to_string(&keys[0].public).unwrap().as_bytes())
            }
            Signature::Tampered => {
                let token = jsonwebtoken::encode(&header, claims, key).unwrap();
                let parts: Vec<&str> = token.split('.').collect();
                let mut claims = claims.clone();
                claims["sub"] = json!("somebody-else");
                format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2])
            }
        }
    }
}

impl Key {
    fn fresh(id: &str) -> Self {
        let secret = loop {
            if let Ok(secret) = p256::SecretKey::from_slice(&rand::random::<[u8; 32]>()) {
                break secret;
            }
        };
        let pem = secret.to_pkcs8_pem(p256::pkcs8::LineEnding::LF).unwrap();
        let signing = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::ES256).unwrap();
        public.common.key_id = Some(id.into());
        Self { signing, public }
    }

    fn header(&self) -> Header {
        Header { kid: self.public.common.key_id.clone(), ..Header::new(Algorithm::ES256) }
    }
}

/// Signed with a shared secret.
fn shared(claims: &Value, secret: &[u8]) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret)).unwrap()
}

async fn discovery(State(rogue): State<Rogue>) -> Json<Value> {
    rogue.knocked("discovery").await;
    let issuer = rogue.issuer();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
    });
    (rogue.0.conduct.lock().unwrap().discovery)(&mut document);
    Json(document)
}

async fn jwks(State(rogue): State<Rogue>) -> Json<Value> {
    rogue.knocked("jwks").await;
    let keys: Vec<Jwk> = rogue.0.keys.lock().unwrap().iter().map(|key| key.public.clone()).collect();
    let mut document = json!({ "keys": keys });
    (rogue.0.conduct.lock().unwrap().jwks)(&mut document);
    Json(document)
}

async fn token(State(rogue): State<Rogue>, headers: HeaderMap, Form(form): Form<Value>) -> Response {
    rogue.knocked("token").await;
    let credentials = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    *rogue.0.redeemed.lock().unwrap() = (credentials.unwrap_or_default(), form.clone());
    if let Some(answer) = &rogue.0.conduct.lock().unwrap().token {
        return answer();
    }
    let now = rogue.0.clock.now().timestamp();
    let (subject, pid) = rogue.0.conduct.lock().unwrap().person;
    let mut claims = json!({
        "iss": rogue.issuer(), "aud": "pratu", "sub": subject, "nonce": form["code"],
        "iat": now, "exp": now + 300, "auth_time": now,
        "pid": pid, "name": "ทดสอบ", "ial": "2.3", "acr": "urn:th:ial:2.3:aal:2.2",
    });
    (rogue.0.conduct.lock().unwrap().claims)(&mut claims);
    let id_token = rogue.id_token(&claims);
    Json(json!({ "access_token": "at", "token_type": "Bearer", "id_token": id_token })).into_response()
}

async fn userinfo(State(rogue): State<Rogue>, headers: HeaderMap) -> Response {
    rogue.knocked("userinfo").await;
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != "Bearer at") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut told = json!({ "sub": rogue.0.conduct.lock().unwrap().person.0 });
    (rogue.0.conduct.lock().unwrap().userinfo)(&mut told);
    Json(told).into_response()
}
