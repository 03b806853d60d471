//! Public addresses of services that run elsewhere: the gateway hands requests on, and answers back.
//!
//! So one address serves all, as where everything runs in one process. An ingress that knows the paths
//! ([`PUBLIC`]) can do the same without it.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use reqwest::Url;

use super::Peers;
use crate::config::Role;
use crate::proxies::Proxies;

/// The paths that are public, and whose they are.
pub const PUBLIC: [(Role, &[&str]); 4] = [
    (
        Role::Identity,
        &["/oauth/{*rest}", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
    ),
    (Role::Payments, &["/callbacks/payments/{*rest}"]),
    (Role::Applications, &["/uploads/{*rest}", "/evidence/{*rest}"]),
    (Role::Sandbox, &["/sandbox", "/sandbox/", "/sandbox/{*rest}"]),
];
/// A body up to this size is read before it is sent on, so that it can be sent to another process when the
/// first is gone. A longer one flows through.
const READ_BYTES_MAX: u64 = 64 * 1024;

/// Silence after which a process is asked whether it lives,
const PATIENCE: Duration = Duration::from_secs(2);
/// and how often in a row it may leave that unanswered: it may be busy.
const SILENT_MAX: u32 = 2;

/// What is about one connection and not about the request (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// What only we may say to our own processes, and what a client said of where it comes from, which was
/// judged here already.
const NOT_FORWARDED: [HeaderName; 8] = [
    HeaderName::from_static(auth::PRINCIPAL_HEADER),
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    header::HOST,
    header::EXPECT,
];

struct Forward {
    role: Role,
    peers: Peers,
    client: reqwest::Client,
    proxies: Proxies,
}

/// The public paths of `role`, answered by its processes. `client` bounds how long they may be silent.
pub fn routes(role: Role, peers: &Peers, client: reqwest::Client, proxies: Proxies) -> Router {
    let forward = Arc::new(Forward { role, peers: peers.clone(), client, proxies });
    let paths = PUBLIC.iter().filter(|(owner, _)| *owner == role).flat_map(|(_, paths)| *paths);
    paths.fold(Router::new(), |routes, path| routes.route(path, any(hand_on))).with_state(forward)
}

async fn hand_on(State(forward): State<Arc<Forward>>, request: Request) -> Response {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let (parts, body) = request.into_parts();
    let headers = forward.headers(&parts.headers, client);
    let body = match Sent::of(body).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let addresses = match &body {
        Sent::Read(_) => forward.peers.in_turn(forward.role),
        // It can be sent only once.
        Sent::Flowing(_) => forward.peers.ready(forward.role).await.into_iter().collect(),
    };
    match forward.send(&addresses, &parts, headers, body).await {
        Ok(response) => response,
        Err(status) => status.into_response(),
    }
}

/// A body on its way.
enum Sent {
    Read(Bytes),
    Flowing(Body),
}

impl Sent {
    async fn of(body: Body) -> Result<Self, StatusCode> {
        if body.size_hint().upper().is_none_or(|bytes| bytes > READ_BYTES_MAX) {
            return Ok(Self::Flowing(body));
        }
        let bytes_max = usize::try_from(READ_BYTES_MAX).unwrap_or(usize::MAX);
        to_bytes(body, bytes_max).await.map(Self::Read).map_err(|_| StatusCode::BAD_REQUEST)
    }
}

impl Forward {
    async fn send(
        &self,
        addresses: &[&str],
        parts: &Parts,
        headers: HeaderMap,
        body: Sent,
    ) -> Result<Response, StatusCode> {
        // What is only read can be asked for twice, whatever became of the first.
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let mut body = Some(body);
        for address in addresses {
            let url = target(address, parts).ok_or(StatusCode::NOT_FOUND)?;
            let request = self.client.request(parts.method.clone(), url).headers(headers.clone());
            let request = match body.take() {
                Some(Sent::Read(bytes)) => {
                    body = Some(Sent::Read(bytes.clone()));
                    request.body(bytes)
                }
                Some(Sent::Flowing(stream)) => {
                    request.body(reqwest::Body::wrap_stream(stream.into_data_stream()))
                }
                None => break,
            };
            let again = match self.answered(address, PATIENCE, request.send()).await {
                Some(Ok(response)) => return Ok(answer(response)),
                Some(Err(error)) => {
                    let not_sent = error.is_connect();
                    if not_sent {
                        self.peers.note_unreachable(address);
                    }
                    let error = error.without_url();
                    tracing::warn!(role = %self.role, %error, cause = ?error.source(), "not handed on");
                    not_sent || safe
                }
                None => {
                    self.peers.note_unreachable(address);
                    tracing::warn!(role = %self.role, "a process stands still: not waited for");
                    safe
                }
            };
            if !again {
                break;
            }
        }
        Err(StatusCode::BAD_GATEWAY)
    }

    /// What comes of a request, for as long as the process shows that it lives: a login may wait for a provider,
    /// but nobody is to wait for a process that stands still. `None` where it does.
    async fn answered<T>(
        &self,
        address: &str,
        patience: Duration,
        sent: impl Future<Output = T>,
    ) -> Option<T> {
        let stands_still = async {
            let mut silent = 0;
            while silent < SILENT_MAX {
                tokio::time::sleep(patience).await;
                silent = if self.peers.lives(address).await { 0 } else { silent + 1 };
            }
        };
        tokio::select! {
            answered = sent => Some(answered),
            () = stands_still => None,
        }
    }

    /// The client's headers, and where it comes from in the header that our proxies write.
    fn headers(&self, headers: &HeaderMap, client: Option<IpAddr>) -> HeaderMap {
        let mut kept = without_hop_by_hop(headers);
        for name in NOT_FORWARDED {
            kept.remove(name);
        }
        if let Some((name, value)) = client.and_then(|client| self.proxies.written(client)) {
            kept.insert(name, value);
        }
        kept
    }
}

/// The same path and query there. A path that would lead elsewhere once it is tidied up leads nowhere.
fn target(address: &str, parts: &Parts) -> Option<Url> {
    let path = parts.uri.path();
    let asked = parts.uri.path_and_query().map_or(path, |asked| asked.as_str());
    let url = Url::parse(&format!("{address}{asked}")).ok()?;
    url.path().ends_with(path).then_some(url)
}

fn answer(response: reqwest::Response) -> Response {
    let status = response.status();
    let headers = without_hop_by_hop(response.headers());
    let mut answer = Response::new(Body::from_stream(response.bytes_stream()));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

fn without_hop_by_hop(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let mut kept = headers.clone();
    for name in HOP_BY_HOP.iter().chain(&named) {
        kept.remove(name);
    }
    kept
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;
    use crate::peers::testing::{peers_at, serving};

    fn parts(path: &str) -> Parts {
        Request::builder().uri(path).body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_path_that_leads_elsewhere_leads_nowhere() {
        let url = |path| target("http://10.0.0.7:4000", &parts(path)).map(|url| url.to_string());
        let good = "http://10.0.0.7:4000/oauth/token?a=%2e%2e";
        assert_eq!(url("/oauth/token?a=%2e%2e").as_deref(), Some(good));
        for path in ["/oauth/../internal/graph", "/oauth/%2e%2e/internal/graph", "/oauth/./token"] {
            assert_eq!(url(path), None, "{path}");
        }
    }

    fn forward(peers: Peers) -> Forward {
        let client = chassis::stream_client(super::super::SILENCE_MAX);
        Forward { role: Role::Identity, peers, client, proxies: Proxies::default() }
    }

    #[tokio::test]
    async fn a_process_is_waited_for_while_it_lives_and_not_when_it_stands_still() {
        const SHORT: Duration = Duration::from_millis(5);
        let asked = Arc::new(Semaphore::new(0));
        let lives = {
            let asked = Arc::clone(&asked);
            Router::new().route("/healthz", any(move || async move { asked.add_permits(1) }))
        };
        let alive = format!("http://{}", serving(lives).await);
        let forward = forward(peers_at(Role::Identity, &[]));
        let slow = asked.acquire_many(3);
        assert!(forward.answered(&alive, SHORT, slow).await.is_some(), "it showed three times that it lives");
        let never = std::future::pending::<()>();
        assert!(forward.answered("http://127.0.0.1:1", SHORT, never).await.is_none());
    }

    #[test]
    fn what_is_about_a_connection_or_said_by_a_stranger_stays_behind() {
        let forward = forward(Peers::new(&crate::Config::default()));
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, x-mine"),
            ("x-mine", "1"),
            ("transfer-encoding", "chunked"),
            ("pratu-principal", "forged"),
            ("x-forwarded-for", "192.0.2.66"),
            ("forwarded", "for=192.0.2.66"),
            ("authorization", "Bearer x"),
            ("cookie", "a=b"),
        ] {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let kept = forward.headers(&headers, Some("192.0.2.1".parse().unwrap()));
        let mut names: Vec<&str> = kept.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "cookie", "x-forwarded-for"]);
        assert_eq!(kept["x-forwarded-for"], "192.0.2.1");
    }
}
