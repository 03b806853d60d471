//! Random secrets, their hashes, and comparing them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const SECRET_BYTES: usize = 32;

/// A fresh unguessable text: 256 random bits.
pub fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET_BYTES]>())
}

/// What is stored of a secret.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Whether two secrets are the same; the time it takes tells nothing of where they differ.
pub fn same(given: &str, expected: &str) -> bool {
    hash(given) == hash(expected)
}

/// A client secret in the form that DGA is said to take: the hex digest of it and "EGA", hashed with
/// "EGA" six times more.
pub fn md5_of_ega(secret: &str) -> String {
    let mut form = secret.to_owned();
    for _round in 1..=7 {
        let digest = md5::Md5::digest(format!("{form}EGA"));
        form = format!("{:032x}", u128::from_be_bytes(digest.into()));
    }
    form
}

/// A PKCE verifier's S256 challenge (RFC 7636).
pub fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash(verifier))
}

/// The `at_hash` of an access token: the left half of its hash (OpenID Connect Core 3.1.3.6).
pub fn at_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&hash(access_token)[..16])
}

/// The `webhook-signature` of Standard Webhooks over `id.timestamp.body`; `None`: not a `whsec_` secret.
pub fn webhook_signature(secret: &str, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// The token of an `Authorization: Bearer` header; the scheme's case does not matter.
pub fn bearer(headers: &axum::http::HeaderMap) -> Option<&str> {
    let value = headers.get(axum::http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(s256(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn dgas_form_of_a_secret_is_what_another_md5_makes_of_it() {
        // By Python's hashlib; the second has a round whose digest begins with a zero.
        assert_eq!(md5_of_ega("sandbox-idp-secret"), "af90caed7cc0e951faa3cf410b684a99");
        assert_eq!(md5_of_ega("s3cret"), "0ebe7010fa729228f61c44af5835dbd2");
    }

    #[test]
    fn the_webhook_signature_is_that_of_the_specification() {
        // The example of the Standard Webhooks reference libraries.
        let signature = webhook_signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }
}
