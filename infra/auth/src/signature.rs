//! The principal over HTTP: a short-lived signature that binds who calls to what is asked.
//!
//! The gateway signs each request to a remote subgraph (retries sign anew); a subgraph takes no
//! principal that is not signed for it, for this body and for now, and takes each signature once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Principal;

/// The header that carries the signed principal.
pub const PRINCIPAL_HEADER: &str = "pratu-principal";
const LIFE_S: i64 = 30;
/// How far two clocks may differ.
const LEEWAY_S: i64 = 5;
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Signs and checks with a secret that gateway and subgraphs share.
#[derive(Clone)]
pub struct PrincipalSigner {
    secret: Zeroizing<Vec<u8>>,
}

/// The signature is missing, damaged, expired, for another audience or another body.
#[derive(Debug, thiserror::Error)]
#[error("the caller is not signed")]
pub struct SignatureError;

#[derive(Serialize, Deserialize)]
struct Signed {
    audience: String,
    body_sha256: String,
    expires_at: i64,
    /// Tells apart two requests that are otherwise the same, so that each is taken once.
    nonce: Uuid,
    principal: Principal,
}

/// A signature that holds, for a body that is still to come.
pub struct Announced(Signed);

impl Announced {
    /// The principal and the nonce, when this is the body that was signed.
    pub fn of(self, body: &[u8]) -> Result<(Principal, Uuid), SignatureError> {
        let Self(signed) = self;
        let holds = signed.body_sha256 == body_hash(body);
        if holds { Ok((signed.principal, signed.nonce)) } else { Err(SignatureError) }
    }
}

impl PrincipalSigner {
    /// How long a signature can still be taken, clocks that differ included: whoever refuses replays
    /// remembers nonces for this long.
    // Times are whole seconds: one more for what they leave out.
    pub const LIFE_MAX: Duration = Duration::from_secs((LIFE_S + 2 * LEEWAY_S + 1) as u64);

    pub fn new(secret: &[u8]) -> Self {
        Self { secret: Zeroizing::new(secret.to_vec()) }
    }

    /// The header's value for one request to the subgraph `audience`; `nonce` is fresh each time.
    pub fn sign(
        &self,
        principal: &Principal,
        audience: &str,
        body: &[u8],
        now: DateTime<Utc>,
        nonce: Uuid,
    ) -> Result<String, serde_json::Error> {
        let signed = Signed {
            audience: audience.to_owned(),
            body_sha256: body_hash(body),
            expires_at: now.timestamp() + LIFE_S,
            nonce,
            principal: principal.clone(),
        };
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&signed)?);
        let tag = URL_SAFE_NO_PAD.encode(self.mac(&payload).finalize().into_bytes());
        Ok(format!("{payload}.{tag}"))
    }

    /// What the header alone says, as far as it is signed for `audience` and now: asked before a body is read,
    /// so that nobody but our processes can send one.
    pub fn announced(
        &self,
        header: &str,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<Announced, SignatureError> {
        if header.len() > HEADER_BYTES_MAX {
            return Err(SignatureError);
        }
        let (payload, tag) = header.split_once('.').ok_or(SignatureError)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| SignatureError)?;
        self.mac(payload).verify_slice(&tag).map_err(|_| SignatureError)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| SignatureError)?;
        let signed: Signed = serde_json::from_slice(&payload).map_err(|_| SignatureError)?;
        let holds = signed.audience == audience
            // One that expires too late would outlive the memory of its nonce.
            && (-LEEWAY_S..=LIFE_S + LEEWAY_S).contains(&(signed.expires_at - now.timestamp()));
        if holds { Ok(Announced(signed)) } else { Err(SignatureError) }
    }

    fn mac(&self, payload: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(payload.as_bytes());
        mac
    }
}

fn body_hash(body: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl PrincipalSigner {
        fn verify(
            &self,
            header: &str,
            audience: &str,
            body: &[u8],
            now: DateTime<Utc>,
        ) -> Result<(Principal, Uuid), SignatureError> {
            self.announced(header, audience, now)?.of(body)
        }
    }

    #[test]
    fn a_principal_is_taken_only_for_this_audience_body_and_time() {
        let signer = PrincipalSigner::new(b"secret");
        let now = DateTime::UNIX_EPOCH;
        let nonce = Uuid::from_u128(1);
        let header = signer.sign(&Principal::Nobody, "payments", b"{}", now, nonce).unwrap();
        let seconds = chrono::Duration::seconds;
        assert_eq!(signer.verify(&header, "payments", b"{}", now).unwrap(), (Principal::Nobody, nonce));
        assert!(signer.verify(&header, "identity", b"{}", now).is_err());
        assert!(signer.verify(&header, "payments", b"{ }", now).is_err());
        assert!(signer.verify(&header, "payments", b"{}", now + seconds(LIFE_S + LEEWAY_S)).is_ok());
        assert!(signer.verify(&header, "payments", b"{}", now + seconds(LIFE_S + LEEWAY_S + 1)).is_err());
        assert!(signer.verify(&header, "payments", b"{}", now - seconds(LEEWAY_S)).is_ok());
        assert!(signer.verify(&header, "payments", b"{}", now - seconds(LEEWAY_S + 1)).is_err());
        assert!(PrincipalSigner::new(b"other").verify(&header, "payments", b"{}", now).is_err());
        assert!(signer.verify("", "payments", b"{}", now).is_err());
    }

    #[test]
    fn no_two_signatures_are_the_same() {
        let signer = PrincipalSigner::new(b"secret");
        let sign =
            |nonce| signer.sign(&Principal::Nobody, "a", b"", DateTime::UNIX_EPOCH, Uuid::from_u128(nonce));
        assert_ne!(sign(1).unwrap(), sign(2).unwrap());
    }
}
