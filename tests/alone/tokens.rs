//! An authorization server's keys and tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::pkcs8::EncodePrivateKey;
use serde_json::{Value, json};

pub struct Issuer {
    issuer: String,
    audience: String,
    key: EncodingKey,
}

impl Issuer {
    /// With a key of its own, whose id every issuer here shares.
    pub fn new(issuer: &str, audience: &str) -> Self {
        let secret = p256::SecretKey::from_slice(&rand::random::<[u8; 32]>()).unwrap();
        let key = EncodingKey::from_ec_der(secret.to_pkcs8_der().unwrap().as_bytes());
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), key }
    }

    pub fn jwks(&self) -> String {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some("key-1".to_owned());
        serde_json::to_string(&JwkSet { keys: vec![jwk] }).unwrap()
    }

    /// A good token, but for the claims that are given.
    pub fn token(&self, claims: Value) -> String {
        let mut all = self.claims();
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        self.signed(&all)
    }

    pub fn token_without(&self, claim: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(claim);
        self.signed(&claims)
    }

    /// A good token with the algorithm `none`.
    pub fn unsigned(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&json!({"alg": "none", "kid": "key-1"})), part(&self.claims()))
    }

    fn claims(&self) -> Value {
        json!({"iss": self.issuer, "aud": self.audience, "sub": "someone", "exp": 4_000_000_000_i64})
    }

    fn signed(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("key-1".to_owned());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}
