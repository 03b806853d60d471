//! The clients of our authorization server, as `clients.toml` lists them.

use std::collections::BTreeSet;

use serde::Deserialize;

const BUILT_IN: &str = include_str!("../../clients.toml");

/// Whose login a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    Citizen,
    /// Only persons in the officer table get in.
    Officer,
}

/// A first-party client. All are public: PKCE proves them, not a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub id: String,
    pub name_th: String,
    pub name_en: String,
    pub audience: Audience,
    /// Whether it runs on the person's own device: its loopback address may carry any port.
    #[serde(default)]
    pub native: bool,
    pub redirect_uris: Vec<String>,
    pub logout_redirect_uris: Vec<String>,
    pub scopes: BTreeSet<String>,
    /// When a session ends however often its tokens are refreshed.
    pub session_hours_max: i64,
    /// Absent in production.
    #[serde(default)]
    pub sandbox_only: bool,
}

/// All clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    client: Vec<Client>,
}

impl Clients {
    /// The clients of `clients.toml`, for an installation at `public_url`.
    pub fn built_in(public_url: &str, sandbox: bool) -> Self {
        let text = BUILT_IN.replace("{public_url}", public_url.trim_end_matches('/'));
        let mut clients: Self = toml::from_str(&text).expect("clients.toml is checked by a test");
        clients.client.retain(|client| sandbox || !client.sandbox_only);
        clients
    }

    pub fn all(&self) -> impl Iterator<Item = &Client> {
        self.client.iter()
    }

    /// The client with this id.
    pub fn get(&self, id: &str) -> Option<&Client> {
        self.client.iter().find(|client| client.id == id)
    }
}

impl Client {
    /// Whether an authorization response may be sent to this address.
    pub fn redirects_to(&self, address: &str) -> bool {
        self.redirect_uris.iter().any(|registered| {
            registered == address || (self.native && same_but_for_port(registered, address))
        })
    }

    /// Whether a person may be sent to this address after logging out.
    pub fn logs_out_to(&self, address: &str) -> bool {
        self.logout_redirect_uris.iter().any(|registered| registered == address)
    }

    /// The name in both languages, as a page shows it.
    pub fn names(&self) -> (&str, &str) {
        (&self.name_th, &self.name_en)
    }
}

/// RFC 8252 section 7.3: a native app listens on the loopback interface at whatever port was free.
/// Compared as text: other ways to write the same address are not registered.
fn same_but_for_port(registered: &str, address: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]"].into_iter().any(|loopback| {
        let (Some(path), Some(rest)) = (registered.strip_prefix(loopback), address.strip_prefix(loopback))
        else {
            return false;
        };
        let Some(rest) = rest.strip_prefix(':') else { return false };
        let port = rest.split('/').next().unwrap_or_default();
        path.starts_with('/')
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
            && &rest[port.len()..] == path
    })
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn clients() -> Clients {
        Clients::built_in("https://pratu.example", true)
    }

    #[test]
    fn the_file_is_valid_and_its_clients_have_what_they_need() {
        for client in &clients().client {
            assert!(!client.redirect_uris.is_empty(), "{}", client.id);
            // An ID token names the session to log out of for 30 days.
            assert!((1..=720).contains(&client.session_hours_max), "{}", client.id);
            assert!(client.redirect_uris.iter().all(|uri| Url::parse(uri).is_ok()), "{}", client.id);
        }
    }

    #[test]
    fn a_redirect_address_matches_exactly() {
        let clients = clients();
        let portal = clients.get("citizen-portal").unwrap();
        assert!(portal.redirects_to("https://pratu.example/portal/callback"));
        for wrong in [
            "https://pratu.example/portal/callback/",
            "https://pratu.example/portal/callback?x=1",
            "https://pratu.example.evil/portal/callback",
            "http://127.0.0.1:9999/callback",
        ] {
            assert!(!portal.redirects_to(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_native_clients_loopback_address_may_carry_any_port_and_nothing_else() {
        let clients = clients();
        let app = clients.get("mobile-app").unwrap();
        assert!(app.redirects_to("app.pratu:/callback"));
        assert!(app.redirects_to("http://127.0.0.1:51004/callback"));
        assert!(app.redirects_to("http://[::1]:51004/callback"));
        for wrong in [
            "http://127.0.0.1:51004/other",
            "http://localhost:51004/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://2130706433:51004/callback",
            "http://127.0.0.1:51004/x/../callback",
            "http://127.0.0.1:+51004/callback",
            "http://127.0.0.1:510040/callback",
            "http://127.0.0.1:/callback",
            "http://evil@127.0.0.1:51004/callback",
            "https://127.0.0.1:51004/callback",
            "app.pratu:/callback2",
        ] {
            assert!(!app.redirects_to(wrong), "{wrong}");
        }
    }

    #[test]
    fn graphiql_is_no_client_in_production() {
        assert!(Clients::built_in("https://pratu.example", false).get("graphiql").is_none());
    }
}
