//! A client's DPoP key, and the proofs that are made with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::driver::{App, Tokens, VERIFIER, World};

/// Somebody who holds a key.
pub struct Holder {
    key: SigningKey,
}

impl Holder {
    pub fn new(seed: u8) -> Self {
        Self { key: SigningKey::from_slice(&[seed; 32]).unwrap() }
    }

    pub fn jwk(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": text(point.x().unwrap()), "y": text(point.y().unwrap())})
    }

    pub fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        // RFC 7638: the members that a key needs, in this order, without blanks.
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        URL_SAFE_NO_PAD.encode(Sha256::digest(text))
    }

    /// A proof for now but for `changes` of its claims.
    pub fn proof(&self, world: &World, method: &str, path: &str, changes: Value) -> String {
        let jti = world.clock.uuid();
        // A client's clock is its own: nobody moves it.
        let iat = (world.clock.now() - world.clock.offset()).timestamp();
        let mut claims = json!({"jti": jti, "htm": method, "htu": world.url(path), "iat": iat});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()});
        let text = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", text(&header), text(&claims));
        let signature: Signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// A proof for the token endpoint.
    pub fn token_proof(&self, world: &World) -> String {
        self.proof(world, "POST", "/oauth/token", json!({}))
    }

    pub async fn redeem(&self, app: &App<'_>, code: &str) -> Result<Tokens, Value> {
        redeem(app, code, &[&self.token_proof(app.world)]).await
    }

    pub async fn refresh(&self, app: &App<'_>, refresh_token: &str) -> Result<Tokens, Value> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        ask(app, &form, &[&self.token_proof(app.world)]).await
    }

    /// A whole login with tokens that are bound to this key.
    pub async fn log_in(&self, app: &App<'_>, persona: &str) -> Tokens {
        let returned = app.authorize("thaid", persona, &[]).await;
        self.redeem(app, returned.code()).await.unwrap()
    }

    /// The headers of a call of the graph.
    pub fn call(&self, world: &World, token: &str, changes: Value) -> HeaderMap {
        let mut claims = json!({"ath": URL_SAFE_NO_PAD.encode(Sha256::digest(token))});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let proof = self.proof(world, "POST", "/graphql", claims);
        HeaderMap::from_iter([
            (http::header::AUTHORIZATION, format!("DPoP {token}").parse().unwrap()),
            (http::HeaderName::from_static("dpop"), proof.parse().unwrap()),
        ])
    }
}

/// Redeems a code with these proofs, or none.
pub async fn redeem(app: &App<'_>, code: &str, proofs: &[&str]) -> Result<Tokens, Value> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &app.redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    ask(app, &form, proofs).await
}

async fn ask(app: &App<'_>, form: &[(&str, &str)], proofs: &[&str]) -> Result<Tokens, Value> {
    let form: Vec<_> = form.iter().copied().chain([("client_id", app.client_id)]).collect();
    let http = chassis::http_client(std::time::Duration::from_secs(10));
    let mut post = http.post(app.world.url("/oauth/token")).form(&form);
    for proof in proofs {
        post = post.header("DPoP", *proof);
    }
    let response = post.send().await.unwrap();
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    match status {
        StatusCode::OK => Ok(Tokens { body }),
        StatusCode::BAD_REQUEST => Err(body),
        _ => panic!("{status}: {body}"),
    }
}

/// Whether a call of the graph with these headers is let in as somebody.
pub async fn let_in(world: &World, headers: &HeaderMap) -> Result<bool, auth::TokenError> {
    let verifier = world.service.verifier();
    let identified = verifier.identify(&Method::POST, "/graphql", headers).await;
    identified.map(|found| found.is_some()).map_err(|refused| refused.error)
}
