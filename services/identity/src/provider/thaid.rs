//! ThaID of the Department of Provincial Administration (กรมการปกครอง): one scope releases one claim.
//!
//! The name claim is `name` (Thai) and `name_en`; `ial` is text. Real endpoints end in a slash and
//! are found by discovery. Its QR is scanned by phone, so the callback may come back in another
//! browser: `http/callback.rs` takes care of that.

use async_trait::async_trait;
use graphql::LocalizedText;
use url::Url;

use super::oidc::{RelyingParty, Verified};
use super::{Ask, Failure, IdentityProvider, Proof, ProviderIdentity};
use crate::model::citizen::Profile;

pub(super) const SCOPES: &[&str] =
    &["pid", "title", "name", "name_en", "given_name", "family_name", "birthdate", "address", "ial"];

pub(super) struct Thaid {
    relying_party: RelyingParty,
}

impl Thaid {
    pub(super) fn new(relying_party: RelyingParty) -> Self {
        Self { relying_party }
    }
}

#[async_trait]
impl IdentityProvider for Thaid {
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
    let pid = claims.text("pid");
    let name = claims.text("name").or_else(|| claims.texts(["given_name", "family_name"]));
    let profile = Profile {
        pid: pid.clone(),
        name_th: claims.titled(name),
        name_en: claims.text("name_en"),
        birth_date: claims.text("birthdate").and_then(|day| day.parse().ok()),
        address: claims.address(),
    };
    verified.identity(pid, profile)
}
