//! Whose pages may ask us from a browser: one list for CORS and for WebSockets.
//!
//! A token is needed for whatever is not public, and no cookie is read, so this protects little by itself; it
//! keeps pages that nobody knows from using their visitors' addresses and patience.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use graphql::ErrorCode;
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::{Host, Origin, Url};

use super::GuardError;
use crate::Config;
use crate::pipeline::Refusal;

/// How long a browser may remember the answer to its question.
const PREFLIGHT_AGE: Duration = Duration::from_secs(60 * 60);

/// The allowed ones.
pub struct Origins {
    listed: Vec<Origin>,
    /// Whether every page of this machine is allowed.
    loopback: bool,
}

impl Origins {
    pub fn new(config: &Config) -> Result<Self, GuardError> {
        let own = (!config.public_url.is_empty()).then_some(config.public_url.as_str());
        let listed = config.door.origins.iter().map(String::as_str).chain(own);
        let listed = listed.map(|text| origin(text).ok_or_else(|| GuardError::Origin(text.to_owned())));
        Ok(Self { listed: listed.collect::<Result<_, _>>()?, loopback: config.environment.is_sandbox() })
    }

    /// Whether pages of the origin that a header names may ask.
    pub fn allow(&self, origin_header: &HeaderValue) -> bool {
        let Some(url) = origin_header.to_str().ok().and_then(|text| Url::parse(text).ok()) else {
            return false;
        };
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        (self.loopback && loopback) || self.listed.contains(&url.origin())
    }

    /// Refuses a WebSocket that a page of another origin opens; what is no page sends none, or our own address.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        if self.allow(origin) || is_of_host(origin, headers.get(header::HOST)) {
            return Ok(());
        }
        let message = "Pages of this origin may not ask here.";
        Err(Refusal::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, message))
    }

    /// Tells browsers what pages of these origins may send, by which methods, and what they may read.
    pub fn layer(self: &Arc<Self>, methods: &[Method]) -> CorsLayer {
        let origins = Arc::clone(self);
        let allowed = move |origin: &HeaderValue, _: &Parts| origins.allow(origin);
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allowed))
            .allow_methods(methods.to_vec())
            .allow_headers(SENT.map(HeaderName::from_static))
            .expose_headers(READ.map(HeaderName::from_static))
            .max_age(PREFLIGHT_AGE)
    }
}

/// Headers that pages may send beyond the simple ones.
const SENT: [&str; 10] = [
    "accept",
    "authorization",
    "content-type",
    "dpop",
    "if-none-match",
    "x-request-id",
    "apollographql-client-name",
    "apollographql-client-version",
    "graphql-client-name",
    "graphql-client-version",
];

/// Headers of our answers that pages may read.
const READ: [&str; 10] = [
    "x-request-id",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "www-authenticate",
    "etag",
    "age",
];

/// An origin as it is written: scheme, host and perhaps port, with nothing behind.
fn origin(text: &str) -> Option<Origin> {
    let url = Url::parse(text).ok()?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && bare).then(|| url.origin())
}

fn is_of_host(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = host.and_then(|host| host.to_str().ok());
    origin.is_some_and(|(_, origin)| host.is_some_and(|host| host.eq_ignore_ascii_case(origin)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DoorRules;
    use chassis::Environment;

    fn origins(environment: Environment) -> Origins {
        let origins = ["https://portal.example.go.th".to_owned()].into();
        let door = DoorRules { origins, ..DoorRules::default() };
        let public_url = "https://pratu.example.go.th".to_owned();
        Origins::new(&Config { environment, public_url, door, ..Config::default() }).unwrap()
    }

    #[test]
    fn listed_origins_and_our_own_may_ask_and_nobody_else() {
        let origins = origins(Environment::Production);
        for (origin, allowed) in [
            ("https://portal.example.go.th", true),
            ("https://portal.example.go.th:443", true),
            ("https://pratu.example.go.th", true),
            ("http://portal.example.go.th", false),
            ("https://portal.example.go.th.evil.example", false),
            ("https://portal.example.go.th:8443", false),
            ("http://localhost:5173", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(origins.allow(&origin.parse().unwrap()), allowed, "{origin}");
        }
    }

    #[test]
    fn in_the_sandbox_pages_of_this_machine_may_ask() {
        let origins = origins(Environment::Sandbox);
        for (origin, allowed) in [
            ("http://localhost:5173", true),
            ("http://127.0.0.1:4000", true),
            ("http://[::1]:3000", true),
            ("http://localhost.evil.example", false),
            ("https://evil.example", false),
        ] {
            assert_eq!(origins.allow(&origin.parse().unwrap()), allowed, "{origin}");
        }
    }

    #[test]
    fn a_socket_is_for_those_pages_too_and_for_what_is_no_page() {
        let origins = origins(Environment::Production);
        let check = |pairs: &[(&'static str, &str)]| {
            let pair = |(name, value): &(&'static str, &str)| {
                (HeaderName::from_static(name), value.parse().unwrap())
            };
            origins.check(&pairs.iter().map(pair).collect()).is_ok()
        };
        assert!(check(&[]));
        assert!(check(&[("origin", "https://portal.example.go.th")]));
        assert!(check(&[("origin", "http://10.0.0.7:4000"), ("host", "10.0.0.7:4000")]));
        assert!(!check(&[("origin", "https://evil.example"), ("host", "pratu.example.go.th")]));
    }

    #[test]
    fn an_origin_has_no_path() {
        let door = |origin: &str| DoorRules { origins: vec![origin.to_owned()], ..DoorRules::default() };
        for wrong in ["portal.example", "https://portal.example/app", "*", "file:///"] {
            assert!(Origins::new(&Config { door: door(wrong), ..Config::default() }).is_err(), "{wrong}");
        }
    }
}
