//! Subgraphs whose HTTP breaks: whatever arrives, or does not, costs their part of the answer and little time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::failures::{answering, unavailable, with};
use super::world::{World, remote, serve_with, typed};

/// What a server does once it has sent what it sends.
#[derive(Clone, Copy)]
pub enum Then {
    Closes,
    Waits,
}

/// A server that sends these bytes to every request, whatever HTTP has to say of them.
pub async fn serve_bytes(bytes: impl Into<Vec<u8>>, then: Then) -> String {
    let bytes: Arc<[u8]> = bytes.into().into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(send(stream, bytes.clone(), then));
        }
    });
    format!("http://{address}/")
}

async fn send(mut stream: TcpStream, bytes: Arc<[u8]>, then: Then) {
    let mut request = Vec::new();
    // Requests are JSON objects of one line, so the end is easily known.
    while !request.ends_with(b"}") {
        if stream.read_buf(&mut request).await.unwrap_or_default() == 0 {
            return;
        }
    }
    // The client may hang up in the middle.
    let _ = stream.write_all(&bytes).await;
    if matches!(then, Then::Waits) {
        std::future::pending::<()>().await;
    }
}

pub fn head(kind: &str, rest: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{rest}\r\n")
}

/// The karma of a user is unavailable, the name is there, and nobody waited long.
async fn is_unavailable(world: World, what: &str) {
    let begun = Instant::now();
    let answer = world.ask("{ me { name karma } latest { id } }").await;
    let expected = json!({
        "errors": [unavailable(json!(["latest"])), unavailable(json!(["me", "karma"]))],
        "data": {"me": {"name": "User \"1\" ü", "karma": null}, "latest": null},
    });
    assert_eq!(answer, expected, "{what}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{what} took {:?}", begun.elapsed());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let body = r#"{"data":{"latest":{"id":"r"},"_entities":[{"karma":1}]}}"#;
    let length = body.len();
    let chunk = format!("{length:x}\r\n{body}\r\n");
    let json = |rest: &str, body: &str| head("application/json", rest) + body;
    for (what, bytes) in [
        ("half a body", json(&format!("content-length: {length}\r\n"), &body[..20])),
        ("no body", json(&format!("content-length: {length}\r\n"), "")),
        ("a length too small", json(&format!("content-length: {}\r\n", length - 2), body)),
        ("a length beyond all", json("content-length: 99999999999999999999\r\n", body)),
        ("a length that is none", json("content-length: x\r\n", body)),
        ("two lengths", json("content-length: 3\r\ncontent-length: 4\r\n", body)),
        ("half a body until the end", json("", &body[..30])),
        ("pieces without an end", json("transfer-encoding: chunked\r\n", &chunk[..30])),
        ("a piece of a wrong length", json("transfer-encoding: chunked\r\n", &format!("5{chunk}"))),
        ("a piece without a length", json("transfer-encoding: chunked\r\n", "zz\r\n")),
        ("half a head", head("application/json", "")[..20].to_owned()),
        ("no HTTP", "SSH-2.0-OpenSSH_9.6\r\n".to_owned()),
        ("nothing", String::new()),
        ("a compressed body nobody asked for", json("content-encoding: gzip\r\n", "\u{1f}8")),
    ] {
        is_unavailable(with("reviews", remote(serve_bytes(bytes, Then::Closes).await)), what).await;
    }
}

#[tokio::test]
async fn an_answer_that_stops_is_given_up_in_time() {
    let length = "content-length: 1000\r\n";
    for (what, bytes) in [
        ("silence", String::new()),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-".to_owned()),
        ("a head alone", head("application/json", length)),
        ("half a body", head("application/json", length) + "{\"data\":{\"latest\":"),
        ("a whole answer without its end", head("application/json", length) + "{\"data\":{\"latest\":null}}"),
        ("a redirect to itself", "HTTP/1.1 307 No\r\nlocation: /\r\ncontent-length: 0\r\n\r\n".to_owned()),
        ("one that is only said to come", "HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
    ] {
        is_unavailable(with("reviews", remote(serve_bytes(bytes, Then::Waits).await)), what).await;
    }
}

#[tokio::test]
async fn an_answer_that_drips_is_given_up_in_time() {
    let drip = serve_with(|_, _| async {
        let tick = Duration::from_millis(10);
        let drops = futures::stream::unfold(tokio::time::interval(tick), |mut ticks| async move {
            ticks.tick().await;
            Some((Ok::<_, std::io::Error>(" "), ticks))
        });
        typed("application/json", Body::from_stream(drops))
    });
    is_unavailable(with("reviews", remote(drip.await)), "a drip").await;
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off_by_its_length() {
    let endless = serve_with(|_, _| async {
        let chunk = bytes::Bytes::from(vec![b' '; 1024 * 1024]);
        let chunks = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
        typed("application/json", Body::from_stream(chunks))
    });
    // Patience of ten seconds: the limit on bytes ends it, not the one on time.
    let world = World::in_process_with(Default::default(), Some(("reviews", remote(endless.await))));
    is_unavailable(world, "an endless answer").await;
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_none() {
    let page = "<html><body>{\"data\": {\"latest\": {\"id\": 1}}}</body></html>";
    for status in [200, 204, 302, 401, 404, 429, 500, 502] {
        let refusing = serve_with(move |_, _| async move {
            let mut response = typed("text/html", Body::from(page));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        });
        is_unavailable(with("reviews", remote(refusing.await)), &status.to_string()).await;
    }
}

#[tokio::test]
async fn an_answer_counts_whatever_its_status_and_its_content_type() {
    let answer =
        r#"{"data": null, "errors": [{"message": "Go away.", "extensions": {"code": "FORBIDDEN"}}]}"#;
    for (status, kind) in [(200, "text/plain"), (400, "application/graphql-response+json"), (500, "x")] {
        let refusing = serve_with(move |_, _| async move {
            let mut response: Response = typed(kind, Body::from(answer));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        });
        let told = with("reviews", remote(refusing.await)).ask("{ latest { id } }").await;
        assert_eq!(told["errors"][0]["message"], "Go away.", "{status}");
        assert_eq!(told["errors"][0]["extensions"]["code"], "FORBIDDEN", "{status}");
    }
}

#[tokio::test]
async fn text_that_is_not_json_is_none() {
    for value in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e400",
        "01",
        "+1",
        ".5",
        "1.",
        "0x10",
        "1_000",
        "undefined",
        "'x'",
        "\"\t\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800\\u0041\"",
        "nul",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":}",
        "[",
        "]",
        "\"",
        "/* */1",
        "1}}",
        "\u{feff}1",
    ] {
        let entity =
            format!(r#"{{"data":{{"latest":{{"id":"r","body":{value}}},"_entities":[{{"karma":1}}]}}}}"#);
        is_unavailable(answering(entity).await, value).await;
    }
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xc3\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\x00",
        b"\"\xc0\xaf\"",
    ] {
        let mut body = b"{\"data\":{\"latest\":".to_vec();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"}}");
        let head = head("application/json", &format!("content-length: {}\r\n", body.len()));
        let bytes = [head.as_bytes(), &body].concat();
        is_unavailable(with("reviews", remote(serve_bytes(bytes, Then::Closes).await)), "not UTF-8").await;
    }
}

#[tokio::test]
async fn an_answer_as_deep_as_the_limit_is_read_and_one_deeper_is_none() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"data": {{"latest": {{"id": "r"}}, "_entities": [null], "deep": {open}{close}}}}}"#)
    };
    let query = "{ latest { id } }";
    assert_eq!(answering(nested(78)).await.ask(query).await, json!({"data": {"latest": {"id": "r"}}}));
    is_unavailable(answering(nested(79)).await, "deep").await;
    assert_eq!(answering(nested(79)).await.ask(query).await["data"]["latest"], Value::Null);
}
