//! The look all pages share: semantic HTML in Thai and English, no script, nothing loaded from elsewhere.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6776;--line:#d8dee6;--paper:#fff;--back:#f3f5f8;--accent:#0b5cad}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--soft:#a3b0bf;--line:#35414e;--paper:#18212b;--back:#0f151c;--accent:#6db3ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:1rem/1.6 system-ui,'Noto Sans Thai',Sarabun,sans-serif}
header{background:#0b3b6f;color:#fff;padding:.6rem 1rem;font-size:.9rem}
main{display:block;max-width:56rem;margin:1.5rem auto;padding:1.25rem 1.5rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem}
h1{margin:.2rem 0 .8rem;font-size:1.5rem;line-height:1.3}h2{margin-top:2rem;font-size:1.15rem}
span[lang=en],small{color:var(--soft)}header span[lang=en],button span[lang=en],a span[lang=en]{color:inherit}
.skip{position:absolute;left:-100vw;background:var(--paper);color:var(--accent);padding:.6rem 1rem}.skip:focus{left:.5rem;top:.5rem;z-index:1}
header{display:flex;gap:.4rem 1.5rem;flex-wrap:wrap;justify-content:space-between}header a{color:#fff}
a{color:var(--accent);overflow-wrap:anywhere}code{font-size:.9em;overflow-wrap:anywhere}
fieldset{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .75rem}
.choice{display:flex;gap:.7rem;align-items:flex-start;padding:.55rem .3rem;border-bottom:1px solid var(--line);cursor:pointer}
.choice:last-child{border-bottom:0}.choice input{margin-top:.45rem}.choice:has(:checked){background:var(--back)}
.note{border-left:.3rem solid var(--accent);padding:.3rem .8rem;background:var(--back)}
.amount{font-size:2.2rem;font-weight:700;margin:.3rem 0}
.actions{display:flex;gap:.7rem;flex-wrap:wrap}
button{font:inherit;padding:.6rem 1.2rem;border:1px solid var(--accent);border-radius:.5rem;background:#0b5cad;color:#fff;cursor:pointer}
h4{margin:.1rem 0 .3rem;font-size:1rem}button.quiet{background:transparent;color:var(--ink);border-color:var(--soft)}
input,select{font:inherit;max-width:100%;padding:.4rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--paper);color:var(--ink)}
input[type=radio]{padding:0}main:focus{outline:0}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{text-align:left;vertical-align:top;padding:.45rem .5rem;border-bottom:1px solid var(--line)}
.wide{overflow-x:auto}dt{font-weight:600}dd{margin:0 0 .6rem}
nav ul{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;list-style:none;padding:0}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(16rem,100%),1fr));gap:.8rem;list-style:none;padding:0}
.cards>li{border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem;min-width:0}h3{margin:.1rem 0 .3rem;font-size:1rem}
.fields{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr));gap:.7rem}.fields label{display:block}
.fields .whole{grid-column:1/-1}.fields input,.fields select{display:block;width:100%}
pre{overflow-x:auto;background:var(--back);padding:.7rem;border-radius:.5rem;font-size:.85rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
";

/// The language a person reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Thai,
    English,
}

impl Language {
    /// The one that was chosen; otherwise the first the browser prefers of the two, or Thai.
    pub fn chosen(named: Option<&str>, headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let mut wanted = named.into_iter().chain(accepted.unwrap_or_default().split(',')).map(|language| {
            match language.trim().get(..2) {
                Some("th") => Some(Self::Thai),
                Some("en") => Some(Self::English),
                _ => None,
            }
        });
        wanted.find_map(|language| language).unwrap_or(Self::Thai)
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::Thai => "th",
            Self::English => "en",
        }
    }

    /// The text in this language, escaped.
    pub fn of(self, th: &str, en: &str) -> String {
        match self {
            Self::Thai => escape(th),
            Self::English => escape(en),
        }
    }
}

/// A page in both languages. `body` is HTML: every text in it that is not ours went through [`escape`].
pub fn html(status: StatusCode, title_th: &str, title_en: &str, body: &str) -> Response {
    let (banner_th, banner_en) = BANNER;
    let (skip_th, skip_en) = SKIP;
    framed(&Frame {
        status,
        language: Language::Thai,
        title: &format!("{} · {}", escape(title_th), escape(title_en)),
        header: &two(banner_th, banner_en),
        skip: &two(skip_th, skip_en),
        heading: &two(title_th, title_en),
        body,
    })
}

/// A page in one language, with more for its header: a link to the other language.
pub fn html_in(language: Language, title: &str, more: &str, body: &str) -> Response {
    let (banner_th, banner_en) = BANNER;
    let (skip_th, skip_en) = SKIP;
    framed(&Frame {
        status: StatusCode::OK,
        language,
        title,
        header: &format!("<span>{}</span> {more}", language.of(banner_th, banner_en)),
        skip: &language.of(skip_th, skip_en),
        heading: title,
        body,
    })
}

const BANNER: (&str, &str) = ("ระบบจำลอง ไม่มีอะไรในหน้านี้เป็นของจริง", "Sandbox: nothing here is real");
const SKIP: (&str, &str) = ("ข้ามไปยังเนื้อหา", "Skip to the content");

/// The parts of a page, as HTML.
struct Frame<'a> {
    status: StatusCode,
    language: Language,
    title: &'a str,
    header: &'a str,
    skip: &'a str,
    heading: &'a str,
    body: &'a str,
}

fn framed(frame: &Frame<'_>) -> Response {
    let Frame { status, language, title, header, skip, heading, body } = frame;
    let page = format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
         <title>{title}</title><style>{STYLE}</style></head>
         <body><a class=\"skip\" href=\"#content\">{skip}</a><header>{header}</header>
         <main id=\"content\" tabindex=\"-1\"><h1>{heading}</h1>{body}</main></body></html>",
        language = language.code(),
    );
    let mut response = private((*status, Html(page)));
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
    let home = two("หน้าแรกของระบบจำลอง", "The sandbox's first page");
    let body = format!("<p role=\"status\">{}</p><p><a href=\"/sandbox\">{home}</a></p>", two(th, en));
    html(status, title_th, title_en, &body)
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
    fn the_language_is_the_chosen_one_then_the_browsers_then_thai() {
        let prefers = |languages: &str| {
            let pair = (header::ACCEPT_LANGUAGE, languages.parse().unwrap());
            HeaderMap::from_iter([pair])
        };
        assert_eq!(Language::chosen(None, &HeaderMap::new()), Language::Thai);
        assert_eq!(Language::chosen(None, &prefers("de-DE,en;q=0.8,th;q=0.5")), Language::English);
        assert_eq!(Language::chosen(Some("th"), &prefers("en")), Language::Thai);
        assert_eq!(Language::chosen(Some("ภาษา"), &prefers("fr")), Language::Thai);
    }

    #[test]
    fn nothing_written_by_others_becomes_markup() {
        assert_eq!(escape("<b a='1'>\"&\"</b>"), "&lt;b a=&#39;1&#39;&gt;&quot;&amp;&quot;&lt;/b&gt;");
        assert_eq!(escape("สมชาย"), "สมชาย");
    }
}
