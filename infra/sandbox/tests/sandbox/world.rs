//! A running sandbox under `/sandbox`, and a merchant's callbacks that remember what they were told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use clock::Clock;
use database::Target;
use reqwest::{Client, RequestBuilder, Response};
use sandbox::{Config, Sandbox};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What arrived at `/callbacks/payments/{provider}`.
#[derive(Clone, Debug)]
pub struct Told {
    pub provider: String,
    pub headers: HeaderMap,
    pub body: String,
}

#[derive(Clone, Default)]
struct Callbacks {
    told: Arc<Mutex<Vec<Told>>>,
    /// How many calls to refuse first.
    refuse: Arc<Mutex<u32>>,
}

pub struct World {
    pub url: String,
    pub clock: Clock,
    pub client: Client,
    callbacks: Callbacks,
    server: JoinHandle<()>,
    sandbox: Sandbox,
}

impl World {
    pub async fn open(target: &Target) -> Self {
        let clock = testkit::clock();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = format!("http://{}", listener.local_addr().unwrap());
        let config = Config {
            public_url: public_url.clone(),
            confirmation_gap_ms: 20,
            confirmation_late_ms: 1_000,
            ..Config::default()
        };
        let sandbox = Sandbox::open(target, clock.clone(), config).await.unwrap();
        let callbacks = Callbacks::default();
        let router = Router::new()
            .route("/callbacks/payments/{provider}", post(remember))
            .with_state(callbacks.clone())
            .nest("/sandbox", sandbox.routes());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { url: public_url, clock, client, callbacks, server, sandbox }
    }

    /// Stops the server and closes the database, as a process that ends.
    pub async fn close(self) {
        self.server.abort();
        let _ = self.server.await;
        self.sandbox.database().close().await;
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}/sandbox{path}", self.url)
    }

    pub fn refuse_callbacks(&self, times: u32) {
        *self.callbacks.refuse.lock().unwrap() = times;
    }

    /// Waits until `count` confirmations arrived, then a little longer to see that no more do.
    pub async fn told(&self, count: usize) -> Vec<Told> {
        for _ in 0..200 {
            if self.callbacks.told.lock().unwrap().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
        self.callbacks.told.lock().unwrap().clone()
    }

    /// A request to the bank, with a fresh token.
    pub async fn bank(&self, request: RequestBuilder) -> (u16, Value) {
        let credentials =
            json!({ "applicationKey": "sandbox-bank-key", "applicationSecret": "sandbox-bank-secret" });
        let answer =
            self.client.post(self.at("/bank/v1/oauth/token")).json(&credentials).send().await.unwrap();
        let token = json_of(answer).await.1["data"]["accessToken"].as_str().unwrap().to_owned();
        json_of(request.bearer_auth(token).send().await.unwrap()).await
    }

    pub async fn bank_post(&self, path: &str, body: Value) -> (u16, Value) {
        self.bank(self.client.post(self.at(path)).json(&body)).await
    }

    pub async fn bank_get(&self, path: &str) -> (u16, Value) {
        self.bank(self.client.get(self.at(path))).await
    }

    /// A request to the wallet, with its key.
    pub async fn wallet_post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.client.post(self.at(path)).bearer_auth("sandbox-gwallet-key").json(&body);
        json_of(request.send().await.unwrap()).await
    }

    pub async fn wallet_get(&self, path: &str) -> (u16, Value) {
        let request = self.client.get(self.at(path)).bearer_auth("sandbox-gwallet-key");
        json_of(request.send().await.unwrap()).await
    }

    /// Sends a form as a page would; the status alone tells how it went.
    pub async fn send_form(&self, url: &str, body: &'static str) -> Response {
        let form = "application/x-www-form-urlencoded";
        self.client.post(url).header("content-type", form).body(body).send().await.unwrap()
    }

    pub async fn books(&self) -> Value {
        json_of(self.client.get(self.at("/bank/books")).send().await.unwrap()).await.1
    }
}

pub async fn json_of(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn remember(
    State(callbacks): State<Callbacks>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).unwrap();
    callbacks.told.lock().unwrap().push(Told { provider, headers, body });
    let mut refuse = callbacks.refuse.lock().unwrap();
    if *refuse > 0 {
        *refuse -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}
