//! HTTP clients: always with a timeout, never following redirects.

use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A client for calls to the outside: every call ends within `timeout`.
pub fn http_client(timeout: Duration) -> reqwest::Client {
    built(client().timeout(timeout))
}

/// A client for our own other processes, whose answers may be streams: a call may last, but never
/// longer than `silence` without a byte.
pub fn stream_client(silence: Duration) -> reqwest::Client {
    // The machine's proxy is for the outside.
    built(client().read_timeout(silence).no_proxy())
}

fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect could lead a call with credentials anywhere.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("pratu/", env!("CARGO_PKG_VERSION")))
}

fn built(client: reqwest::ClientBuilder) -> reqwest::Client {
    client.build().expect("the client's settings are constants")
}
