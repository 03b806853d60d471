//! Answers of the authorization server: redirects, JSON and RFC 6749's errors.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use url::Url;

use crate::model::request::Parameters;

const ANY_ORIGIN: (HeaderName, HeaderValue) =
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// An error of RFC 6749 section 5.2, as JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenFault {
    pub error: &'static str,
    pub description: &'static str,
}

impl TokenFault {
    pub const fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description }
    }

    /// Something of ours failed: said once in the log, not to the client.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        log(error);
        Self::new("server_error", "something went wrong on our side")
    }
}

impl From<crate::store::Error> for TokenFault {
    fn from(error: crate::store::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for TokenFault {
    fn into_response(self) -> Response {
        let status = match self.error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({ "error": self.error, "error_description": self.description });
        private_json(status, body)
    }
}

/// JSON that no cache keeps. Any origin may read it: it takes no cookie, so it gives nothing to a
/// page that does not hold the code or token already.
pub fn private_json(status: StatusCode, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    no_store(response.headers_mut());
    response.headers_mut().extend([ANY_ORIGIN]);
    response
}

/// Lets a page of any origin send a DPoP proof, for which browsers ask first.
pub async fn preflight() -> Response {
    let headers = [
        ANY_ORIGIN,
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type, dpop")),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// JSON that everybody may keep for five minutes.
pub fn public_json(body: Value) -> Response {
    let mut response = Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.extend([ANY_ORIGIN]);
    response
}

/// Sends a browser elsewhere: always 303, so that no form is posted on.
pub fn redirect(to: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(to) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    no_store(response.headers_mut());
    response
}

/// An address with parameters added.
pub fn with_parameters(address: &str, parameters: &[(&str, &str)]) -> String {
    match Url::parse(address) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(parameters);
            url.into()
        }
        Err(_) => address.to_owned(),
    }
}

/// Reads a query or a form.
pub fn parameters(text: &[u8]) -> Result<Parameters, &'static str> {
    Parameters::new(url::form_urlencoded::parse(text).into_owned().collect())
}

/// Logs a failure of ours, once, at the edge.
pub fn log(error: &dyn std::error::Error) {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    tracing::error!(error = text, "a login or token request failed");
}

pub fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_web_and_app_addresses() {
        let web = with_parameters("http://127.0.0.1:5000/callback", &[("state", "a b&c")]);
        assert_eq!(web, "http://127.0.0.1:5000/callback?state=a+b%26c");
        assert_eq!(with_parameters("app.pratu:/callback", &[("code", "x")]), "app.pratu:/callback?code=x");
    }
}
