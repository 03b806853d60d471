//! Tokens of somebody else, for something else, of another time, or changed: none is taken.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header};
use p256::pkcs8::EncodePrivateKey;
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://pratu.example";
const AUDIENCE: &str = "https://pratu.example/graphql";
const NOW_S: i64 = 1_800_000_000;
const SESSION: u128 = 9;

fn signing_key(seed: u8) -> EncodingKey {
    let key = p256::SecretKey::from_slice(&[seed; 32]).unwrap();
    EncodingKey::from_ec_der(key.to_pkcs8_der().unwrap().as_bytes())
}

fn verifier() -> (TokenVerifier, EndedSessions) {
    let mut jwk = Jwk::from_encoding_key(&signing_key(1), Algorithm::ES256).unwrap();
    jwk.common.key_id = Some("ours".to_owned());
    let keys = Keys::default();
    keys.replace(&JwkSet { keys: vec![jwk] });
    let clock = Clock::at(DateTime::from_timestamp(NOW_S, 0).unwrap());
    let ended = EndedSessions::default();
    (TokenVerifier::new(ISSUER, AUDIENCE, keys, ended.clone(), clock), ended)
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::from_u128(1), "client_id": "app", "iat": NOW_S,
        "exp": NOW_S + 300, "jti": Uuid::from_u128(2), "scope": "profile:read", "sid": Uuid::from_u128(SESSION),
        "acr": "urn:th:ial:2.3:aal:2.1", "auth_time": NOW_S,
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn header() -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("ours".to_owned());
    header
}

fn outcome(header: &Header, key: &EncodingKey, changes: Value) -> Result<(), TokenError> {
    let token = jsonwebtoken::encode(header, &claims(&changes), key).unwrap();
    verifier().0.verify(&token).map(|_| ())
}

#[test]
fn tokens_of_others_for_others_or_of_another_time_are_refused() {
    let ours = signing_key(1);
    for (changes, expected) in [
        (json!({}), Ok(())),
        (json!({"iss": "https://elsewhere.example"}), Err(TokenError::Invalid)),
        (json!({"iss": "https://pratu.example/"}), Err(TokenError::Invalid)),
        (json!({"iss": null}), Err(TokenError::Invalid)),
        (json!({"aud": "https://pratu.example"}), Err(TokenError::Invalid)),
        (json!({"aud": "mobile-app"}), Err(TokenError::Invalid)),
        (json!({"aud": null}), Err(TokenError::Invalid)),
        (json!({"exp": null}), Err(TokenError::Invalid)),
        (json!({"sid": null}), Err(TokenError::Invalid)),
        (json!({"sub": "somebody"}), Err(TokenError::Invalid)),
        (json!({"acr": "urn:th:ial:9"}), Err(TokenError::Invalid)),
        // Our clock ahead of the signer's, up to five seconds, and beyond;
        (json!({"exp": NOW_S - 4}), Ok(())),
        (json!({"exp": NOW_S - 5}), Err(TokenError::Expired)),
        // and behind it.
        (json!({"iat": NOW_S + 5}), Ok(())),
        (json!({"iat": NOW_S + 6}), Err(TokenError::Invalid)),
        (json!({"exp": i64::MIN}), Err(TokenError::Expired)),
    ] {
        assert_eq!(outcome(&header(), &ours, changes.clone()), expected, "{changes}");
    }
}

#[test]
fn tokens_of_another_key_algorithm_or_kind_are_refused() {
    let named = |kid: Option<&str>| Header { kid: kid.map(str::to_owned), ..header() };
    let typed = |typ: Option<&str>| Header { typ: typ.map(str::to_owned), ..header() };
    for (header, seed) in [
        (header(), 2),
        (named(Some("another")), 1),
        (named(None), 1),
        (typed(Some("JWT")), 1),
        (typed(Some("dpop+jwt")), 1),
        (typed(None), 1),
    ] {
        assert_eq!(outcome(&header, &signing_key(seed), json!({})), Err(TokenError::Invalid), "{header:?}");
    }
    let secret = EncodingKey::from_secret(b"the public key, taken for a secret");
    let symmetric = Header { alg: Algorithm::HS256, ..header() };
    assert_eq!(outcome(&symmetric, &secret, json!({})), Err(TokenError::Invalid));
}

#[test]
fn a_token_without_a_signature_or_with_anothers_is_refused() {
    let (verifier, _) = verifier();
    let token = |changes| jsonwebtoken::encode(&header(), &claims(&changes), &signing_key(1)).unwrap();
    let (one, other) = (token(json!({})), token(json!({"scope": "payments:write"})));
    let (message, signature) = one.rsplit_once('.').unwrap();
    let payload = other.split('.').nth(1).unwrap();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoib3VycyJ9";
    for forged in [
        format!("{message}."),
        message.to_owned(),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{}.{payload}.{signature}", one.split('.').next().unwrap()),
        String::new(),
        "x".repeat(20_000),
    ] {
        assert_eq!(verifier.verify(&forged).map(|_| ()), Err(TokenError::Invalid), "{forged}");
    }
}

#[test]
fn a_token_ends_with_its_session() {
    let (verifier, ended) = verifier();
    let token = jsonwebtoken::encode(&header(), &claims(&json!({})), &signing_key(1)).unwrap();
    assert!(verifier.verify(&token).is_ok());
    ended.add(Uuid::from_u128(SESSION));
    assert_eq!(verifier.verify(&token).map(|_| ()), Err(TokenError::Ended));
}

#[test]
fn a_bound_token_is_no_bearers_and_a_bearers_is_not_bound() {
    let (verifier, _) = verifier();
    let bound =
        jsonwebtoken::encode(&header(), &claims(&json!({"cnf": {"jkt": "x"}})), &signing_key(1)).unwrap();
    let free = jsonwebtoken::encode(&header(), &claims(&json!({})), &signing_key(1)).unwrap();
    let outcome = |authorization: String| {
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, authorization.parse().unwrap())]);
        let identified = futures::executor::block_on(verifier.identify(&Method::POST, "/graphql", &headers));
        identified.map(|found| found.is_some()).map_err(|refused| refused.error)
    };
    assert_eq!(outcome(format!("Bearer {free}")), Ok(true));
    assert_eq!(outcome(format!("Bearer {bound}")), Err(TokenError::Bound));
    assert_eq!(outcome(format!("DPoP {free}")), Err(TokenError::Unbound));
    assert!(matches!(outcome(format!("DPoP {bound}")), Err(TokenError::Proof(_))));
    assert!(verifier.read(&bound).is_ok());
}
