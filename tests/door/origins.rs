//! Pages of known origins may ask, and open WebSockets; others are refused by the same list.

use reqwest::{Method, Response, StatusCode};

use crate::installation::Installation;
use crate::interoperability::socket::{Socket, request};

async fn preflight(place: &Installation, origin: &str) -> Response {
    preflight_of(place, "graphql", "POST", origin).await
}

async fn preflight_of(place: &Installation, path: &str, method: &str, origin: &str) -> Response {
    let ask = place.http.request(Method::OPTIONS, format!("{}/{path}", place.url)).header("origin", origin);
    let ask = ask.header("access-control-request-method", method);
    ask.header("access-control-request-headers", "authorization, content-type").send().await.unwrap()
}

fn allowed(response: &Response) -> Option<&str> {
    response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

fn varies(response: &Response) -> bool {
    let vary = response.headers().get_all("vary").iter();
    vary.flat_map(|vary| vary.to_str().unwrap().split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("origin"))
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
        assert_eq!(answer.headers()["access-control-allow-methods"], "GET,POST");
        assert!(varies(&answer));
    }
    for origin in ["https://evil.example", "null", "http://portal.example.go.th"] {
        assert_eq!(allowed(&preflight(&place, origin).await), None, "{origin}");
        let asked = place.http.post(format!("{}/graphql", place.url)).header("origin", origin);
        let asked = asked.json(&serde_json::json!({"query": "{ __typename }"})).send().await.unwrap();
        assert_eq!(allowed(&asked), None, "{origin}");
        assert!(varies(&asked), "no cache may take this answer for another page's");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_may_ask_may_send_and_read_files_too() {
    let mut place = Installation::start().await;
    place.restart_with(|config| config.door.origins = vec!["https://portal.example.go.th".to_owned()]).await;
    for (path, method) in [("uploads/ticket", "PUT"), ("evidence/evd_1", "GET")] {
        let answer = preflight_of(&place, path, method, "https://portal.example.go.th").await;
        assert_eq!(allowed(&answer), Some("https://portal.example.go.th"), "{path}");
        let methods = answer.headers()["access-control-allow-methods"].to_str().unwrap();
        assert!(methods.contains(method), "{path}: {methods}");
        assert_eq!(allowed(&preflight_of(&place, path, method, "https://evil.example").await), None);
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
