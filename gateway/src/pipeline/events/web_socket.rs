//! GraphQL over WebSocket, subprotocol `graphql-transport-ws`: any operations on one line.
//!
//! Browsers let any page open a WebSocket to any server, and send cookies along. No cookie is read or forwarded
//! here: the caller is who the token says, and a page of another site has no token to send. Without one it is a
//! stranger, who can ask only what anyone can ask by other means; so refusing origins that are not ours
//! (`guards::origins`) protects little more than our visitors' addresses. Seats are counted as everywhere.
//!
//! A token that is bound to a key (DPoP) comes with a proof for this very request: method GET, the address
//! under its `http` or `ws` name, in the `DPoP` header or, as browsers cannot set one, as `dpop` beside
//! `authorization` in `connection_init`. It proves the line, and with it all operations on it.

mod close;
mod connection;
mod message;
mod operations;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use graphql::ErrorCode;
use tracing::Instrument;

use super::seats::Holder;
use crate::pipeline::respond::Reply;
use crate::pipeline::{Asker, Door, Refusal};
use connection::Connection;

const PROTOCOL: &str = "graphql-transport-ws";
/// A connection that is open for hours is idle nearly always: it keeps little memory.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Answers a request for a WebSocket. The request's own token, if it has one, is the connection's.
pub async fn open(door: &Arc<Door>, asker: Asker, request: Request) -> Result<Reply, Refusal> {
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.map_err(|rejection| {
        let message = rejection.body_text();
        Refusal::new(rejection.status(), ErrorCode::BadUserInput, &message)
    })?;
    let seat = door.subscriptions.take(Holder::of(&asker.caller, asker.address), &door.limits)?;
    let span = asker.id.span();
    let headers = kept(&parts.headers, door);
    let connection = Connection::new(Arc::clone(door), asker, headers, seat);
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        // Each message is written at once.
        .write_buffer_size(0)
        .max_message_size(door.limits.body_bytes_max)
        .max_frame_size(door.limits.body_bytes_max);
    let response = upgrade.on_upgrade(move |socket| connection.run(socket).instrument(span));
    Ok(Reply::Upgrade(response.into_response()))
}

/// What may matter of the request when the client says who it is.
fn kept(headers: &HeaderMap, door: &Door) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in door.forward.iter().chain([&header::AUTHORIZATION]) {
        if !kept.contains_key(name) {
            for value in headers.get_all(name) {
                kept.append(name, value.clone());
            }
        }
    }
    kept
}
