//! What an operator sets for identity: the address, the Digital ID providers, the company registry.

use chassis::Environment;
use graphql::LocalizedText;
use openidconnect::ClientSecret;
use serde::Deserialize;

/// Settings of the identity service. The default is that of the sandbox on this machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address of this installation, without a slash at the end; also the issuer of our tokens.
    pub public_url: String,
    /// Sandbox accepts test persons only, production real persons only.
    pub environment: Environment,
    /// The Digital ID providers a citizen can choose from.
    pub providers: Vec<ProviderConfig>,
    /// Where directors of companies are looked up; without one nobody acts for a company.
    pub registry: Option<RegistryConfig>,
    /// How long a provider or the registry may take to answer.
    pub provider_timeout_ms: u64,
    /// Requests to `/oauth` from one address per minute; loopback is not counted.
    pub requests_per_minute_max: u32,
}

/// A Digital ID provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Names it in addresses and in the level policy: letters, digits, hyphens.
    pub code: String,
    pub adapter: Adapter,
    pub name: LocalizedText,
    /// Its issuer, as its discovery document says it, to the letter.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: ClientSecret,
    /// Scopes to ask for besides `openid`; the adapter's own when empty.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// Which provider's ways are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adapter {
    Thaid,
    Dga,
}

/// The registry of companies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// Its address, up to and without `/companies`.
    pub url: String,
    pub secret: ClientSecret,
}

impl Default for Config {
    fn default() -> Self {
        Self::sandbox("http://127.0.0.1:4000")
    }
}

impl Config {
    /// The settings that fit the sandbox mounted at `{public_url}/sandbox`.
    pub fn sandbox(public_url: &str) -> Self {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let provider = |code: &str, adapter, name| ProviderConfig {
            code: code.to_owned(),
            adapter,
            name,
            issuer: format!("{public_url}/sandbox/idp/{code}"),
            client_id: "pratu".to_owned(),
            client_secret: ClientSecret::new("sandbox-idp-secret".to_owned()),
            scopes: Vec::new(),
        };
        Self {
            providers: vec![
                provider("thaid", Adapter::Thaid, LocalizedText::new("ไทยดี (ThaID)", "ThaID")),
                provider("dga", Adapter::Dga, LocalizedText::new("ดิจิทัลไอดีภาครัฐ (ทางรัฐ)", "DGA Digital ID")),
            ],
            registry: Some(RegistryConfig {
                url: format!("{public_url}/sandbox/registry"),
                secret: ClientSecret::new("sandbox-registry-secret".to_owned()),
            }),
            environment: Environment::Sandbox,
            provider_timeout_ms: 8_000,
            requests_per_minute_max: 300,
            public_url,
        }
    }
}
