//! DPoP (RFC 9449): a request proves that it comes from the holder of the key its token is bound to.
//!
//! A proof is a JWT that the client signs anew for each request: method, address, time, a number of its
//! own, and at the graph the token's hash. It is taken once. Nonces of ours are not asked for: proofs
//! live for a minute and are remembered longer (see `infra/decisions`).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cache::Seen;
use clock::Clock;
use http::HeaderMap;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};
use url::Url;

/// The header that carries a proof.
pub const PROOF_HEADER: &str = "dpop";
/// What proofs may be signed with: asymmetric, and no more than current profiles ask for. `Ed25519` is what
/// RFC 9864 calls the one EdDSA that we take.
pub const PROOF_ALGORITHMS: [&str; 4] = ["ES256", "EdDSA", "Ed25519", "PS256"];

/// Bytes of a proof; one with an RSA key of 4096 bits has some 2,000.
const PROOF_BYTES_MAX: usize = 4 * 1024;
const JTI_BYTES_MAX: usize = 256;
/// How old a proof may be,
const AGE_S_MAX: i64 = 60;
/// and how far a client's clock may be ahead of ours.
const AHEAD_S_MAX: i64 = 10;
/// Longer than any proof can be taken.
const MEMORY: Duration = Duration::from_secs(120);
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// Parts of a JWK that are its public key: RFC 7638 section 3.2 and RFC 8037 section 2.
const PUBLIC: [&str; 6] = ["kty", "crv", "x", "y", "n", "e"];
/// Parts of a JWK that are nobody else's to see: RFC 7518 sections 6.2.2, 6.3.2 and 6.4.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a proof is not taken, for the client's developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProofFault(pub &'static str);

/// What a proof has to be made for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub method: &'a str,
    /// The public address of what is asked; its query does not matter.
    pub url: &'a str,
    /// The token that comes with it, where one does.
    pub access_token: Option<&'a str>,
}

/// Checks proofs, and takes each once. Cloning shares the memory.
#[derive(Clone)]
pub struct ProofVerifier {
    taken: Seen,
    clock: Clock,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Map<String, Value>,
    #[serde(default)]
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: Number,
    #[serde(default)]
    ath: Option<String>,
}

/// The proof that comes with a request.
pub fn proof(headers: &HeaderMap) -> Result<Option<&str>, ProofFault> {
    let mut all = headers.get_all(PROOF_HEADER).iter();
    let Some(first) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(ProofFault("there is more than one DPoP header"));
    }
    first.to_str().map(|proof| Some(proof.trim())).map_err(|_| NO_JWT)
}

impl ProofVerifier {
    pub fn new(clock: Clock) -> Self {
        Self { taken: Seen::new(None), clock }
    }

    /// The same, remembering together with the other processes.
    pub fn sharing(self, seen: Seen) -> Self {
        Self { taken: seen, ..self }
    }

    /// Checks a proof, takes it, and gives the thumbprint (RFC 7638) of its key.
    pub async fn verify(&self, proof: &str, asked: &Asked<'_>) -> Result<String, ProofFault> {
        if proof.len() > PROOF_BYTES_MAX {
            return Err(ProofFault("the proof is too long"));
        }
        let header = header(proof)?;
        let alg = algorithm(&header.alg)?;
        let jwk = public_key(alg, header.jwk)?;
        let claims = signed(proof, alg, &jwk)?;
        self.check(&claims, asked)?;
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KEY)?;
        let number = format!("{thumbprint}.{}", claims.jti);
        // Last, so that nothing but a good proof costs memory.
        if !self.taken.first_time("dpop-proof", number.as_bytes(), MEMORY).await {
            return Err(ProofFault("the proof was used before"));
        }
        Ok(thumbprint)
    }

    fn check(&self, claims: &Claims, asked: &Asked<'_>) -> Result<(), ProofFault> {
        if claims.jti.is_empty() || claims.jti.len() > JTI_BYTES_MAX {
            return Err(ProofFault("jti must be a short text"));
        }
        if claims.htm != asked.method {
            return Err(ProofFault("htm is not the method of this request"));
        }
        let (htu, url) = (address(&claims.htu), address(asked.url));
        if htu.is_none() || htu != url {
            return Err(ProofFault("htu is not the address of this request"));
        }
        let iat = claims.iat.as_i64().or_else(|| claims.iat.as_f64().map(|seconds| seconds as i64));
        // The sandbox moves our clock, never the client's.
        let now = self.clock.now() - self.clock.offset();
        let age_s = iat.and_then(|iat| now.timestamp().checked_sub(iat));
        if !age_s.is_some_and(|age| (-AHEAD_S_MAX..=AGE_S_MAX).contains(&age)) {
            return Err(ProofFault("iat is not now: the proof is old, or a clock is wrong"));
        }
        let ath = asked.access_token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
        if ath.is_some() && ath != claims.ath {
            return Err(ProofFault("ath is not the hash of the token"));
        }
        Ok(())
    }
}

const NO_JWT: ProofFault = ProofFault("the proof is not a JWT");
const KEY: ProofFault =
    ProofFault("jwk is not a public key for alg: P-256, Ed25519, or RSA of 2048 to 4096 bits");

fn header(proof: &str) -> Result<Header, ProofFault> {
    let text = proof.split('.').next().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let text = text.ok_or(NO_JWT)?;
    let unfit = ProofFault("the proof's header needs typ, alg and jwk");
    let header: Header = serde_json::from_slice(&text).map_err(|_| unfit)?;
    if header.typ != "dpop+jwt" {
        return Err(ProofFault("typ must be dpop+jwt"));
    }
    if header.crit.is_some() {
        return Err(ProofFault("crit names nothing that we know"));
    }
    Ok(header)
}

fn algorithm(name: &str) -> Result<Algorithm, ProofFault> {
    match name {
        "ES256" => Ok(Algorithm::ES256),
        "EdDSA" | "Ed25519" => Ok(Algorithm::EdDSA),
        "PS256" => Ok(Algorithm::PS256),
        _ => Err(ProofFault("alg must be ES256, EdDSA, Ed25519 or PS256")),
    }
}

/// The key, if it is public, of a kind and size that we take, and fits `alg`.
fn public_key(alg: Algorithm, mut jwk: Map<String, Value>) -> Result<Jwk, ProofFault> {
    if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
        return Err(ProofFault("jwk holds a private key: it is not secret any more"));
    }
    jwk.retain(|name, _| PUBLIC.contains(&name.as_str()));
    let jwk: Jwk = serde_json::from_value(Value::Object(jwk)).map_err(|_| KEY)?;
    let fits = match (alg, &jwk.algorithm) {
        (Algorithm::ES256, AlgorithmParameters::EllipticCurve(key)) => key.curve == EllipticCurve::P256,
        (Algorithm::EdDSA, AlgorithmParameters::OctetKeyPair(key)) => key.curve == EllipticCurve::Ed25519,
        (Algorithm::PS256, AlgorithmParameters::RSA(key)) => {
            URL_SAFE_NO_PAD.decode(&key.n).is_ok_and(|n| RSA_MODULUS_BYTES.contains(&n.len()))
        }
        _ => false,
    };
    if fits { Ok(jwk) } else { Err(KEY) }
}

/// By hand: the library knows no `Ed25519`.
fn signed(proof: &str, alg: Algorithm, jwk: &Jwk) -> Result<Claims, ProofFault> {
    let key = DecodingKey::from_jwk(jwk).map_err(|_| KEY)?;
    let (message, signature) = proof.rsplit_once('.').ok_or(NO_JWT)?;
    if !jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, alg).unwrap_or(false) {
        return Err(ProofFault("the signature does not hold"));
    }
    let (_, claims) = message.split_once('.').ok_or(NO_JWT)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| NO_JWT)?;
    serde_json::from_slice(&claims).map_err(|_| ProofFault("the proof needs jti, htm, htu and iat"))
}

/// An address as it is compared: normalised, without query and fragment. A browser's WebSocket has its own
/// names for the schemes of one and the same request.
fn address(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    let http = match url.scheme() {
        "ws" => Some("http"),
        "wss" => Some("https"),
        _ => None,
    };
    if let Some(http) = http {
        url.set_scheme(http).ok()?;
    }
    Some(url)
}

#[cfg(test)]
mod tests;
