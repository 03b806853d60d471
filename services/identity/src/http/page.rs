//! The pages of a login: semantic HTML in Thai and English, no script, nothing loaded from elsewhere.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use super::answer::no_store;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6776;--line:#d8dee6;--paper:#fff;--back:#f3f5f8;--accent:#0b5cad}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--soft:#a3b0bf;--line:#35414e;--paper:#18212b;--back:#0f151c;--accent:#6db3ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:1rem/1.6 system-ui,'Noto Sans Thai',Sarabun,sans-serif}
main{max-width:34rem;margin:2rem auto;padding:1.25rem 1.5rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem}
h1{margin:.2rem 0 .8rem;font-size:1.4rem;line-height:1.3}[lang=en]{color:var(--soft);display:block}
a.choice,button{display:block;width:100%;margin:.6rem 0;padding:.7rem 1rem;font:inherit;text-align:left;text-decoration:none;color:var(--ink);background:var(--back);border:1px solid var(--line);border-radius:.5rem;cursor:pointer}
button{background:#0b5cad;color:#fff;text-align:center}button [lang=en]{color:inherit;opacity:.85}
a{color:var(--accent)}input{font:inherit;font-size:1.4rem;letter-spacing:.3em;width:100%;padding:.4rem .6rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.number{font-size:2.4rem;font-weight:700;letter-spacing:.2em;text-align:center;margin:.6rem 0}
.note{border-left:.3rem solid var(--accent);padding:.3rem .8rem;background:var(--back)}
";

/// A page to answer with.
pub struct Page<'a> {
    pub status: StatusCode,
    pub title_th: &'a str,
    pub title_en: &'a str,
    /// HTML: every text in it that is not ours went through [`escape`].
    pub body: String,
    /// Where a form of this page may lead besides here: browsers check redirects after a form, too.
    pub form_leads_to: Option<&'a str>,
}

impl Page<'_> {
    pub fn answer(self) -> Response {
        let html = format!(
            "<!doctype html><html lang=\"th\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><title>{th} · {en}</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1>{body}</main></body></html>",
            th = escape(self.title_th),
            en = escape(self.title_en),
            title = two(self.title_th, self.title_en),
            body = self.body,
        );
        let mut response = (self.status, Html(html)).into_response();
        let forms = self.form_leads_to.and_then(source_of).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {forms}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        let headers = response.headers_mut();
        no_store(headers);
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

/// A page with one sentence.
pub fn notice(status: StatusCode, th: &str, en: &str) -> Response {
    let (title_th, title_en) = match status.as_u16() {
        200..=299 => ("เรียบร้อย", "Done"),
        503 => ("ใช้งานไม่ได้ชั่วคราว", "Not available for the moment"),
        _ => ("เข้าสู่ระบบไม่ได้", "This login cannot go on"),
    };
    let body = format!("<p role=\"status\">{}</p>", two(th, en));
    Page { status, title_th, title_en, body, form_leads_to: None }.answer()
}

/// The page of a failure of ours; the reason goes to the log.
pub fn failure(error: &dyn std::error::Error) -> Response {
    super::answer::log(error);
    notice(
        StatusCode::INTERNAL_SERVER_ERROR,
        "ระบบขัดข้อง โปรดลองใหม่อีกครั้ง",
        "Something went wrong on our side. Please try again.",
    )
}

/// A text in both languages, escaped.
pub fn two(th: &str, en: &str) -> String {
    format!("<span lang=\"th\">{}</span> <span lang=\"en\">{}</span>", escape(th), escape(en))
}

/// Makes a text safe inside HTML and inside quoted attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// An address as a source of a content security policy: origin, or scheme for an app's own.
fn source_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    match url.scheme() {
        "http" | "https" => Some(url.origin().ascii_serialization()),
        scheme => Some(format!("{scheme}:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_become_markup() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    }

    #[test]
    fn a_form_may_lead_to_the_clients_own_place_only() {
        assert_eq!(source_of("http://127.0.0.1:5000/callback").as_deref(), Some("http://127.0.0.1:5000"));
        assert_eq!(source_of("app.pratu:/callback").as_deref(), Some("app.pratu:"));
    }
}
