//! What an operator sets for identity: the address, the Digital ID providers, the company registry.

use std::path::PathBuf;

use chassis::{Environment, Secret};
use graphql::LocalizedText;
use serde::{Deserialize, Serialize};

use crate::model::assurance::{Assurance, PolicyError};

const SANDBOX_PROVIDER_SECRET: &str = "sandbox-idp-secret";
const SANDBOX_REGISTRY_SECRET: &str = "sandbox-registry-secret";

/// Settings of the identity service. The default is that of the sandbox on this machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address of this installation, without a slash at the end; also the issuer of our tokens.
    /// Not read from here: it is the whole installation's.
    #[serde(skip)]
    pub public_url: String,
    /// Sandbox accepts test persons only, production real persons only. The whole installation's, too.
    #[serde(skip)]
    pub environment: Environment,
    /// The Digital ID providers a citizen can choose from.
    pub providers: Vec<ProviderConfig>,
    /// Where directors of companies are looked up; without one nobody acts for a company.
    pub registry: Option<RegistryConfig>,
    /// The level policy to use instead of the built-in one (`services/identity/assurance.toml`).
    pub assurance_file: Option<PathBuf>,
    /// How long a provider or the registry may take to answer.
    pub provider_timeout_ms: u64,
    /// Requests to `/oauth` from one address per minute; loopback is not counted.
    pub requests_per_minute_max: u32,
}

/// A Digital ID provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Names it in addresses and in the level policy: letters, digits, hyphens.
    pub code: String,
    pub adapter: Adapter,
    pub name: LocalizedText,
    /// Its issuer, as its discovery document says it, to the letter.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
    /// Scopes to ask for besides `openid`; the adapter's own when empty.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Where it differs from its adapter's ways.
    #[serde(default)]
    pub oddities: Oddities,
}

/// What a provider does otherwise than its adapter expects. What is left out is the adapter's own way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oddities {
    /// What is sent of the client secret.
    pub secret_form: Option<SecretForm>,
    /// Where the client secret is sent: HTTP Basic when left out.
    pub client_auth: Option<ClientAuth>,
    /// Whether the claims about a person are asked of `userinfo` besides those in the ID token.
    pub userinfo: Option<bool>,
}

/// What is sent of a client secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretForm {
    /// The secret itself.
    Plain,
    /// DGA's: seven rounds of MD5 over the secret and "EGA".
    EgaMd5,
}

/// Where a client secret is sent (OpenID Connect Core section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    Basic,
    Body,
}

/// Which provider's ways are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adapter {
    Thaid,
    Dga,
}

/// The registry of companies.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// Its address, up to and without `/companies`.
    pub url: String,
    pub secret: Secret,
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
            client_secret: Secret::from(SANDBOX_PROVIDER_SECRET),
            scopes: Vec::new(),
            oddities: Oddities::default(),
        };
        Self {
            providers: vec![
                provider("thaid", Adapter::Thaid, LocalizedText::new("ไทยดี (ThaID)", "ThaID")),
                provider("dga", Adapter::Dga, LocalizedText::new("ดิจิทัลไอดีภาครัฐ (ทางรัฐ)", "DGA Digital ID")),
            ],
            registry: Some(RegistryConfig {
                url: format!("{public_url}/sandbox/registry"),
                secret: Secret::from(SANDBOX_REGISTRY_SECRET),
            }),
            environment: Environment::Sandbox,
            assurance_file: None,
            provider_timeout_ms: 8_000,
            requests_per_minute_max: 300,
            public_url,
        }
    }

    /// The level policy: that of the file, or the built-in one.
    pub(crate) fn assurance(&self) -> Result<Assurance, PolicyError> {
        match &self.assurance_file {
            None => Ok(Assurance::built_in()),
            Some(path) => Assurance::parse(&std::fs::read_to_string(path)?),
        }
    }

    /// What is missing for production, one line each: providers and secrets that are the sandbox's.
    pub fn missing_for_production(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.providers.is_empty() {
            missing.push("identity.providers is empty: nobody could log in".to_owned());
        }
        let ours = |url: &str| url.starts_with("https://") && !url.contains("/sandbox/");
        let policy = self.assurance();
        if let Err(error) = &policy {
            missing.push(format!("identity.assurance_file: {error}"));
        }
        for provider in &self.providers {
            if policy.as_ref().is_ok_and(|policy| !policy.knows(&provider.code)) {
                missing.push(format!("identity.assurance_file: there is no rule about {}", provider.code));
            }
            if !ours(&provider.issuer) || provider.client_secret.reveal() == SANDBOX_PROVIDER_SECRET {
                missing.push(format!("identity.providers: {} is the sandbox's", provider.code));
            }
        }
        match &self.registry {
            Some(registry) if !ours(&registry.url) || registry.secret.reveal() == SANDBOX_REGISTRY_SECRET => {
                missing.push("identity.registry is the sandbox's".to_owned());
            }
            _ => {}
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_lists_what_is_still_the_sandboxs() {
        assert_eq!(Config::default().missing_for_production().len(), 3);
    }

    #[test]
    fn production_wants_a_level_policy_about_every_provider() {
        let mut config = Config::default();
        config.providers[0].code = "somebody".to_owned();
        let missing = config.missing_for_production().join("\n");
        assert!(missing.contains("there is no rule about somebody"), "{missing}");
        let config = Config { assurance_file: Some("/nowhere/levels.toml".into()), ..Config::default() };
        let missing = config.missing_for_production().join("\n");
        assert!(missing.contains("identity.assurance_file: it cannot be opened"), "{missing}");
    }

    #[test]
    fn no_secret_is_shown() {
        let config = Config::default();
        let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains(SANDBOX_PROVIDER_SECRET) && !shown.contains(SANDBOX_REGISTRY_SECRET));
    }
}
