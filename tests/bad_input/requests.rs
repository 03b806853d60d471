//! Requests that are no GraphQL over HTTP: each is refused with a status, a code and a request id.

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::code;
use crate::installation::Installation;
use crate::person::Person;

const NEW: &str = "application/graphql-response+json";
const OLD: &str = "application/json";

fn post(place: &Installation, body: impl Into<reqwest::Body>) -> RequestBuilder {
    place.http.post(format!("{}/graphql", place.url)).body(body)
}

async fn refused(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let answer: Value = response.json().await.expect("a refusal is JSON");
    assert!(answer["errors"][0]["extensions"]["requestId"].is_string(), "{answer}");
    assert!(answer["errors"][0]["message"].as_str().is_some_and(|message| message.len() > 10), "{answer}");
    assert!(answer.get("data").is_none(), "{answer}");
    (status, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_bodies_are_refused_with_a_code_and_a_request_id() {
    let place = Installation::start().await;
    let nested =
        format!(r#"{{"query":"{{a}}","variables":{}{}}}"#, r#"{"a":"#.repeat(10_000), "1}".repeat(10_000));
    let bodies: [(&[u8], &str); 14] = [
        (b"", "BAD_USER_INPUT"),
        (b"{", "BAD_USER_INPUT"),
        (b"null", "BAD_USER_INPUT"),
        (b"{}", "BAD_USER_INPUT"),
        (b"[]", "BAD_USER_INPUT"),
        (br#"[{"query":"{__typename}"},{"query":"{__typename}"}]"#, "BAD_USER_INPUT"),
        (br#"{"query":5}"#, "BAD_USER_INPUT"),
        (b"{\"query\":\"{ __typename # \xff\xfe }\"}", "BAD_USER_INPUT"),
        (b"\x7b\0\"\0q\0u\0e\0r\0y\0\"\0", "BAD_USER_INPUT"),
        (br#"{"query":"{ a(b: \"\ud800\") }"}"#, "BAD_USER_INPUT"),
        (br#"{"query":"{a}","variables":{"a":1e999}}"#, "BAD_USER_INPUT"),
        (nested.as_bytes(), "BAD_USER_INPUT"),
        (br#"{"query":"{"}"#, "GRAPHQL_PARSE_FAILED"),
        (br#"{"query":"{ nothing }"}"#, "GRAPHQL_VALIDATION_FAILED"),
    ];
    for (body, expected) in bodies {
        let send =
            post(&place, body.to_vec()).header("content-type", "application/json").header("accept", NEW);
        let (status, answer) = refused(send.send().await.unwrap()).await;
        let body = String::from_utf8_lossy(&body[..body.len().min(80)]);
        assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, expected), "{body}: {answer}");
    }
    // Over the older media type only what could not be read at all has a status of its own.
    for (body, status) in [(r#"{"query":"{"}"#, StatusCode::OK), ("{", StatusCode::BAD_REQUEST)] {
        let send = post(&place, body).header("content-type", "application/json").header("accept", OLD);
        assert_eq!(refused(send.send().await.unwrap()).await.0, status, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_json_in_utf_8_and_nothing_else() {
    let place = Installation::start().await;
    let query = r#"{"query":"{ __typename }"}"#;
    let gzip: &[u8] =
        &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xAB, 0xAE, 5, 0, 0x43, 0xBF, 0xA6, 0xA3, 2, 0, 0, 0];
    for (media_type, encoding, body) in [
        (None, None, query.as_bytes()),
        (Some("text/plain"), None, query.as_bytes()),
        (Some("application/graphql"), None, b"{ __typename }".as_slice()),
        (Some("application/x-www-form-urlencoded"), None, b"query=%7B__typename%7D"),
        (Some("multipart/form-data; boundary=x"), None, b"--x--"),
        (Some("application/json; charset=utf-16"), None, query.as_bytes()),
        (Some("application/json; charset=\"iso-8859-1\""), None, query.as_bytes()),
        (Some("application/json\u{e9}"), None, query.as_bytes()),
        (Some("application/json"), Some("gzip"), gzip),
        (Some("application/json"), Some("br"), query.as_bytes()),
    ] {
        let mut send = post(&place, body.to_vec());
        if let Some(media_type) = media_type {
            send = send.header("content-type", media_type);
        }
        if let Some(encoding) = encoding {
            send = send.header("content-encoding", encoding);
        }
        let (status, answer) = refused(send.send().await.unwrap()).await;
        let expected = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "BAD_USER_INPUT");
        assert_eq!((status, code(&answer)), expected, "{media_type:?} {encoding:?}: {answer}");
    }
    for media_type in ["application/json; charset=UTF-8", "Application/JSON;charset=\"utf-8\""] {
        let send = post(&place, query).header("content-type", media_type);
        assert_eq!(send.send().await.unwrap().status(), StatusCode::OK, "{media_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_addresses_and_forms_that_there_are_not_are_refused() {
    let place = Installation::start().await;
    let address = format!("{}/graphql", place.url);
    let get = |parameters: &[(&str, &str)]| place.http.get(&address).query(parameters).header("accept", NEW);
    for parameters in [
        vec![],
        vec![("query", "")],
        vec![("variables", "{}")],
        vec![("query", "{ __typename }"), ("query", "{ __typename }")],
        vec![("query", "{ __typename }"), ("variables", "{")],
        vec![("query", "{ __typename }"), ("variables", "[]")],
        vec![("query", "{ __typename }"), ("extensions", "5")],
    ] {
        let (status, answer) = refused(get(&parameters).send().await.unwrap()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{parameters:?}: {answer}");
    }
    let mutation = "mutation { endSession(input: {idempotencyKey: \"a\"}) { __typename } }";
    let response = get(&[("query", mutation)]).send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap())
    );
    refused(response).await;

    let put = place.http.put(&address).send().await.unwrap();
    let allow = put.headers()["allow"].to_str().unwrap();
    assert_eq!((put.status(), allow), (StatusCode::METHOD_NOT_ALLOWED, "GET, POST"));
    for accept in ["text/html", "image/*, text/plain;q=0.5", "multipart/mixed"] {
        let send =
            place.http.post(&address).json(&json!({"query": "{ __typename }"})).header("accept", accept);
        let (status, answer) = refused(send.send().await.unwrap()).await;
        assert_eq!((status, code(&answer)), (StatusCode::NOT_ACCEPTABLE, "BAD_USER_INPUT"), "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_of_variables_costs_little_and_more_is_not_read() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    let begun = std::time::Instant::now();
    let lists = "[],".repeat(300_000);
    let body = format!(r#"{{"query":"{{ __typename }}","variables":{{"unused":[{lists}null]}}}}"#);
    let answer = post(&place, body).header("content-type", "application/json").send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"data": {"__typename": "Query"}}));
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());

    let large = post(&place, vec![b' '; 10_000_000]).header("content-type", "application/json");
    let (status, answer) = refused(large.send().await.unwrap()).await;
    assert_eq!((status, code(&answer)), (StatusCode::PAYLOAD_TOO_LARGE, "BAD_USER_INPUT"));
    assert_eq!(nobody.query("{ __typename }", json!({})).await["data"]["__typename"], "Query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_national_number_is_not_taken_from_an_address() {
    let place = Installation::start().await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    let by_variable =
        "query($number: NationalId) { officerQueue(filter: {applicantNumber: $number}) { nodes { id } } }";
    let written_out = r#"{ officerQueue(filter: {applicantNumber: "1100100001015"}) { nodes { id } } }"#;
    let no_number = "{ officerQueue { nodes { id } } }";
    let variables = r#"{"number": "1100100001015"}"#;
    for (query, variables, allowed) in [
        (by_variable, variables, false),
        (written_out, "{}", false),
        (by_variable, "{}", true),
        (no_number, "{}", true),
    ] {
        let asked = [("query", query), ("variables", variables)];
        let get = place.http.get(format!("{}/graphql", place.url)).query(&asked);
        let response =
            get.header("accept", NEW).bearer_auth(officer.token.as_deref().unwrap()).send().await.unwrap();
        if allowed {
            assert_eq!(response.status(), StatusCode::OK, "{query}");
            continue;
        }
        let (status, answer) = refused(response).await;
        assert_eq!((status, code(&answer)), (StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT"), "{answer}");
        assert!(!answer.to_string().contains("1100100001015"), "{answer}");
    }
}
