//! The two ways in which a request brings its token, and how each is told that it failed.

use http::{HeaderMap, header};

use crate::TokenError;

/// Asks for a token, for requests that brought none.
pub(crate) const ASKED: &str = r#"Bearer, DPoP algs="ES256 EdDSA Ed25519 PS256""#;

/// By which scheme of `Authorization` a token comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750: whoever has the token may use it.
    Bearer,
    /// RFC 9449: only who proves to hold its key.
    Dpop,
}

/// A token that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Unidentified {
    pub scheme: Scheme,
    pub error: TokenError,
}

/// A token as it was brought.
#[derive(Debug)]
pub(crate) struct Brought<'a> {
    pub scheme: Scheme,
    pub token: &'a str,
}

impl<'a> Brought<'a> {
    /// Reads `Authorization`; another scheme, or two tokens, are an error, not nobody.
    pub fn of(headers: &'a HeaderMap) -> Result<Option<Self>, Unidentified> {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = all.next() else { return Ok(None) };
        let unreadable = Unidentified { scheme: Scheme::Bearer, error: TokenError::Invalid };
        if all.next().is_some() {
            return Err(unreadable);
        }
        let value = value.to_str().map_err(|_| unreadable)?;
        let (name, token) = value.split_once(' ').ok_or(unreadable)?;
        let scheme = [("bearer", Scheme::Bearer), ("dpop", Scheme::Dpop)]
            .into_iter()
            .find_map(|(known, scheme)| name.eq_ignore_ascii_case(known).then_some(scheme))
            .ok_or(unreadable)?;
        Ok(Some(Self { scheme, token: token.trim() }))
    }
}

impl Unidentified {
    /// The value of `WWW-Authenticate` that says what is wrong (RFC 6750 section 3, RFC 9449 section 7.1).
    pub fn challenge(self) -> &'static str {
        match (self.scheme, self.error) {
            (_, TokenError::Bound) => {
                r#"DPoP error="invalid_token", error_description="The token is bound to a key", algs="ES256 EdDSA Ed25519 PS256""#
            }
            (_, TokenError::Unbound) => {
                r#"DPoP error="invalid_token", error_description="The token is bound to no key", algs="ES256 EdDSA Ed25519 PS256""#
            }
            (_, TokenError::Proof(_)) => {
                r#"DPoP error="invalid_dpop_proof", algs="ES256 EdDSA Ed25519 PS256""#
            }
            (Scheme::Bearer, TokenError::Expired) => {
                r#"Bearer error="invalid_token", error_description="The token has expired""#
            }
            (Scheme::Bearer, TokenError::Invalid | TokenError::Ended) => r#"Bearer error="invalid_token""#,
            (Scheme::Dpop, TokenError::Expired) => {
                r#"DPoP error="invalid_token", error_description="The token has expired", algs="ES256 EdDSA Ed25519 PS256""#
            }
            (Scheme::Dpop, TokenError::Invalid | TokenError::Ended) => {
                r#"DPoP error="invalid_token", algs="ES256 EdDSA Ed25519 PS256""#
            }
        }
    }

    /// The challenge for a request that brought no token where one is needed.
    pub fn asked() -> &'static str {
        ASKED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PROOF_ALGORITHMS, ProofFault};

    fn brought(values: &[&str]) -> Result<Option<(Scheme, String)>, Unidentified> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        let found = Brought::of(&headers)?;
        Ok(found.map(|found| (found.scheme, found.token.to_owned())))
    }

    #[test]
    fn schemes_are_read_in_any_case_and_others_are_refused() {
        assert_eq!(brought(&[]), Ok(None));
        assert_eq!(brought(&["bEARER  a.b.c"]), Ok(Some((Scheme::Bearer, "a.b.c".to_owned()))));
        assert_eq!(brought(&["dpop a.b.c"]), Ok(Some((Scheme::Dpop, "a.b.c".to_owned()))));
        for wrong in [&["Basic YTpi"][..], &["Bearer"], &["Bearer a", "DPoP b"], &["DPoP a", "DPoP a"]] {
            assert!(brought(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_challenge_of_dpop_names_the_algorithms_that_we_take() {
        let algorithms = format!("algs=\"{}\"", PROOF_ALGORITHMS.join(" "));
        assert!(Unidentified::asked().contains(&algorithms));
        let errors = [TokenError::Invalid, TokenError::Expired, TokenError::Ended, TokenError::Unbound];
        for error in errors.into_iter().chain([TokenError::Proof(ProofFault("x"))]) {
            let challenge = Unidentified { scheme: Scheme::Dpop, error }.challenge();
            assert!(challenge.starts_with("DPoP error=") && challenge.ends_with(&algorithms), "{challenge}");
        }
    }
}
