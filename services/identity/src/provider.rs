//! Outside systems: Digital ID providers, one adapter each, and the registry of companies.

mod claims;
mod dga;
mod discovery;
mod id_token;
mod registry;
mod relying_party;
mod thaid;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use clock::Clock;
use graphql::LocalizedText;
use url::Url;

use crate::config::{Adapter, Config, ProviderConfig};
use crate::model::citizen::Profile;

pub use claims::Claims;
pub use registry::Registry;
pub use relying_party::{RelyingParty, Verified};

/// What a login begins with at a provider.
#[derive(Debug)]
pub struct Ask<'a> {
    pub state: &'a str,
    pub proof: Proof<'a>,
    /// The level the client asked for, as `acr_values`.
    pub acr_values: Option<&'a str>,
    /// How old the login may be; a provider that is asked must tell when it was.
    pub max_age_s: Option<i64>,
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
    /// When the person logged in there, if the provider says so.
    pub authenticated_at: Option<DateTime<Utc>>,
}

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

/// A Digital ID provider: how its protocol is spoken, and what its claims say of a person.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Our side of it.
    fn relying_party(&self) -> &RelyingParty;

    /// The person that verified claims name.
    fn identity(&self, verified: Verified) -> ProviderIdentity;

    fn code(&self) -> &str {
        self.relying_party().code()
    }

    fn name(&self) -> &LocalizedText {
        self.relying_party().name()
    }

    /// Where the person is sent to log in.
    async fn authorization_url(&self, ask: &Ask<'_>) -> Result<Url, Failure> {
        self.relying_party().authorization_url(ask).await
    }

    /// Checks that an answer is this provider's by the `iss` that came with it, if one did.
    async fn answered(&self, issuer: Option<&str>) -> Result<(), Failure> {
        self.relying_party().answered(issuer).await
    }

    /// Redeems the code the person came back with. Never tried twice: a code is good once.
    async fn exchange(&self, code: &str, proof: Proof<'_>) -> Result<ProviderIdentity, Failure> {
        Ok(self.identity(self.relying_party().exchange(code, proof).await?))
    }
}

/// The providers an operator set up, in that order.
pub fn providers(config: &Config, clock: &Clock) -> Vec<Box<dyn IdentityProvider>> {
    let adapter = |provider: &ProviderConfig| -> Box<dyn IdentityProvider> {
        let relying_party = |ways| RelyingParty::new(config, provider, ways, clock.clone());
        match provider.adapter {
            Adapter::Thaid => Box::new(thaid::Thaid(relying_party(thaid::WAYS))),
            Adapter::Dga => Box::new(dga::Dga(relying_party(dga::WAYS))),
        }
    };
    config.providers.iter().map(adapter).collect()
}
