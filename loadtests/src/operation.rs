//! What is sent: requests made beforehand, so that sending one costs next to nothing.

use std::cell::Cell;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use memchr::memmem;
use serde_json::Value;

use crate::address::Loopback;
use crate::series::End;

/// A person's token, which may be renewed while requests are on their way.
#[derive(Clone, Debug, Default)]
pub struct Token(Arc<RwLock<Option<hyper::header::HeaderValue>>>);

impl Token {
    pub fn new(token: &str) -> Self {
        let made = Self::default();
        made.renew(token);
        made
    }

    pub fn renew(&self, token: &str) {
        let value = hyper::header::HeaderValue::try_from(format!("Bearer {token}")).ok();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = value;
    }

    /// The header's text.
    pub fn text(&self) -> Option<String> {
        self.header()?.to_str().ok().map(str::to_owned)
    }

    fn header(&self) -> Option<hyper::header::HeaderValue> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Which `Authorization` a request carries.
#[derive(Clone, Debug)]
pub enum Caller {
    Nobody,
    Person(Token),
    /// Another text in each request, so that nobody can take two requests for the same.
    Unique,
}

/// One request, ready to be sent as often as wanted.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub body: Bytes,
    pub caller: Caller,
}

impl Prepared {
    pub fn post(path: &str, body: Vec<u8>, caller: Caller) -> Self {
        Self { method: Method::POST, path: path.to_owned(), body: body.into(), caller }
    }

    pub fn get(path: &str, caller: Caller) -> Self {
        Self { method: Method::GET, path: path.to_owned(), body: Bytes::new(), caller }
    }

    /// A GraphQL document with variables.
    pub fn graphql(document: &str, variables: &Value, caller: Caller) -> Self {
        let body = serde_json::json!({ "query": document, "variables": variables });
        Self::post("/graphql", body.to_string().into_bytes(), caller)
    }

    /// The same as a GET, which anyone may cache.
    pub fn graphql_get(document: &str, variables: &Value) -> Self {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("query", document).append_pair("variables", &variables.to_string());
        Self::get(&format!("/graphql?{}", query.finish()), Caller::Nobody)
    }

    /// The request as it goes out for the `nth` time.
    pub fn request(&self, target: &Loopback, nth: u64) -> Request<Full<Bytes>> {
        let mut builder = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(HOST, &target.host)
            .header("accept", "application/json");
        if self.method == Method::POST {
            builder = builder.header(CONTENT_TYPE, "application/json");
        }
        builder = match &self.caller {
            Caller::Nobody => builder,
            Caller::Person(token) => match token.header() {
                Some(header) => builder.header(AUTHORIZATION, header),
                None => builder,
            },
            Caller::Unique => builder.header(AUTHORIZATION, format!("Bearer unique-{nth:016x}")),
        };
        builder.body(Full::new(self.body.clone())).expect("a request of known parts")
    }
}

/// One kind of request, with its share of the whole.
#[derive(Debug)]
pub struct Operation {
    pub name: String,
    pub weight: f64,
    pub requests: Vec<Prepared>,
    /// Each request is sent once; when all are gone the operation has no more. Otherwise they take turns.
    pub once: bool,
    /// Words that a good answer has somewhere.
    pub expected: Option<String>,
    next: Cell<usize>,
}

impl Operation {
    pub fn new(name: &str, weight: f64, requests: Vec<Prepared>) -> Self {
        Self { name: name.to_owned(), weight, requests, once: false, expected: None, next: Cell::new(0) }
    }

    pub fn expecting(mut self, words: &str) -> Self {
        self.expected = Some(words.to_owned());
        self
    }

    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// The next request, and how many went before; `None` when there are no more.
    pub fn next(&self) -> Option<(&Prepared, u64)> {
        let nth = self.next.replace(self.next.get() + 1);
        if self.once && nth >= self.requests.len() {
            return None;
        }
        self.requests.get(nth % self.requests.len().max(1)).map(|prepared| (prepared, nth as u64))
    }

    /// What an answer is worth.
    pub fn judge(&self, status: u16, body: &[u8]) -> End {
        match status {
            200..=299 | 304 => {}
            429 | 503 => return End::Refused,
            500..=599 => return End::Failed("status 5xx"),
            _ => return End::Failed("status 4xx"),
        }
        if memmem::find(body, b"\"errors\":[").is_some() {
            return End::Failed("errors in the answer");
        }
        match &self.expected {
            Some(words) if memmem::find(body, words.as_bytes()).is_none() => End::Failed("another answer"),
            _ => End::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Loopback {
        Loopback::parse("http://127.0.0.1:1").unwrap()
    }

    #[test]
    fn each_request_has_a_caller_of_its_own() {
        let prepared = Prepared::graphql("query", &Value::Null, Caller::Unique);
        let callers: Vec<_> = (0..2)
            .map(|nth| prepared.request(&target(), nth).headers()[AUTHORIZATION].to_str().unwrap().to_owned())
            .collect();
        assert_ne!(callers[0], callers[1]);
    }

    #[test]
    fn a_token_is_renewed_under_way() {
        let token = Token::new("old");
        let prepared = Prepared::get("/", Caller::Person(token.clone()));
        token.renew("new");
        assert_eq!(prepared.request(&target(), 0).headers()[AUTHORIZATION], "Bearer new");
    }

    #[test]
    fn what_is_to_be_sent_once_runs_out() {
        let operation = Operation::new("once", 1.0, vec![Prepared::get("/", Caller::Nobody)]).once();
        assert!(operation.next().is_some() && operation.next().is_none());
    }

    #[test]
    fn an_answer_with_errors_is_no_good_one() {
        let operation = Operation::new("read", 1.0, Vec::new()).expecting("Paid");
        assert_eq!(operation.judge(200, br#"{"data":{"is":"Paid"}}"#), End::Good);
        assert_eq!(
            operation.judge(200, br#"{"data":null,"errors":[{}]}"#),
            End::Failed("errors in the answer")
        );
        assert_eq!(operation.judge(200, br#"{"data":{}}"#), End::Failed("another answer"));
        assert_eq!(operation.judge(503, b""), End::Refused);
    }
}
