//! WebSocket clients that never fall silent: what they cause stays bounded, and they are still answered.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::installation::Installation;

const PATIENCE: Duration = Duration::from_secs(20);
/// A server that takes nothing for so long has stopped reading.
const NOTHING_TAKEN: Duration = Duration::from_secs(3);
/// Far more than what two systems buffer between programs.
const FLOOD_BYTES: usize = 48 * 1024 * 1024;
const FLOOD_OPERATIONS: usize = 10_000;
/// As many as the door runs on one line.
const OPERATIONS_MAX: usize = 100;
const TEXT: u8 = 1;
const PING: u8 = 9;

/// One masked frame, its mask all zeros.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let mut frame = vec![0x80 | kind];
    match u8::try_from(length) {
        Ok(short @ ..126) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    [&frame[..], &[0; 4], payload].concat()
}

fn subscribe(id: usize, query: &str) -> Vec<u8> {
    let message = format!(r#"{{"id":"{id}","type":"subscribe","payload":{{"query":"{query}"}}}}"#);
    frame(TEXT, message.as_bytes())
}

/// A line that became a WebSocket and was greeted; its own end buffers little.
async fn greeted(place: &Installation) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut line = socket.connect(place.url.trim_start_matches("http://").parse().unwrap()).await.unwrap();
    let head = "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\
                sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(&frame(TEXT, br#"{"type":"connection_init"}"#)).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(br#"{"type":"connection_ack"}"#) {
        answer.push(line.read_u8().await.unwrap());
    }
    line
}

/// Whether a whole flood is taken, sent as fast as can be.
async fn is_taken(line: &mut TcpStream, frame: impl Fn(usize) -> Vec<u8>) -> bool {
    let flood = (0..).flat_map(frame).take(FLOOD_BYTES).collect::<Vec<_>>();
    for part in flood.chunks(64 * 1024) {
        match tokio::time::timeout(NOTHING_TAKEN, line.write_all(part)).await {
            Ok(written) => written.unwrap(),
            Err(_) => return false,
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_pings_are_heard_from_who_takes_no_pongs() {
    let place = Installation::start().await;
    assert!(!is_taken(&mut greeted(&place).await, |_| frame(PING, &[b'x'; 125])).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_line_cannot_run_is_refused_before_more_is_heard() {
    let place = Installation::start().await;
    let (mut reading, mut writing) = greeted(&place).await.into_split();
    let mut flood: Vec<u8> = (0..FLOOD_OPERATIONS).flat_map(|id| subscribe(id, "{ __typename }")).collect();
    flood.extend(frame(TEXT, br#"{"type":"ping"}"#));
    let flood = tokio::spawn(async move { writing.write_all(&flood).await.map(|()| writing) });
    let (mut heard, mut bytes) = (String::new(), [0; 4_096]);
    let pong = async {
        while !heard.contains(r#""type":"pong""#) {
            let read = reading.read(&mut bytes).await.unwrap();
            heard.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    };
    tokio::time::timeout(PATIENCE, pong).await.expect("a pong");
    let _open = flood.await.unwrap().unwrap();
    let ended = heard.matches(r#""type":"complete""#).count() + heard.matches(r#""type":"error""#).count();
    // No more than these may be running.
    assert!(ended + OPERATIONS_MAX >= FLOOD_OPERATIONS, "{ended}");
}
