//! Logging in at npm's oidc-provider: a provider that other people wrote, and ways to betray it.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Mutex;

use reqwest::StatusCode;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use url::Url;

use super::{PROGRAM_S_MAX, folder, installed};
use crate::installation::Installation;

const SECRET: &str = "a-secret-between-pratu-and-its-provider";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-rfc-7636-to-accept";
const APP: &str = "http://127.0.0.1:49300/callback";

/// oidc-provider in a process of its own, registered under one of our provider codes.
struct Provider {
    issuer: String,
    code: &'static str,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    process: Child,
}

impl Provider {
    /// Starts one that speaks like ThaID (claims in the ID token) or DGA (a hashed secret, claims in
    /// userinfo), and an installation that knows it under that code besides the sandbox's other one.
    async fn beside(place: &mut Installation, code: &'static str, how: Value) -> Self {
        installed().await;
        let mut node = Command::new("node");
        node.arg("provider.mjs").current_dir(folder()).kill_on_drop(true);
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = node.spawn().expect("node is there");
        let input = process.stdin.take().expect("it was asked for");
        let output = BufReader::new(process.stdout.take().expect("it was asked for")).lines();
        let mut provider = Self { issuer: String::new(), code, input, output, process };
        let mut settings = json!({
            "redirectUri": format!("{}/oauth/callback/{code}", place.url),
            "secret": SECRET, "inIdToken": code == "thaid", "requireAuthTime": true,
        });
        settings.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
        provider.tell(settings).await;
        let sandbox = |path: &str| format!("{}/sandbox/{path}", place.url);
        let name = json!({"th": "ผู้ให้บริการ", "en": "Provider"});
        let entry = |entry: &str| match entry == code {
            true => json!({
                "code": entry, "adapter": entry, "name": name,
                "issuer": provider.issuer, "client_id": "pratu", "client_secret": SECRET,
            }),
            false => json!({
                "code": entry, "adapter": entry, "name": name,
                "issuer": sandbox(&format!("idp/{entry}")), "client_id": "pratu",
                "client_secret": "sandbox-idp-secret",
            }),
        };
        let identity = json!({
            "providers": [entry("thaid"), entry("dga")],
            "registry": {"url": sandbox("registry"), "secret": "sandbox-registry-secret"},
        });
        let identity = serde_json::from_value(identity).expect("settings of identity");
        place.restart_with(|config| config.identity = Some(identity)).await;
        provider
    }

    /// Changes how it behaves; returns when it does.
    async fn tell(&mut self, change: Value) {
        self.input.write_all(format!("{change}\n").as_bytes()).await.expect("it lives");
        let line = tokio::time::timeout(PROGRAM_S_MAX, self.output.next_line()).await;
        let line = line.expect("it answers in time").expect("its output is text").expect("it lives");
        let told: Value = serde_json::from_str(&line).expect("a line of JSON");
        self.issuer = told["issuer"].as_str().expect("its address").to_owned();
    }
}

/// A browser with an app that listens at a loopback port.
struct Browser<'a> {
    place: &'a Installation,
    provider: &'a Provider,
    cookies: Mutex<HashMap<String, String>>,
}

impl<'a> Browser<'a> {
    fn new(place: &'a Installation, provider: &'a Provider) -> Self {
        Self { place, provider, cookies: Mutex::default() }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, cookies.join("; ")).send().await.expect("an answer");
        for line in answer.headers().get_all(SET_COOKIE) {
            let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.lock().unwrap().insert(name.into(), value.into());
        }
        answer
    }

    async fn open(&self, url: &Url) -> reqwest::Response {
        self.send(self.place.http.get(url.clone())).await
    }

    /// Begins a login; where our door sends the browser.
    async fn begin(&self, extra: &[(&str, &str)]) -> reqwest::Response {
        let challenge = base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            Sha256::digest(VERIFIER),
        );
        let asked = [
            ("client_id", "mobile-app"),
            ("redirect_uri", APP),
            ("response_type", "code"),
            ("scope", "openid profile:read"),
            ("state", "the-state"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("provider", self.provider.code),
        ];
        let all = asked.iter().chain(extra);
        let start = Url::parse_with_params(&format!("{}/oauth/authorize", self.place.url), all).unwrap();
        self.open(&start).await
    }

    /// Logs in as somebody (nobody: cancels) at an authorization address of the provider; the address
    /// with which it sends the browser back to us.
    async fn at_provider(&self, start: Url, login: Option<&str>) -> Url {
        let mut next = start;
        for _ in 0..8 {
            let answer = if next.path().starts_with("/interaction/") {
                let form: Vec<_> = login.map(|login| ("login", login)).into_iter().collect();
                self.send(self.place.http.post(next.clone()).form(&form)).await
            } else {
                self.open(&next).await
            };
            next = way_on(&next, answer).await;
            if next.as_str().starts_with(&self.place.url) {
                return next;
            }
        }
        panic!("the login goes round in circles at {next}")
    }

    /// Begins, and comes back from the provider: our callback's address, not yet opened.
    async fn callback(&self, login: Option<&str>, extra: &[(&str, &str)]) -> Url {
        self.callback_of(login, extra, |_| {}).await
    }

    /// The same with the address changed on its way to the provider.
    async fn callback_of(
        &self,
        login: Option<&str>,
        extra: &[(&str, &str)],
        change: impl Fn(&mut HashMap<String, String>),
    ) -> Url {
        let begun = self.begin(extra).await;
        let start = way_on(&Url::parse(&self.place.url).unwrap(), begun).await;
        self.at_provider(changed(&start, change), login).await
    }

    /// What our callback tells the app.
    async fn come_back(&self, callback: &Url) -> HashMap<String, String> {
        let back = way_on(callback, self.open(callback).await).await;
        assert!(back.as_str().starts_with(APP), "{back}");
        let told: HashMap<String, String> = back.query_pairs().into_owned().collect();
        assert_eq!((told["state"].as_str(), &told["iss"]), ("the-state", &self.place.url));
        assert_ne!(told.contains_key("code"), told.contains_key("error"), "{told:?}");
        told
    }

    async fn log_in(&self, login: &str, extra: &[(&str, &str)]) -> Result<Value, String> {
        let told = self.come_back(&self.callback(Some(login), extra).await).await;
        let Some(code) = told.get("code") else { return Err(told["error"].clone()) };
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", APP),
            ("client_id", "mobile-app"),
            ("code_verifier", VERIFIER),
        ];
        let tokens = self.place.http.post(format!("{}/oauth/token", self.place.url)).form(&form).send().await;
        let tokens: Value = tokens.unwrap().json().await.unwrap();
        let query =
            json!({"query": "{ viewer { identityAssuranceLevel citizen { id nameTh } parties { id } } }"});
        let ask = self.place.http.post(format!("{}/graphql", self.place.url));
        let ask = ask.bearer_auth(tokens["access_token"].as_str().unwrap()).json(&query);
        let viewer: Value = ask.send().await.unwrap().json().await.unwrap();
        let payload = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
        let payload =
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        Ok(json!({"viewer": viewer["data"]["viewer"], "claims": claims}))
    }
}

async fn way_on(from: &Url, answer: reqwest::Response) -> Url {
    let Some(location) = answer.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned()) else {
        panic!("{} at {from}: {}", answer.status(), answer.text().await.unwrap_or_default());
    };
    from.join(&location).unwrap()
}

fn changed(url: &Url, change: impl Fn(&mut HashMap<String, String>)) -> Url {
    let mut pairs: HashMap<String, String> = url.query_pairs().into_owned().collect();
    change(&mut pairs);
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs);
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_at_oidc_provider_in_thaids_way_and_in_dgas() {
    let mut place = Installation::start().await;
    let thaid = Provider::beside(&mut place, "thaid", json!({})).await;
    let seen = Browser::new(&place, &thaid).log_in("somchai", &[]).await.unwrap();
    assert!(seen["viewer"]["citizen"]["nameTh"].as_str().unwrap().contains("สมชาย"), "{seen}");
    assert_eq!(seen["claims"]["acr"], "urn:th:ial:2.3:aal:2.2", "{seen}");
    assert_eq!(seen["viewer"]["parties"].as_array().unwrap().len(), 2, "the registry was asked: {seen}");

    let dga = Provider::beside(&mut place, "dga", json!({})).await;
    let again = Browser::new(&place, &dga).log_in("somchai", &[]).await.unwrap();
    assert_eq!(again["claims"]["sub"], seen["claims"]["sub"], "one person, two providers: {again}");
    let fresh = Browser::new(&place, &dga).log_in("malee", &[("max_age", "60")]).await.unwrap();
    assert_ne!(fresh["claims"]["sub"], seen["claims"]["sub"], "{fresh}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_replayed_or_changed_on_its_way_is_no_login() {
    let mut place = Installation::start().await;
    let provider = Provider::beside(&mut place, "thaid", json!({})).await;
    let browser = Browser::new(&place, &provider);
    let cancelled = browser.callback(None, &[]).await;
    assert_eq!(browser.come_back(&cancelled).await["error"], "access_denied");
    assert_eq!(browser.open(&cancelled).await.status(), StatusCode::BAD_REQUEST, "a state is used once");

    let first = browser.callback(Some("somchai"), &[]).await;
    let code = first.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert!(browser.come_back(&first).await.contains_key("code"));
    assert_eq!(browser.open(&first).await.status(), StatusCode::BAD_REQUEST, "replayed as it was");
    let second = browser.callback(Some("somchai"), &[]).await;
    let replayed = changed(&second, |query| {
        query.insert("code".into(), code.clone());
    });
    assert_eq!(browser.come_back(&replayed).await["error"], "access_denied", "an old code, a fresh state");

    for (name, value) in
        [("nonce", "another"), ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    {
        let tampered = |query: &mut HashMap<String, String>| {
            query.insert(name.into(), value.into());
        };
        let callback = browser.callback_of(Some("somchai"), &[], tampered).await;
        assert_eq!(browser.come_back(&callback).await["error"], "access_denied", "{name}");
    }
    // It names itself in every answer, and says so: one without the name is not its.
    for issuer in [None, Some("https://elsewhere.example")] {
        let callback = changed(&browser.callback(Some("somchai"), &[]).await, |query| {
            query.remove("iss");
            query.extend(issuer.map(|issuer| ("iss".to_owned(), issuer.to_owned())));
        });
        assert_eq!(browser.come_back(&callback).await["error"], "access_denied", "{issuer:?}");
    }
    assert!(browser.log_in("somchai", &[]).await.is_ok(), "and an honest one still goes through");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_keys_may_change_and_its_clock_may_be_a_minute_wrong() {
    let mut place = Installation::start().await;
    let mut provider = Provider::beside(&mut place, "thaid", json!({})).await;
    assert!(Browser::new(&place, &provider).log_in("somchai", &[]).await.is_ok());
    provider.tell(json!({"rotate": true})).await;
    // Its keys are asked for at most once a minute.
    place.pass(61).await;
    provider.tell(json!({"skewS": 61})).await;
    assert!(Browser::new(&place, &provider).log_in("somchai", &[]).await.is_ok(), "the new key");

    // Its ID tokens hold for an hour: one of two hours ago has expired.
    for (skew_s, goes) in [(61 + 50, true), (61 + 75, false), (61 - 300, true), (61 - 7_300, false)] {
        provider.tell(json!({"skewS": skew_s})).await;
        let login = Browser::new(&place, &provider).log_in("somchai", &[]).await;
        assert_eq!(login.is_ok(), goes, "{skew_s}: {login:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_up_brings_the_same_person_back_at_the_level_asked_for_or_nobody() {
    let mut place = Installation::start().await;
    let mut provider = Provider::beside(&mut place, "thaid", json!({})).await;
    provider.tell(json!({"levels": {"acr": "urn:th:ial:2.3:aal:2.1", "ial": "2.3"}})).await;
    let low = Browser::new(&place, &provider).log_in("somchai", &[]).await.unwrap();
    let session = low["claims"]["sid"].as_str().unwrap();
    let high = [("step_up_of", session), ("acr_values", "urn:th:ial:2.3:aal:2.2")];
    let still_low = Browser::new(&place, &provider).log_in("somchai", &high).await;
    assert_eq!(still_low.unwrap_err(), "unmet_authentication_requirements");
    provider.tell(json!({"levels": {"acr": "urn:th:ial:2.3:aal:2.2", "ial": "2.3"}})).await;
    let swapped = Browser::new(&place, &provider).log_in("malee", &high).await;
    assert_eq!(swapped.unwrap_err(), "access_denied");
    let same = Browser::new(&place, &provider).log_in("somchai", &high).await.unwrap();
    assert_eq!(same["claims"]["sub"], low["claims"]["sub"]);
    assert_eq!(same["claims"]["acr"], "urn:th:ial:2.3:aal:2.2");
    let ended = Browser::new(&place, &provider).begin(&high).await;
    let back = ended.headers()[LOCATION].to_str().unwrap();
    assert!(
        back.starts_with(APP) && back.contains("error=invalid_request"),
        "that session was replaced: {back}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_calls_itself_otherwise_or_is_gone_is_503_and_the_other_goes_on() {
    let mut place = Installation::start().await;
    let mut provider = Provider::beside(&mut place, "thaid", json!({})).await;
    let elsewhere = provider.issuer.replace("127.0.0.1", "localhost");
    provider.tell(json!({"issuer": elsewhere})).await;
    let wrong = Browser::new(&place, &provider).begin(&[]).await;
    assert_eq!(wrong.status(), StatusCode::SERVICE_UNAVAILABLE);

    let mut place = Installation::start().await;
    let mut provider = Provider::beside(&mut place, "dga", json!({})).await;
    let callback = Browser::new(&place, &provider).callback(Some("somchai"), &[]).await;
    provider.process.kill().await.unwrap();
    let gone = Browser::new(&place, &provider).open(&callback).await;
    assert_eq!(gone.status(), StatusCode::SERVICE_UNAVAILABLE);
    let page = Browser::new(&place, &provider).begin(&[]).await;
    // What it published is known, so the person is sent there; a fresh installation would not.
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    place.restart().await;
    let page = Browser::new(&place, &provider).begin(&[]).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().await.unwrap().contains("provider=thaid"));
    let other = crate::person::Person::citizen(&place, "somchai", "thaid").await;
    assert!(other.token.is_some());
}
