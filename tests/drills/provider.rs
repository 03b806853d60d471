//! A payment provider that is slow or lies: a proxy between our adapters and the bank.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use tokio::net::TcpListener;

use crate::installation::client;

/// Bytes of a request or an answer.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// One answer in so many is a lie.
const LIES_EVERY: u64 = 3;

/// How the provider behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Manner {
    #[default]
    Honest,
    /// Answers come after this long: longer than our adapters wait.
    Slow(Duration),
    /// Does what it is asked and says something else: nothing, nonsense, or the answer to another question.
    Lies,
}

struct Between {
    bank_url: String,
    manner: Mutex<Manner>,
    http: reqwest::Client,
    asked: AtomicU64,
    /// The last answer that was worth anything.
    earlier: Mutex<Option<Bytes>>,
}

/// The proxy, at its own address.
pub struct Provider {
    pub url: String,
    between: Arc<Between>,
}

impl Provider {
    pub async fn start(bank_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let between = Arc::new(Between {
            bank_url: bank_url.to_owned(),
            manner: Mutex::default(),
            http: client(),
            asked: AtomicU64::new(0),
            earlier: Mutex::default(),
        });
        let routes = Router::new().fallback(pass).with_state(Arc::clone(&between));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, between }
    }

    pub fn behave(&self, manner: Manner) {
        *self.between.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }
}

async fn pass(State(between): State<Arc<Between>>, request: Request) -> Response<Body> {
    let manner = *between.manner.lock().unwrap_or_else(PoisonError::into_inner);
    if let Manner::Slow(wait) = manner {
        tokio::time::sleep(wait).await;
    }
    let Some((status, body)) = between.ask(request).await else {
        return answer(StatusCode::BAD_GATEWAY, Bytes::new());
    };
    if manner == Manner::Lies && between.asked.fetch_add(1, Ordering::Relaxed) % LIES_EVERY == 0 {
        return between.lie();
    }
    if status.is_success() {
        *between.earlier.lock().unwrap_or_else(PoisonError::into_inner) = Some(body.clone());
    }
    answer(status, body)
}

impl Between {
    async fn ask(&self, request: Request) -> Option<(StatusCode, Bytes)> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_BYTES_MAX).await.ok()?;
        let mut headers = parts.headers;
        headers.remove("host");
        headers.remove("content-length");
        let url = format!("{}{}", self.bank_url, parts.uri);
        let asked = self.http.request(parts.method, url).headers(headers).body(body).send().await.ok()?;
        let status = asked.status();
        Some((status, asked.bytes().await.ok()?))
    }

    /// In turn: the answer to an earlier question, half an answer, and an error although it was done.
    fn lie(&self) -> Response<Body> {
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (self.asked.load(Ordering::Relaxed) / LIES_EVERY % 3, earlier) {
            (0, Some(earlier)) => answer(StatusCode::OK, earlier),
            (1, Some(earlier)) => answer(StatusCode::OK, earlier.slice(..earlier.len() / 2)),
            _ => answer(StatusCode::INTERNAL_SERVER_ERROR, Bytes::from_static(b"{}")),
        }
    }
}

fn answer(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", "application/json".parse().expect("a constant"));
    answer
}
