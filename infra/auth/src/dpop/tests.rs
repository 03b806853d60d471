//! Proofs that hold, and every way in which one does not.

use jsonwebtoken::EncodingKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;

use super::*;

const URL: &str = "https://pratu.example/graphql";
const NOW_S: i64 = 1_800_000_000;

fn verifier() -> ProofVerifier {
    ProofVerifier::new(Clock::at(chrono::DateTime::from_timestamp(NOW_S, 0).unwrap()))
}

fn verify(verifier: &ProofVerifier, proof: &str, asked: &Asked<'_>) -> Result<String, ProofFault> {
    futures::executor::block_on(verifier.verify(proof, asked))
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn jwk(key: &SigningKey) -> Value {
    let point = key.verifying_key().to_sec1_point(false);
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({"kty": "EC", "crv": "P-256", "x": text(point.x().unwrap()), "y": text(point.y().unwrap())})
}

/// A proof that holds but for `changes`: those of its header, and those of its claims.
fn proof_with(header: Value, claims: Value) -> String {
    let key = key(7);
    let mut head = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&key)});
    let mut body = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW_S});
    for (whole, changes) in [(&mut head, header), (&mut body, claims)] {
        for (name, value) in changes.as_object().unwrap() {
            whole[name] = value.clone();
        }
    }
    let text = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", text(&head), text(&body));
    let signature: Signature = key.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn taken(proof: &str) -> bool {
    verify(&verifier(), proof, &Asked { method: "POST", url: URL, access_token: None }).is_ok()
}

#[test]
fn a_proof_is_taken_once_and_names_its_key() {
    let verifier = verifier();
    let asked = Asked { method: "POST", url: URL, access_token: None };
    let one = verify(&verifier, &proof_with(json!({}), json!({})), &asked).unwrap();
    assert_eq!(one.len(), 43);
    let again = verify(&verifier, &proof_with(json!({}), json!({})), &asked);
    assert_eq!(again, Err(ProofFault("the proof was used before")));
    let other = verify(&verifier, &proof_with(json!({}), json!({"jti": "2"})), &asked);
    assert_eq!(other, Ok(one));
}

#[test]
fn a_key_has_the_thumbprint_of_rfc_7638() {
    // RFC 9449 section 4.1 and 6.1: its example key and that key's thumbprint.
    let key = json!({
        "kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    });
    let jwk: Jwk = serde_json::from_value(key).unwrap();
    let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).unwrap();
    assert_eq!(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn a_header_that_is_not_that_of_a_proof_is_refused() {
    let mut private = jwk(&key(7));
    private["d"] = "B".repeat(43).into();
    for header in [
        json!({"typ": "JWT"}),
        json!({"typ": null}),
        json!({"alg": "none"}),
        json!({"alg": "HS256"}),
        json!({"alg": "HS256", "jwk": {"kty": "oct", "k": "c2VjcmV0"}}),
        json!({"alg": "ES384"}),
        json!({"alg": "EdDSA"}),
        json!({"alg": "PS256"}),
        json!({"alg": "es256"}),
        json!({"alg": "RS256"}),
        json!({"jwk": private}),
        json!({"jwk": jwk(&key(8))}),
        json!({"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}),
        json!({"jwk": "none"}),
        json!({"jwk": {}}),
        json!({"crit": ["exp"]}),
    ] {
        assert!(!taken(&proof_with(header.clone(), json!({}))), "{header}");
    }
}

#[test]
fn claims_that_are_for_something_else_are_refused() {
    for claims in [
        json!({"htm": "GET"}),
        json!({"htm": "post"}),
        json!({"htu": "https://pratu.example/oauth/token"}),
        json!({"htu": "http://pratu.example/graphql"}),
        json!({"htu": "https://pratu.example.evil/graphql"}),
        json!({"htu": "https://pratu.example:444/graphql"}),
        json!({"htu": "/graphql"}),
        json!({"htu": ""}),
        json!({"iat": NOW_S - 61}),
        json!({"iat": NOW_S + 11}),
        json!({"iat": "now"}),
        json!({"iat": 1e300}),
        json!({"iat": i64::MIN}),
        json!({"jti": ""}),
        json!({"jti": "x".repeat(257)}),
        json!({"jti": null}),
    ] {
        assert!(!taken(&proof_with(json!({}), claims.clone())), "{claims}");
    }
}

#[test]
fn clocks_may_differ_a_little_and_addresses_be_written_otherwise() {
    for claims in [
        json!({"iat": NOW_S - 60}),
        json!({"iat": NOW_S + 10}),
        json!({"iat": NOW_S as f64 + 0.5}),
        json!({"htu": "HTTPS://PRATU.example:443/graphql?query=x#y"}),
        json!({"htu": "wss://pratu.example/graphql"}),
        json!({"ath": "of no matter where no token comes along"}),
    ] {
        assert!(taken(&proof_with(json!({}), claims.clone())), "{claims}");
    }
}

#[test]
fn a_client_has_its_own_clock_when_the_sandbox_moves_ours() {
    let verifier = verifier();
    verifier.clock.advance(chrono::Duration::days(1));
    let asked = Asked { method: "POST", url: URL, access_token: None };
    assert!(verify(&verifier, &proof_with(json!({}), json!({})), &asked).is_ok());
}

#[test]
fn with_a_token_its_hash_has_to_be_there() {
    let asked = Asked { method: "POST", url: URL, access_token: Some("token") };
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest("token"));
    for (claims, holds) in [
        (json!({"ath": ath}), true),
        (json!({}), false),
        (json!({"ath": URL_SAFE_NO_PAD.encode(Sha256::digest("other"))}), false),
        (json!({"ath": "token"}), false),
    ] {
        let proof = proof_with(json!({}), claims.clone());
        assert_eq!(verify(&verifier(), &proof, &asked).is_ok(), holds, "{claims}");
    }
}

#[test]
fn what_is_no_jwt_or_changed_on_the_way_is_refused() {
    let good = proof_with(json!({}), json!({}));
    let (message, _) = good.rsplit_once('.').unwrap();
    let other = proof_with(json!({}), json!({"jti": "2"}));
    let (_, signature) = other.rsplit_once('.').unwrap();
    for proof in
        ["", ".", "a.b.c", &format!("{message}."), &format!("{message}.{signature}"), &"x".repeat(5_000)]
    {
        assert!(!taken(proof), "{proof}");
    }
}

#[test]
fn other_algorithms_that_we_name_are_taken_too() {
    // RFC 8037 appendix A: its private key, as PKCS #8.
    let der = [
        &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20][..],
        &URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap(),
    ]
    .concat();
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "alg": "Ed25519",
    });
    for alg in ["EdDSA", "Ed25519"] {
        let header = json!({"typ": "dpop+jwt", "alg": alg, "jwk": jwk});
        let claims = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW_S});
        let text = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", text(&header), text(&claims));
        let key = EncodingKey::from_ed_der(&der);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
        let asked = Asked { method: "POST", url: URL, access_token: None };
        let thumbprint = verify(&verifier(), &format!("{message}.{signature}"), &asked);
        assert_eq!(thumbprint.as_deref(), Ok("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    }
}

#[test]
fn two_headers_are_no_proof() {
    let mut headers = HeaderMap::new();
    assert_eq!(proof(&headers), Ok(None));
    headers.append(PROOF_HEADER, "a".parse().unwrap());
    assert_eq!(proof(&headers), Ok(Some("a")));
    headers.append(PROOF_HEADER, "a".parse().unwrap());
    assert!(proof(&headers).is_err());
}
