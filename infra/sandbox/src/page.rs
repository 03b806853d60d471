//! The look all pages share: semantic HTML in Thai and English, no script, nothing loaded from elsewhere.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6776;--line:#d8dee6;--paper:#fff;--back:#f3f5f8;--accent:#0b5cad}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--soft:#a3b0bf;--line:#35414e;--paper:#18212b;--back:#0f151c;--accent:#6db3ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:1rem/1.6 system-ui,'Noto Sans Thai',Sarabun,sans-serif}
header{background:#0b3b6f;color:#fff;padding:.6rem 1rem;font-size:.9rem}
main{max-width:52rem;margin:1.5rem auto;padding:1.25rem 1.5rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem}
h1{margin:.2rem 0 .8rem;font-size:1.5rem;line-height:1.3}h2{margin-top:2rem;font-size:1.15rem}
[lang=en]{color:var(--soft)}header [lang=en],button [lang=en]{color:inherit;opacity:.85}
a{color:var(--accent)}code{font-size:.9em;overflow-wrap:anywhere}
fieldset{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .75rem}
.choice{display:flex;gap:.7rem;align-items:flex-start;padding:.55rem .3rem;border-bottom:1px solid var(--line);cursor:pointer}
.choice:last-child{border-bottom:0}.choice input{margin-top:.45rem}.choice:has(:checked){background:var(--back)}
.note{border-left:.3rem solid var(--accent);padding:.3rem .8rem;background:var(--back)}
.amount{font-size:2.2rem;font-weight:700;margin:.3rem 0}
.actions{display:flex;gap:.7rem;flex-wrap:wrap}
button{font:inherit;padding:.6rem 1.2rem;border:1px solid var(--accent);border-radius:.5rem;background:#0b5cad;color:#fff;cursor:pointer}
button.quiet{background:transparent;color:var(--ink);border-color:var(--line)}
input,select{font:inherit;max-width:100%}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{text-align:left;vertical-align:top;padding:.45rem .5rem;border-bottom:1px solid var(--line)}
.wide{overflow-x:auto}dt{font-weight:600}dd{margin:0 0 .6rem}
";

/// A page. `body` is HTML: every text in it that is not ours went through [`escape`].
pub fn html(status: StatusCode, title_th: &str, title_en: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"th\"><head><meta charset=\"utf-8\">
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
         <title>{plain_th} · {plain_en}</title><style>{STYLE}</style></head>
         <body><header>{banner}</header><main><h1>{title}</h1>{body}</main></body></html>",
        plain_th = escape(title_th),
        plain_en = escape(title_en),
        banner = two("ระบบจำลอง ไม่มีอะไรในหน้านี้เป็นของจริง", "Sandbox: nothing here is real"),
        title = two(title_th, title_en),
    );
    let mut response = private((status, Html(page)));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// A page with one sentence.
pub fn notice(status: StatusCode, th: &str, en: &str) -> Response {
    let (title_th, title_en) = if status.is_success() {
        ("เรียบร้อย", "Done")
    } else {
        ("ทำรายการไม่ได้", "Not possible")
    };
    html(status, title_th, title_en, &format!("<p role=\"status\">{}</p>", two(th, en)))
}

/// The page of a failure of ours.
pub fn failure(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "sandbox: a page failed");
    notice(StatusCode::INTERNAL_SERVER_ERROR, "ระบบจำลองขัดข้อง", "The sandbox failed.")
}

/// Any answer, marked so that no cache and no other site learns of it.
pub fn private(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_written_by_others_becomes_markup() {
        assert_eq!(escape("<b a='1'>\"&\"</b>"), "&lt;b a=&#39;1&#39;&gt;&quot;&amp;&quot;&lt;/b&gt;");
        assert_eq!(escape("สมชาย"), "สมชาย");
    }
}
