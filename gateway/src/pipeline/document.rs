//! What is asked: the parameters of a GraphQL request, from a body or an address.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use graphql::ErrorCode;
use serde_json::{Map, Value};

use super::Refusal;
use super::given::Given;
use crate::config::Limits;

/// Of a SHA-256 in hexadecimal.
const HASH_CHARS: usize = 64;
const MEDIA_TYPE: &str = "The body of a GraphQL request is application/json in UTF-8.";

/// The parameters of one request.
#[derive(Debug)]
pub struct Asked {
    pub given: Given,
    pub operation_name: Option<String>,
    pub variables: Map<String, Value>,
}

impl Asked {
    /// Takes the parameters of a request, whichever way they came.
    pub fn of(mut parameters: Map<String, Value>) -> Result<Self, Refusal> {
        let mut text = |name: &str| match parameters.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::bad_request(&format!("`{name}` must be a string."))),
        };
        let (query, id, operation_name) = (text("query")?, text("documentId")?, text("operationName")?);
        let relay_id = if query.is_none() && id.is_none() { text("doc_id")?.or(text("id")?) } else { None };
        let mut map = |name: &str| match parameters.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(Refusal::bad_request(&format!("`{name}` must be an object."))),
        };
        let variables = map("variables")?;
        let hash = persisted(&map("extensions")?)?;
        let given = match (query, id, hash) {
            (Some(_), Some(_), _) => {
                return Err(Refusal::bad_request("`query` and `documentId` exclude each other."));
            }
            (text, None, Some(hash)) => Given::Hash { hash, text },
            (Some(text), None, None) => Given::Text(text),
            (None, Some(id), _) => Given::Id(id),
            (None, None, None) => match relay_id {
                Some(id) => Given::Id(id),
                None => return Err(Refusal::bad_request("`query` is missing.")),
            },
        };
        Ok(Self { given, operation_name, variables })
    }
}

/// The hash that Apollo's automatic persisted queries give, in lower case as they do.
fn persisted(extensions: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let Some(persisted) = extensions.get("persistedQuery") else { return Ok(None) };
    let hash = persisted.get("sha256Hash").and_then(Value::as_str);
    let hash =
        hash.filter(|hash| hash.len() == HASH_CHARS && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    match (persisted.get("version").and_then(Value::as_u64), hash) {
        (Some(1), Some(hash)) => Ok(Some(hash.to_ascii_lowercase())),
        _ => Err(Refusal::bad_request("`extensions.persistedQuery` has version 1 and a sha256Hash.")),
    }
}

/// Reads the parameters, bounded in size and time.
pub async fn read(request: Request, limits: &Limits) -> Result<Asked, Refusal> {
    if request.method() == Method::GET {
        return from_address(request.uri().query().unwrap_or_default());
    }
    check_media_type(request.headers())?;
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| length > limits.body_bytes_max)
    {
        return Err(too_large(limits));
    }
    let whole = axum::body::to_bytes(request.into_body(), limits.body_bytes_max);
    let in_time = tokio::time::timeout(Duration::from_millis(limits.request_timeout_ms), whole).await;
    let body = in_time.map_err(|_| {
        let message = "The body did not come in time.";
        Refusal::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::BadUserInput, message)
    })?;
    from_body(&body.map_err(|_| too_large(limits))?)
}

fn too_large(limits: &Limits) -> Refusal {
    let message = format!("The body is larger than {} bytes or broke off.", limits.body_bytes_max);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BadUserInput, &message)
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = || Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::BadUserInput, MEDIA_TYPE);
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(refuse)?;
    let value = value.to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next() == Some("application/json");
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    let utf8 = charset.is_none_or(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8"));
    if json && utf8 && !headers.contains_key(header::CONTENT_ENCODING) { Ok(()) } else { Err(refuse()) }
}

fn from_body(body: &Bytes) -> Result<Asked, Refusal> {
    let value: Value =
        serde_json::from_slice(body).map_err(|_| Refusal::bad_request("The body is not valid JSON."))?;
    match value {
        Value::Object(parameters) => Asked::of(parameters),
        Value::Array(_) => Err(Refusal::bad_request("Batches are not served: send one request at a time.")),
        _ => Err(Refusal::bad_request("The body is not a GraphQL request object.")),
    }
}

fn from_address(query: &str) -> Result<Asked, Refusal> {
    let mut parameters = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = match name.as_ref() {
            "query" | "operationName" | "documentId" | "doc_id" | "id" => Value::String(value.into_owned()),
            "variables" | "extensions" => json_parameter(&name, &value)?,
            _ => continue,
        };
        if parameters.insert(name.to_string(), value).is_some() {
            return Err(Refusal::bad_request(&format!("`{name}` is given twice.")));
        }
    }
    Asked::of(parameters)
}

fn json_parameter(name: &str, text: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text).map_err(|_| Refusal::bad_request(&format!("`{name}` is not valid JSON.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_wrong_kind_are_refused() {
        for body in [
            "",
            "[]",
            "1",
            "{}",
            r#"{"query":1}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","operationName":1}"#,
            r#"{"query":"{a}","extensions":0}"#,
            r#"{"documentId":1}"#,
            r#"{"query":"{a}","documentId":"a"}"#,
            r#"{"extensions":{"persistedQuery":{"version":1}}}"#,
            r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"xyz"}}}"#,
            r#"{"query":"{a}","extensions":{"persistedQuery":{"version":2,"sha256Hash":"0"}}}"#,
        ] {
            let refused = from_body(&Bytes::from(body)).unwrap_err();
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        }
        let asked = from_body(&Bytes::from(r#"{"query":"{a}","variables":{"b":1}}"#)).unwrap();
        assert_eq!((asked.given, asked.variables["b"].as_i64()), (Given::Text("{a}".into()), Some(1)));
    }

    #[test]
    fn a_document_is_named_as_each_client_names_it() {
        let hash = "a".repeat(64);
        let persisted = format!(r#""extensions":{{"persistedQuery":{{"version":1,"sha256Hash":"{hash}"}}}}"#);
        let id = |id: &str| Given::Id(id.to_owned());
        let by_hash = |text: Option<&str>| Given::Hash { hash: hash.clone(), text: text.map(str::to_owned) };
        for (body, given) in [
            (r#"{"documentId":"sha256:1"}"#.to_owned(), id("sha256:1")),
            (r#"{"doc_id":"1"}"#.to_owned(), id("1")),
            (r#"{"id":"1","query":null}"#.to_owned(), id("1")),
            (r#"{"id":"1","query":"{a}"}"#.to_owned(), Given::Text("{a}".into())),
            (format!("{{{persisted}}}"), by_hash(None)),
            (format!(r#"{{"query":"{{a}}",{persisted}}}"#), by_hash(Some("{a}"))),
        ] {
            assert_eq!(from_body(&Bytes::from(body.clone())).unwrap().given, given, "{body}");
        }
        assert_eq!(from_address("documentId=1").unwrap().given, id("1"));
    }

    #[test]
    fn parameters_in_an_address_are_given_once() {
        assert!(from_address("query=%7Ba%7D&query=%7Bb%7D").is_err());
        assert!(from_address("query=%7Ba%7D&variables=%5B").is_err());
        assert_eq!(from_address("query=%7Ba%7D&v=1").unwrap().given, Given::Text("{a}".into()));
    }
}
