//! Looks at the addresses that say whether they are ready, for as long as anybody asks them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Uri};
use http_body_util::Full;

use super::Failure;
use super::addresses::{Place, Places, Seen};
use super::connections::Connections;

/// A look that takes this long found nobody; the second in a row is believed.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);

/// Begins to look, where there is anything to see. It ends with the last who holds the places.
pub(super) fn begin(places: &Arc<Places>, connections: Connections, period: Duration) {
    if places.iter().all(|place| place.address.ready.is_none()) {
        return;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(go_on(Arc::downgrade(places), connections, period));
}

async fn go_on(places: Weak<Places>, connections: Connections, period: Duration) {
    while let Some(places) = places.upgrade() {
        let each = places.iter().filter_map(|place| Some((place, place.address.ready.as_ref()?)));
        join_all(each.map(|(place, ready)| look(place, ready, &connections))).await;
        drop(places);
        tokio::time::sleep(period).await;
    }
}

async fn look(place: &Place, ready: &Uri, connections: &Connections) {
    let mut seen = once(ready, connections).await;
    if seen.is_none() {
        // A single look may be lost in a pause that all processes have.
        seen = once(ready, connections).await;
    }
    let seen = seen.unwrap_or(Seen::Silent);
    // One that was never seen may be about to start: it is tried like any other.
    if seen != Seen::Silent || place.seen() != Seen::NotYet {
        place.see(seen);
    }
}

/// What is to be seen; `None` when nothing came in time.
async fn once(ready: &Uri, connections: &Connections) -> Option<Seen> {
    let mut request = Request::new(Full::<Bytes>::default());
    *request.uri_mut() = ready.clone();
    match tokio::time::timeout(LOOK_TIMEOUT, connections.send(request)).await {
        Ok(Ok(answer)) if answer.status().is_success() => Some(Seen::Ready),
        Ok(Ok(_) | Err(Failure::Malformed(_))) => Some(Seen::NotReady),
        Ok(Err(Failure::Refused(_))) => Some(Seen::Silent),
        // Also a kept connection that was closed just now.
        Err(_) | Ok(Err(_)) => None,
    }
}
