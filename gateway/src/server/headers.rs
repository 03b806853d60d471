//! Headers that every answer of ours carries, so that browsers make nothing of it that it is not.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

/// Asks browsers to come by TLS only, for a year.
const TLS_ONLY: &str = "max-age=31536000";

/// Adds them. A page that says more itself keeps what it says.
pub fn protect(mut response: Response<Body>, https: bool) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TLS_ONLY));
    }
    let html =
        headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if html {
        // No page of ours may be shown within another's, where its buttons could be hidden under something.
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        let policy = HeaderValue::from_static("frame-ancestors 'none'");
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
        headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(kind: &'static str, https: bool) -> Response<Body> {
        let response = Response::builder().header(header::CONTENT_TYPE, kind);
        protect(response.body(Body::empty()).unwrap(), https)
    }

    #[test]
    fn a_page_is_shown_in_no_frame_and_data_is_never_taken_for_a_page() {
        let page = protected("text/html; charset=utf-8", false);
        assert_eq!(page.headers()[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(page.headers()[header::CONTENT_SECURITY_POLICY], "frame-ancestors 'none'");
        assert!(!page.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
        let data = protected("application/json", true);
        assert_eq!(data.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(data.headers()[header::STRICT_TRANSPORT_SECURITY], TLS_ONLY);
        assert!(!data.headers().contains_key(header::X_FRAME_OPTIONS));
    }
}
