//! What a subgraph sends over HTTP: answers and streams of events, whole, cut off, in pieces of any size.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use federation::{
    Address, Connections, Grants, Http, HttpSettings, RequestContext, Response, Subgraph, subgraph_locations,
};
use graphql_tools::static_graphql::query::{Definition, Document};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::puppet::{Fixture, answers, runtime};
use super::shape;

/// What is asked, the root it is asked of, and what the first answer to it comes as.
const CASES: [(&str, &str, &str); 5] = [
    ("{ latest { id body author { id } } }", "Query", "application/json"),
    ("{ me { name karma } }", "Query", "application/json"),
    ("subscription { made { upc price weight } }", "Subscription", "text/event-stream"),
    ("subscription { made { upc price weight } }", "Subscription", "multipart/mixed;boundary=\"graphql\""),
    ("subscription { made { upc shipping } }", "Subscription", "application/json"),
];
/// No input takes as long: nothing here waits for time to pass.
const RUN_MAX: Duration = Duration::from_secs(10);

/// What the subgraph sends to every request of a run.
#[derive(Clone, Default)]
struct Reply {
    kind: &'static str,
    body: Vec<u8>,
    piece_bytes: usize,
    /// The connection breaks before the end is sent.
    cut: bool,
}

struct Place {
    fixture: Fixture,
    reply: Arc<Mutex<Reply>>,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| runtime().block_on(place()));

/// The first byte chooses the case and whether the connection breaks, the second the size of the pieces.
pub fn run(bytes: &[u8]) {
    let [first, second, body @ ..] = bytes else { return };
    let (text, root, kind) = CASES[usize::from(*first) % CASES.len()];
    let cut = usize::from(*first) / CASES.len() % 4 == 3;
    let reply = Reply { kind, body: body.to_vec(), piece_bytes: usize::from(*second) + 1, cut };
    let whole = Reply { piece_bytes: body.len().max(1), ..reply.clone() };
    let in_pieces = shown(text, root, reply);
    if !cut {
        assert_eq!(in_pieces, shown(text, root, whole), "it matters how the bytes are cut");
    }
}

fn shown(text: &str, root: &str, reply: Reply) -> Vec<bytes::Bytes> {
    let Place { fixture, reply: slot } = &*PLACE;
    let most = reply.body.len() + 2;
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = reply;
    let ast: Document =
        graphql_tools::parser::parse_query::<String>(text).expect("the document is valid").into_static();
    let Some(Definition::Operation(operation)) = ast.definitions.first() else {
        panic!("there is an operation");
    };
    let document = fixture.engine.document(text).expect("the document is valid");
    let prepared = fixture.engine.prepare(&document, None, Default::default(), &Grants::default());
    let prepared = prepared.expect("the document can be planned");
    let variables = prepared.variables().clone();
    let begun = std::time::Instant::now();
    let all: Vec<Response> = answers(fixture, prepared, RequestContext::default());
    assert!(begun.elapsed() < RUN_MAX, "it took {:?}", begun.elapsed());
    assert!(all.len() <= most, "{} events out of {most} bytes", all.len());
    for response in &all {
        shape::check(&fixture.public, &ast, root, operation.selection_set(), &variables, response);
    }
    all.iter().map(Response::to_json_bytes).collect()
}

async fn place() -> Place {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let at = listener.local_addr().expect("it listens");
    let url: http::Uri = format!("http://{at}/").parse().expect("it is an address");
    let reply = Arc::new(Mutex::new(Reply::default()));
    let served = reply.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, served.clone()));
        }
    });
    let connections = Connections::new(http::HeaderValue::from_static("fuzz"));
    let supergraph = include_str!("../../../tests/fixtures/supergraph.graphql");
    let locations = subgraph_locations(supergraph).expect("the fixture is valid");
    let subgraphs: HashMap<String, Arc<dyn Subgraph>> = locations
        .into_iter()
        .map(|it| {
            let sign = Arc::new(|_: &RequestContext, _: &[u8]| http::HeaderMap::new());
            let address = Address { url: url.clone(), ready: None };
            // What broke in one run is asked again in the next.
            let settings = HttpSettings { breaker_open_ms: 0, ..HttpSettings::default() };
            let http = Http::new(&it.name, connections.clone(), vec![address], sign, settings);
            let subgraph: Arc<dyn Subgraph> = Arc::new(http);
            (it.name, subgraph)
        })
        .collect();
    Place { fixture: Fixture::over(supergraph, subgraphs), reply }
}

/// Answers the requests of one connection until it breaks.
async fn serve(mut stream: TcpStream, reply: Arc<Mutex<Reply>>) -> Option<()> {
    // Else each small piece would wait for the one before to be acknowledged.
    stream.set_nodelay(true).ok()?;
    let mut got = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = got.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            (stream.read_buf(&mut got).await.ok()? > 0).then_some(())?;
        };
        let text = String::from_utf8_lossy(&got[..head]).to_lowercase();
        let length = text.split("content-length: ").nth(1)?.lines().next()?.parse::<usize>().ok()?;
        while got.len() < head + length {
            (stream.read_buf(&mut got).await.ok()? > 0).then_some(())?;
        }
        got.drain(..head + length);
        let Reply { kind, body, piece_bytes, cut } =
            reply.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        for piece in body.chunks(piece_bytes) {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.ok()?;
            stream.write_all(piece).await.ok()?;
            stream.write_all(b"\r\n").await.ok()?;
        }
        if cut {
            // Its port would not be free again for a minute.
            stream.set_zero_linger().ok()?;
            return None;
        }
        stream.write_all(b"0\r\n\r\n").await.ok()?;
    }
}
