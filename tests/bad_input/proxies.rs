//! Who is counted, when requests come through a proxy, and when somebody only says so.

use reqwest::StatusCode;

use crate::installation::Installation;

const REQUESTS_PER_MINUTE_MAX: u32 = 2;

async fn status(place: &Installation, header: (&str, &str)) -> StatusCode {
    let post = place.http.post(format!("{}/oauth/token", place.url)).header(header.0, header.1);
    post.form(&[("grant_type", "nothing")]).send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_behind_our_proxy_is_counted_by_its_own_address() {
    let mut place = Installation::start().await;
    place
        .restart_with(|config| {
            let identity = config.identity.get_or_insert_default();
            identity.requests_per_minute_max = REQUESTS_PER_MINUTE_MAX;
            config.proxies.trusted = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
    // A minute may turn between two requests; in three times as many one is too many for sure.
    let mut refused = 0;
    for _ in 0..3 * REQUESTS_PER_MINUTE_MAX {
        let chain = ("x-forwarded-for", "203.0.113.9, 192.0.2.1");
        refused += u32::from(status(&place, chain).await == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0, "whatever the client writes before its own address");
    assert_ne!(status(&place, ("x-forwarded-for", "192.0.2.2")).await, StatusCode::TOO_MANY_REQUESTS);

    place.restart_with(|config| config.proxies.trusted = Vec::new()).await;
    for _ in 0..3 * REQUESTS_PER_MINUTE_MAX {
        let said = status(&place, ("x-forwarded-for", "192.0.2.1")).await;
        assert_ne!(said, StatusCode::TOO_MANY_REQUESTS, "nobody is believed, and this is loopback");
    }
}
