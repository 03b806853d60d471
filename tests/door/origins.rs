//! Pages of known origins may ask, and open WebSockets; others are refused by the same list.

use reqwest::{Method, Response, StatusCode};

use crate::installation::Installation;
use crate::interoperability::socket::{Socket, request};

async fn preflight(place: &Installation, origin: &str) -> Response {
    let ask = place.http.request(Method::OPTIONS, format!("{}/graphql", place.url)).header("origin", origin);
    let ask = ask.header("access-control-request-method", "POST");
    ask.header("access-control-request-headers", "authorization, content-type").send().await.unwrap()
}

fn allowed(response: &Response) -> Option<&str> {
    response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_origins_and_of_this_machine_may_ask_and_no_others() {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.door.origins = vec!["https://portal.example.go.th".to_owned()]).await;
    for origin in ["https://portal.example.go.th", "http://localhost:5173"] {
        let answer = preflight(&place, origin).await;
        assert_eq!((answer.status(), allowed(&answer)), (StatusCode::OK, Some(origin)));
        let headers = answer.headers()["access-control-allow-headers"].to_str().unwrap();
        assert!(headers.contains("authorization") && headers.contains("dpop"), "{headers}");
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    }
    for origin in ["https://evil.example", "null", "http://portal.example.go.th"] {
        assert_eq!(allowed(&preflight(&place, origin).await), None, "{origin}");
        let asked = place.http.post(format!("{}/graphql", place.url)).header("origin", origin);
        let asked = asked.json(&serde_json::json!({"query": "{ __typename }"})).send().await.unwrap();
        assert_eq!(allowed(&asked), None, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_opens_no_socket() {
    let place = Installation::start().await;
    let open = async |origin: &str| {
        let mut request = request(&place);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        Socket::open_with(request).await.err()
    };
    assert_eq!(open("https://evil.example").await, Some(StatusCode::FORBIDDEN));
    assert_eq!(open("http://localhost:5173").await, None);
    assert_eq!(open(&place.url).await, None);
}
