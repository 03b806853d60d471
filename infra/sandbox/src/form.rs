//! What a page's form or a program's JSON sends, read alike, and answered each in its own way.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::page;

/// Fields of one request: far above what any door here takes.
const FIELDS_MAX: usize = 32;

/// How the caller wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A browser that sent a form: by a redirect or a page.
    Page,
    Json,
}

impl Answered {
    pub fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_form = content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if is_form { Self::Page } else { Self::Json }
    }

    /// Says no, in Thai and English.
    pub fn refusal(self, status: StatusCode, th: &str, en: &str) -> Response {
        match self {
            Self::Page => page::notice(status, th, en),
            Self::Json => {
                let error = match status {
                    StatusCode::NOT_FOUND => "not_found",
                    StatusCode::CONFLICT => "conflict",
                    _ => "invalid_request",
                };
                page::private((status, Json(json!({ "error": error, "message": en }))))
            }
        }
    }
}

/// Named texts; an empty one is as good as none.
#[derive(Clone, Debug, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// `None` when it is neither a form nor a flat JSON object. An empty body has no fields.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        if Answered::of(headers) == Answered::Page {
            let fields = url::form_urlencoded::parse(body).into_owned().take(FIELDS_MAX);
            return Some(Self(fields.collect()));
        }
        if body.is_empty() {
            return Some(Self::default());
        }
        let object: BTreeMap<String, Value> = serde_json::from_slice(body).ok()?;
        let text = |(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) => Some((name, number.to_string())),
            Value::Null => Some((name, String::new())),
            _ => None,
        };
        (object.len() <= FIELDS_MAX).then_some(())?;
        object.into_iter().map(text).collect::<Option<_>>().map(Self)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// A name that is not among those that are known.
    pub fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.0.keys().map(String::as_str).find(|name| !known.contains(name))
    }

    /// The start page again, in the language it was in, at the part where something was done.
    pub fn back(&self, base_url: &str, done: &str, part: &str) -> String {
        let language = if self.get("lang") == Some("en") { "en" } else { "th" };
        format!("{base_url}?lang={language}&done={done}#{part}")
    }
}
