//! Where a request really comes from, when it comes through proxies of ours.
//!
//! Each proxy appends the address it was asked from to a header; a client can write there what it likes
//! before. So the list is read from its end, and only as long as those who wrote it are trusted.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Proxies that one request may come through.
const HOPS_MAX: usize = 16;

/// Which proxies are believed, and where they write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proxies {
    /// The networks of our own proxies: `["10.0.0.0/8", "2001:db8::/32"]`. Nobody else is believed.
    pub trusted: Vec<IpNet>,
    /// The header that they write. The other one is whatever a client says, and is never read.
    pub header: ForwardedHeader,
}

/// Headers in which proxies name who asked them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// The common one: addresses, separated by commas.
    #[default]
    XForwardedFor,
    /// RFC 7239: `for=192.0.2.1;proto=https`, separated by commas.
    Forwarded,
}

impl ForwardedHeader {
    fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

impl Proxies {
    /// What a proxy of ours writes of `client`, who asked it.
    pub fn written(&self, client: IpAddr) -> Option<(HeaderName, HeaderValue)> {
        let text = match (self.header, client) {
            (ForwardedHeader::XForwardedFor, _) => client.to_string(),
            (ForwardedHeader::Forwarded, IpAddr::V4(_)) => format!("for={client}"),
            (ForwardedHeader::Forwarded, IpAddr::V6(_)) => format!("for=\"[{client}]\""),
        };
        Some((HeaderName::from_static(self.header.name()), HeaderValue::try_from(text).ok()?))
    }

    /// The address of the client of a request that came from `peer`.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines: Vec<&str> =
            headers.get_all(self.header.name()).iter().map(|line| line.to_str().unwrap_or("")).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        for hop in hops.take(HOPS_MAX) {
            if !self.trusts(client) {
                break;
            }
            // What cannot be read is nobody's address: the one who wrote it stands for it.
            let Some(before) = self.address(hop) else { break };
            client = before;
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    fn address(&self, hop: &str) -> Option<IpAddr> {
        match self.header {
            ForwardedHeader::XForwardedFor => address(hop),
            ForwardedHeader::Forwarded => hop.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case("for").then(|| address(value))?
            }),
        }
    }
}

/// Reads an address with or without a port, as proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

/// Puts the client's address where everything looks for who asks: limits per address count by it.
pub async fn unveil(State(proxies): State<Arc<Proxies>>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        let client = proxies.client(peer.ip(), request.headers());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, peer.port())));
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(header: ForwardedHeader, peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap()).to_vec();
        let mut headers = HeaderMap::new();
        for line in lines {
            let name = if header == ForwardedHeader::Forwarded { "forwarded" } else { "x-forwarded-for" };
            headers.append(name, line.parse().unwrap());
        }
        Proxies { trusted, header }.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let of = |peer, lines: &[&str]| client(ForwardedHeader::XForwardedFor, peer, lines);
        assert_eq!(of("203.0.113.9", &["192.0.2.1"]), "203.0.113.9", "anybody can write a header");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(of("::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["127.0.0.1, 192.0.2.1"]), "192.0.2.1", "what the client wrote is before");
        assert_eq!(of("10.0.0.1", &["127.0.0.1", "192.0.2.1, 10.0.0.2"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(of("10.0.0.1", &["192.0.2.1, unknown"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["192.0.2.1:5000"]), "192.0.2.1");
        assert_eq!(of("2001:db8:1::1", &["[2001:db8:2::7]:443"]), "2001:db8:2::7");
        assert_eq!(of("10.0.0.1", &["2001:db8:2::7"]), "2001:db8:2::7");
        assert_eq!(of("10.0.0.1", &[&"10.0.0.2,".repeat(1_000)]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_as_it_is_defined() {
        let of = |peer, lines: &[&str]| client(ForwardedHeader::Forwarded, peer, lines);
        assert_eq!(of("10.0.0.1", &["for=192.0.2.1;proto=https;by=10.0.0.1"]), "192.0.2.1");
        assert_eq!(
            of("10.0.0.1", &["for=127.0.0.1, proto=https;For=\"[2001:db8:2::7]:443\""]),
            "2001:db8:2::7"
        );
        assert_eq!(of("10.0.0.1", &["for=_hidden"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["proto=https"]), "10.0.0.1");
        assert_eq!(of("203.0.113.9", &["for=192.0.2.1"]), "203.0.113.9");
    }

    #[test]
    fn the_other_header_is_never_read() {
        let proxies = Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap()], ..Proxies::default() };
        let headers =
            HeaderMap::from_iter([(axum::http::header::FORWARDED, "for=192.0.2.1".parse().unwrap())]);
        assert_eq!(proxies.client([10, 0, 0, 1].into(), &headers), IpAddr::from([10, 0, 0, 1]));
    }
}
