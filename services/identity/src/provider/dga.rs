//! DGA Digital ID (บัญชีทางรัฐ) as OpenID Connect: `citizen_id`, and `ial_level` as a number.
//!
//! GAP, labelled: the real service is said not to take the client secret as it is but
//! `h = md5_hex(secret + "EGA")`, then six more rounds of `h = md5_hex(h + "EGA")` (integrators report
//! it; no document of DGA's was found). MD5 is no dependency of ours yet; until it is, an operator
//! puts the result of those rounds into `client_secret`, which needs no code. The sandbox takes it
//! plain.

use async_trait::async_trait;
use graphql::LocalizedText;
use url::Url;

use super::oidc::{RelyingParty, Verified};
use super::{Ask, Failure, IdentityProvider, Proof, ProviderIdentity};
use crate::model::citizen::Profile;

pub(super) const SCOPES: &[&str] = &["profile", "citizen_id", "citizen_id_verified", "ial_level", "address"];

pub(super) struct Dga {
    relying_party: RelyingParty,
}

impl Dga {
    pub(super) fn new(relying_party: RelyingParty) -> Self {
        Self { relying_party }
    }
}

#[async_trait]
impl IdentityProvider for Dga {
    fn code(&self) -> &str {
        self.relying_party.code()
    }

    fn name(&self) -> &LocalizedText {
        self.relying_party.name()
    }

    fn issuer(&self) -> &str {
        self.relying_party.issuer()
    }

    async fn authorization_url(&self, ask: &Ask<'_>) -> Result<Url, Failure> {
        self.relying_party.authorization_url(ask).await
    }

    async fn exchange(&self, code: &str, proof: Proof<'_>) -> Result<ProviderIdentity, Failure> {
        let verified = self.relying_party.exchange(code, proof).await?;
        Ok(identity(verified))
    }
}

fn identity(verified: Verified) -> ProviderIdentity {
    let claims = &verified.claims;
    let pid = claims.text("citizen_id");
    let profile = Profile {
        pid: pid.clone(),
        name_th: claims.titled(claims.texts(["given_name", "family_name"])),
        name_en: claims.text("name_en"),
        birth_date: claims.text("birthdate").and_then(|day| day.parse().ok()),
        address: claims.address(),
    };
    verified.identity(pid, profile)
}
