//! Which browser it is: a cookie that says nothing but "the same one", and form tokens made of it.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::model::login::LOGIN_MINUTES_MAX;
use crate::model::secret;

/// With this prefix a browser takes the cookie only over TLS, from this host, for every path.
const SECURE_NAME: &str = "__Host-pratu_browser";
const PLAIN_NAME: &str = "pratu_browser";
const TOKEN_CHARS: usize = 43;

/// A browser that takes part in logins.
pub struct Browser {
    token: String,
}

impl Browser {
    /// The browser of a request, if it has been here within the last minutes.
    pub fn of(headers: &HeaderMap, public_url: &str) -> Option<Self> {
        // Over TLS only the prefixed name: a plain one could have been planted by a neighbouring host.
        let (ours, _) = cookie_of(public_url);
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let token = pairs
            .into_iter()
            .find_map(|(name, value)| (name == ours && value.len() == TOKEN_CHARS).then(|| value.to_owned()));
        token.map(|token| Self { token })
    }

    pub fn fresh() -> Self {
        Self { token: secret::token() }
    }

    /// What is kept of it.
    pub fn hash(&self) -> Vec<u8> {
        secret::hash(&self.token)
    }

    pub fn is(&self, hash: &[u8]) -> bool {
        secret::same(&self.hash(), hash)
    }

    /// A token that only a page shown to this browser for this flow can carry.
    pub fn form_token(&self, flow: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("form\n{flow}\n{}", self.token)))
    }

    /// Sets the cookie. Lax: it must come along when a provider sends the browser back.
    pub fn remember(&self, mut response: Response, public_url: &str) -> Response {
        let (name, attribute) = cookie_of(public_url);
        let age_s = LOGIN_MINUTES_MAX * 60;
        let cookie =
            format!("{name}={}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax{attribute}", self.token);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

/// The cookie's name, and the attribute that keeps it to TLS.
fn cookie_of(public_url: &str) -> (&'static str, &'static str) {
    if public_url.starts_with("https:") { (SECURE_NAME, "; Secure") } else { (PLAIN_NAME, "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_tls_a_cookie_without_the_prefix_is_nobodys() {
        let value = format!("a=b; pratu_browser={}", secret::token());
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&value).unwrap())]);
        assert!(Browser::of(&headers, "http://127.0.0.1:4000").is_some());
        assert!(Browser::of(&headers, "https://pratu.example").is_none());
    }
}
