//! The time between the news that a process goes and its going: everything is answered as before, but who asks
//! at `/readyz` learns of it, and connections are not kept.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, StatusCode};
use tower::ServiceExt;

/// Whether the process is going, and whether anybody wants to know.
#[derive(Debug, Default)]
pub struct Notice {
    given: AtomicBool,
    wanted: AtomicBool,
}

impl Notice {
    /// Says that the process goes. Whether there is anybody to notice: somebody who has asked at `/readyz`.
    pub fn give(&self) -> bool {
        self.given.store(true, Ordering::Relaxed);
        self.wanted.load(Ordering::Relaxed)
    }

    /// Answers a request.
    pub async fn answer(&self, routes: Router, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let about_readiness = request.uri().path() == "/readyz";
        if about_readiness {
            self.wanted.store(true, Ordering::Relaxed);
        }
        let mut response = match about_readiness && self.given.load(Ordering::Relaxed) {
            true => not_ready(),
            false => routes.oneshot(request).await?,
        };
        if self.given.load(Ordering::Relaxed) && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

fn not_ready() -> Response<Body> {
    let mut response = Response::new(Body::from("not ready: it is going\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}
