//! DGA Digital ID (บัญชีทางรัฐ) as OpenID Connect: `citizen_id`, `ial_level` as a number, claims in
//! `userinfo`, and a client secret that is not sent as it is.
//!
//! No document of DGA's says so; several independent integrators do. An operator whose service
//! behaves otherwise says it under `oddities`.

use md5::{Digest, Md5};

use super::relying_party::{RelyingParty, Verified, Ways};
use super::{IdentityProvider, ProviderIdentity};
use crate::config::SecretForm;
use crate::model::citizen::Profile;

const SALT: &str = "EGA";
const ROUNDS: usize = 7;

pub(super) const WAYS: Ways = Ways {
    scopes: &["profile", "citizen_id", "citizen_id_verified", "ial_level", "address"],
    secret_form: SecretForm::EgaMd5,
    userinfo: true,
};

pub(super) struct Dga(pub RelyingParty);

impl IdentityProvider for Dga {
    fn relying_party(&self) -> &RelyingParty {
        &self.0
    }

    fn identity(&self, verified: Verified) -> ProviderIdentity {
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
}

/// What DGA takes for the secret: MD5 of it and the salt in lower-case hex, and that seven times over.
pub(super) fn secret_to_send(secret: &str) -> String {
    (0..ROUNDS).fold(secret.to_owned(), |text, _| {
        let digest = Md5::new().chain_update(text).chain_update(SALT).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_rounds_give_what_another_md5_gives() {
        // By Python's hashlib.
        assert_eq!(secret_to_send("s3cret"), "0ebe7010fa729228f61c44af5835dbd2");
        assert_eq!(secret_to_send("sandbox-idp-secret"), "af90caed7cc0e951faa3cf410b684a99");
    }
}
