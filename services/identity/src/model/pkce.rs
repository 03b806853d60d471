//! Proof Key for Code Exchange (RFC 7636), S256 only: `plain` proves nothing to whoever saw the request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::secret::same;

const VERIFIER_CHARS_MIN: usize = 43;
const VERIFIER_CHARS_MAX: usize = 128;
/// A SHA-256 digest in base64url without padding.
const CHALLENGE_CHARS: usize = 43;

/// The S256 challenge of a verifier.
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Whether a challenge can be an S256 challenge at all.
pub fn is_challenge(challenge: &str) -> bool {
    challenge.len() == CHALLENGE_CHARS
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the verifier is well formed and is the one behind the challenge.
pub fn verifies(verifier: &str, challenge: &str) -> bool {
    let formed = (VERIFIER_CHARS_MIN..=VERIFIER_CHARS_MAX).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'));
    formed && same(challenge_of(verifier).as_bytes(), challenge.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_rfc_7636_appendix_b_verifies() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge));
        assert!(verifies(verifier, challenge));
    }

    #[test]
    fn a_verifier_that_is_too_short_or_another_does_not_verify() {
        let short = "a".repeat(42);
        assert!(!verifies(&short, &challenge_of(&short)));
        let right = "a".repeat(43);
        assert!(!verifies(&"b".repeat(43), &challenge_of(&right)));
        assert!(!verifies(&right, &right));
    }
}
