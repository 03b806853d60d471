//! HTTP clients for calls to the outside: always with a timeout, never following redirects.

use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A client whose every call ends within `timeout`.
pub fn http_client(timeout: Duration) -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect could lead a call with credentials anywhere.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("pratu/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("the client's settings are constants")
}
