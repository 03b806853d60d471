//! How many requests one address may make per minute, per process.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Inner;

/// Addresses counted in one minute; past it, new ones are let through uncounted.
const ADDRESSES_MAX: usize = 100_000;
const RETRY_AFTER_S: u32 = 60;
/// The network part of an IPv6 address: the rest is its holder's own to choose.
const IPV6_NETWORK: u128 = !0 << 64;

/// Counts requests by address in whole minutes.
pub struct Limiter {
    per_minute_max: u32,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    minute: i64,
    by_address: HashMap<IpAddr, u32>,
}

impl Limiter {
    pub fn new(per_minute_max: u32) -> Self {
        Self { per_minute_max, counted: Mutex::default() }
    }

    /// Counts a request; whether it is within the limit.
    pub fn allows(&self, address: IpAddr, now_s: i64) -> bool {
        // Loopback is this machine: the sandbox, tests, or a proxy in front of everybody that
        // `proxies.trusted` does not name.
        if address.is_loopback() {
            return true;
        }
        let address = holder_of(address);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now_s.div_euclid(60);
        if counted.minute != minute {
            *counted = Counted { minute, by_address: HashMap::new() };
        }
        if counted.by_address.len() >= ADDRESSES_MAX && !counted.by_address.contains_key(&address) {
            return true;
        }
        let count = counted.by_address.entry(address).or_default();
        *count = count.saturating_add(1);
        *count <= self.per_minute_max
    }
}

/// Who holds an address: of an IPv6 address all that is behind its network's 64 bits.
fn holder_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & IPV6_NETWORK).into(),
        address => address,
    }
}

/// Lets a request through, or answers 429. Needs `ConnectInfo`; without it nothing is counted.
pub async fn limited(State(inner): State<Arc<Inner>>, request: Request, next: Next) -> Response {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if address.is_none_or(|address| inner.limiter.allows(address, inner.clock.now().timestamp())) {
        return next.run(request).await;
    }
    let mut response = (StatusCode::TOO_MANY_REQUESTS, "Too many requests.").into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_let_through_until_the_limit_and_again_in_the_next_minute() {
        let limiter = Limiter::new(2);
        let address = "192.0.2.1".parse().unwrap();
        assert!(limiter.allows(address, 0) && limiter.allows(address, 59));
        assert!(!limiter.allows(address, 59));
        assert!(limiter.allows("192.0.2.2".parse().unwrap(), 59));
        assert!(limiter.allows(address, 60));
    }

    #[test]
    fn addresses_of_one_network_are_counted_together() {
        let limiter = Limiter::new(1);
        let allows = |address: &str| limiter.allows(address.parse().unwrap(), 0);
        assert!(allows("2001:db8::1"));
        assert!(!allows("2001:db8::ffff:1"));
        assert!(allows("2001:db8:0:1::1"));
        assert!(allows("192.0.2.1"));
        assert!(!allows("::ffff:192.0.2.1"));
    }
}
