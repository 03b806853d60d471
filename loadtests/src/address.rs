//! Addresses that may be loaded: this machine's own and no other.

use std::net::SocketAddr;

use anyhow::{Context, bail};

/// The plain HTTP address of something on this machine.
#[derive(Clone, Debug)]
pub struct Loopback {
    pub socket: SocketAddr,
    /// What the `Host` header says.
    pub host: String,
    pub path: String,
}

impl Loopback {
    /// Takes `http://127.0.0.1:4000/graphql`; refuses what is not on this machine, whatever it is called.
    pub fn parse(address: &str) -> anyhow::Result<Self> {
        let url = url::Url::parse(address).with_context(|| format!("{address} is not an address"))?;
        if url.scheme() != "http" {
            bail!("{address}: only plain HTTP is spoken here");
        }
        let port = url.port_or_known_default().unwrap_or(80);
        let ip = match url.host() {
            Some(url::Host::Ipv4(ip)) if ip.is_loopback() => ip.into(),
            Some(url::Host::Ipv6(ip)) if ip.is_loopback() => ip.into(),
            Some(url::Host::Domain("localhost")) => std::net::Ipv4Addr::LOCALHOST.into(),
            _ => bail!("{address} is not on this machine: load is never sent to others"),
        };
        let socket = SocketAddr::new(ip, port);
        Ok(Self { socket, host: socket.to_string(), path: url.path().to_owned() })
    }
}

/// A port nobody listens on now.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::Loopback;

    #[test]
    fn only_this_machine_is_loaded() {
        for taken in
            ["http://127.0.0.1:4000/graphql", "http://localhost:1", "http://[::1]:80/", "http://127.9.9.9"]
        {
            Loopback::parse(taken).unwrap();
        }
        for refused in [
            "http://10.0.0.1/graphql",
            "http://example.com",
            "https://127.0.0.1",
            "http://127.0.0.1.example.com/",
            "http://0.0.0.0:4000",
            "http://user@192.168.0.1",
        ] {
            assert!(Loopback::parse(refused).is_err(), "{refused}");
        }
    }
}
