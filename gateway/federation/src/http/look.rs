//! Looks at the addresses that say whether they are ready, for as long as anybody asks them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;

use super::Failure;
use super::addresses::{Place, Places, Seen};
use super::connections::Connections;

/// A look that takes this long found nobody.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);
/// How many in a row are believed: a single one may be lost in a pause that all processes have.
const LOOKS: usize = 2;
/// Each may come to another process.
const LOOKS_AT_NAME: usize = 4;

/// Begins to look at each that has something to see. It ends with the last who holds the address. Each is
/// looked at by itself: one that hangs must not hide that another drains.
pub(super) fn begin(places: &Places, connections: &Connections, period: Duration) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    for place in places.iter().filter(|place| place.address.ready.is_some()) {
        runtime.spawn(go_on(Arc::downgrade(place), connections.clone(), period));
    }
}

async fn go_on(place: Weak<Place>, connections: Connections, period: Duration) {
    while let Some(place) = place.upgrade() {
        look(&place, &connections).await;
        drop(place);
        tokio::time::sleep(period).await;
    }
}

async fn look(place: &Place, connections: &Connections) {
    let Some(ready) = &place.address.ready else { return };
    let mut seen = None;
    for _ in 0..if place.several { LOOKS_AT_NAME } else { LOOKS } {
        seen = once(place, ready, connections).await;
        if seen.is_some() {
            break;
        }
    }
    let seen = seen.unwrap_or(Seen::Silent);
    // One that was never seen may be about to start: it is tried like any other.
    if seen != Seen::Silent || place.seen() != Seen::NotYet {
        place.see(seen);
    }
}

/// What is to be seen; `None` when nothing came in time.
async fn once(place: &Place, ready: &Uri, connections: &Connections) -> Option<Seen> {
    let mut request = Request::new(Full::<Bytes>::default());
    *request.uri_mut() = ready.clone();
    match tokio::time::timeout(LOOK_TIMEOUT, connections.send(request)).await {
        Ok(Ok(answer)) if answer.status().is_success() => Some(Seen::Ready),
        Ok(Ok(_) | Err(Failure::Malformed(_))) => Some(Seen::NotReady),
        Ok(Err(Failure::Refused(_))) if !place.several => Some(Seen::Silent),
        // Also a kept connection that was closed just now.
        Err(_) | Ok(Err(_)) => None,
    }
}
