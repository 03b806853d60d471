//! Outside systems: Digital ID providers, one adapter each, and the registry of companies.

mod dga;
mod oidc;
mod registry;
mod thaid;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use clock::Clock;
use graphql::LocalizedText;
use url::Url;

use crate::config::{Adapter, Config};
use crate::model::citizen::Profile;

pub use registry::Registry;

/// What a login begins with at a provider.
#[derive(Debug)]
pub struct Ask<'a> {
    pub state: &'a str,
    pub proof: Proof<'a>,
    /// The level the client asked for, as `acr_values`.
    pub acr_values: Option<&'a str>,
}

/// What ties the answer of a provider to the login that asked.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    pub nonce: &'a str,
    /// The PKCE verifier; the provider sees its challenge first.
    pub code_verifier: &'a str,
}

/// A person as a provider knows them, verified.
#[derive(Debug)]
pub struct ProviderIdentity {
    pub issuer: String,
    pub subject: String,
    /// The 13-digit number as it came; whether it is believed depends on the level.
    pub pid: Option<String>,
    pub profile: Profile,
    /// The provider's own claims, for the level policy. Personal: never logged.
    pub claims: Claims,
    pub authenticated_at: DateTime<Utc>,
}

/// Claims of a verified ID token. Their `Debug` shows nothing.
pub struct Claims(pub serde_json::Map<String, serde_json::Value>);

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claims(…)")
    }
}

impl Claims {
    fn text(&self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.as_str()?.trim();
        (!text.is_empty() && text.chars().count() <= CLAIM_CHARS_MAX).then(|| text.to_owned())
    }

    /// Some of the claims, in order, with a space between.
    fn texts(&self, names: [&str; 2]) -> Option<String> {
        let found: Vec<String> = names.iter().filter_map(|name| self.text(name)).collect();
        (!found.is_empty()).then(|| found.join(" "))
    }

    /// The Thai way to write a name: the title stands before it without a space.
    fn titled(&self, name: Option<String>) -> Option<String> {
        name.map(|name| self.text("title").unwrap_or_default() + &name)
    }

    fn address(&self) -> Option<String> {
        let formatted = self.0.get("address")?.get("formatted")?.as_str()?.trim();
        (!formatted.is_empty() && formatted.chars().count() <= ADDRESS_CHARS_MAX)
            .then(|| formatted.to_owned())
    }
}

const CLAIM_CHARS_MAX: usize = 300;
const ADDRESS_CHARS_MAX: usize = 1_000;

/// Why a provider did not name a person.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It does not answer, or not in its own protocol: others may go on.
    #[error("the provider is unavailable: {0}")]
    Unavailable(&'static str),
    /// It answered, and the answer does not hold.
    #[error("the provider's answer is refused: {0}")]
    Refused(&'static str),
}

/// A Digital ID provider.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    fn code(&self) -> &str;
    fn name(&self) -> &LocalizedText;
    fn issuer(&self) -> &str;
    /// Where the person is sent to log in.
    async fn authorization_url(&self, ask: &Ask<'_>) -> Result<Url, Failure>;
    /// Redeems the code the person came back with. Never tried twice: a code is good once.
    async fn exchange(&self, code: &str, proof: Proof<'_>) -> Result<ProviderIdentity, Failure>;
}

/// The providers an operator set up, in that order.
pub fn providers(config: &Config, clock: &Clock) -> Vec<Box<dyn IdentityProvider>> {
    let adapter = |provider: &crate::config::ProviderConfig| -> Box<dyn IdentityProvider> {
        let relying_party = |scopes| oidc::RelyingParty::new(config, provider, scopes, clock.clone());
        match provider.adapter {
            Adapter::Thaid => Box::new(thaid::Thaid::new(relying_party(thaid::SCOPES))),
            Adapter::Dga => Box::new(dga::Dga::new(relying_party(dga::SCOPES))),
        }
    };
    config.providers.iter().map(adapter).collect()
}
