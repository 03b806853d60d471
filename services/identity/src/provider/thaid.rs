//! ThaID of the Department of Provincial Administration (กรมการปกครอง): one scope releases one claim.
//!
//! The name claim is `name` (Thai) and `name_en`; `ial` is text. Real endpoints end in a slash and
//! are found by discovery. Its QR is scanned by phone, so the callback may come back in another
//! browser: `http/callback.rs` takes care of that.

use super::relying_party::{RelyingParty, Verified, Ways};
use super::{IdentityProvider, ProviderIdentity};
use crate::config::SecretForm;
use crate::model::citizen::Profile;

pub(super) const WAYS: Ways = Ways {
    scopes: &["pid", "title", "name", "name_en", "given_name", "family_name", "birthdate", "address", "ial"],
    secret_form: SecretForm::Plain,
    userinfo: false,
};

pub(super) struct Thaid(pub RelyingParty);

impl IdentityProvider for Thaid {
    fn relying_party(&self) -> &RelyingParty {
        &self.0
    }

    fn identity(&self, verified: Verified) -> ProviderIdentity {
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
}
