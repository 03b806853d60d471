//! One process of a subgraph, in one mood or another.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use federation::Address;

use crate::world::typed;

const ANSWER: &str = r#"{"data":{"a":1}}"#;

/// How a process behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Answers,
    /// It says so with a status, as a proxy does.
    Overloaded,
    /// It takes the request and closes the line.
    HangsUp,
    /// It takes the request and says nothing.
    Silent,
    /// It says that the time is over.
    Late,
    /// One request in three is too much.
    Busy,
}

/// A process dies when this is dropped, and all its connections with it.
pub struct Life {
    _ends: tokio::sync::oneshot::Sender<()>,
}

/// One process of a subgraph.
#[derive(Clone)]
pub struct Process {
    pub url: String,
    mood: Arc<Mutex<Mood>>,
    pub ready: Arc<AtomicBool>,
    pub looked_at: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
    pub headers: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Process {
    pub async fn start(mood: Mood) -> Self {
        let (process, life) = Self::start_at("127.0.0.1:0", mood);
        // It lives as long as the tests.
        std::mem::forget(life);
        process
    }

    pub fn start_at(address: &str, mood: Mood) -> (Self, Life) {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let process = Process {
            url: format!("http://{}", listener.local_addr().unwrap()),
            mood: Arc::new(Mutex::new(mood)),
            ready: Arc::new(AtomicBool::new(true)),
            looked_at: Arc::default(),
            asked: Arc::default(),
            headers: Arc::default(),
        };
        let router = Router::new()
            .route("/graphql", post(Self::answer))
            .route("/readyz", get(Self::readiness))
            .with_state(process.clone());
        let (ends, ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::spawn(async move { axum::serve(listener, router).await });
                let _ = ended.await;
            });
        });
        (process, Life { _ends: ends })
    }

    async fn readiness(State(process): State<Process>) -> StatusCode {
        process.looked_at.fetch_add(1, Ordering::SeqCst);
        match process.ready.load(Ordering::SeqCst) {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    async fn answer(State(process): State<Process>, headers: HeaderMap) -> Response {
        let number = process.asked.fetch_add(1, Ordering::SeqCst);
        process.headers.lock().unwrap().push(headers);
        let mood = *process.mood.lock().unwrap();
        match mood {
            Mood::Answers => typed("application/json", Body::from(ANSWER)),
            Mood::Busy if number % 3 != 0 => typed("application/json", Body::from(ANSWER)),
            Mood::Busy | Mood::Overloaded => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Mood::Late => StatusCode::GATEWAY_TIMEOUT.into_response(),
            Mood::HangsUp => {
                let broken = futures::stream::once(async { Err::<&str, _>(std::io::Error::other("gone")) });
                typed("application/json", Body::from_stream(broken))
            }
            Mood::Silent => std::future::pending().await,
        }
    }

    pub fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn address(&self, looked_at: bool) -> Address {
        let ready = looked_at.then(|| format!("{}/readyz", self.url).parse().unwrap());
        Address { url: format!("{}/graphql", self.url).parse().unwrap(), ready }
    }
}
