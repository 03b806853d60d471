//! A Digital ID provider: its claims as configuration, its signing key from the database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use database::Database;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::level::{Ial, Level};
use crate::persona::{Bilingual, Persona};
use crate::{secret, store};

const PROVIDERS: &str = include_str!("providers.toml");

/// From this level on a number counts as proven (chip or DOPA check).
const PROVEN_FROM: &str = "2.1";

/// A provider, open for logins.
#[derive(Clone)]
pub struct Provider {
    pub code: String,
    pub name: Bilingual,
    pub issuer: String,
    shape: Arc<Shape>,
    key: Arc<Key>,
}

/// What the file says of a provider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    code: String,
    name: Bilingual,
    secret: SecretForm,
    claims: BTreeMap<String, Source>,
    scopes: BTreeMap<String, BTreeSet<String>>,
}

/// What a client must send of its secret.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecretForm {
    Plain,
    #[serde(rename = "md5_of_ega")]
    Md5OfEga,
}

/// What a claim holds.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Pid,
    Proven,
    TitleTh,
    TitleEn,
    NameTh,
    NameEn,
    GivenNameTh,
    GivenNameEn,
    FamilyNameTh,
    FamilyNameEn,
    Gender,
    Birthdate,
    Address,
    IalText,
    IalNumber,
}

struct Key {
    id: String,
    signing: EncodingKey,
    public: Jwk,
}

/// Opens the providers of `providers.toml`; the signing keys are made the first time.
pub async fn open_providers(
    database: &Database,
    base_url: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<Provider>> {
    #[derive(Deserialize)]
    struct File {
        provider: Vec<Shape>,
    }
    let file: File = toml::from_str(PROVIDERS).context("reading providers.toml")?;
    let mut providers = Vec::new();
    for shape in file.provider {
        let pem = store::grant::signing_key_or_insert(database, &shape.code, &fresh_key()?, now).await?;
        providers.push(Provider {
            code: shape.code.clone(),
            name: shape.name.clone(),
            issuer: format!("{base_url}/idp/{}", shape.code),
            shape: Arc::new(shape),
            key: Arc::new(Key::from_pem(&pem)?),
        });
    }
    Ok(providers)
}

impl Provider {
    /// What the asked scopes release of a persona.
    pub fn claims(&self, persona: &Persona, level: Level, scope: &str) -> Map<String, Value> {
        let scopes: BTreeSet<&str> = scope.split_whitespace().collect();
        let released = |claim: &String| {
            let by_group = |scope: &&str| self.shape.scopes.get(*scope).is_some_and(|g| g.contains(claim));
            scopes.contains(claim.as_str()) || scopes.iter().any(by_group)
        };
        let claims = self.shape.claims.iter().filter(|(claim, _)| released(claim));
        let known = persona.known_at(&self.code);
        let claims = claims.map(|(claim, source)| (claim.clone(), source.of(&known, level)));
        // A foreigner has no number: the claim is absent, not empty.
        claims.filter(|(_, value)| !value.is_null()).collect()
    }

    /// Whether a client with this secret would send what came.
    pub fn takes_secret(&self, sent: &str, secret: &str) -> bool {
        match self.shape.secret {
            SecretForm::Plain => secret::same(sent, secret),
            SecretForm::Md5OfEga => secret::same(sent, &secret::md5_of_ega(secret)),
        }
    }

    /// Signs an id token.
    pub fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.key.id.clone());
        Ok(jsonwebtoken::encode(&header, claims, &self.key.signing)?)
    }

    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.key.public] })
    }

    pub fn claims_supported(&self) -> Vec<&str> {
        let standard = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr"];
        standard.into_iter().chain(self.shape.claims.keys().map(String::as_str)).collect()
    }

    pub fn scopes_supported(&self) -> Vec<&str> {
        let named = self.shape.scopes.keys().chain(self.shape.claims.keys());
        ["openid"].into_iter().chain(named.map(String::as_str)).collect()
    }
}

impl Source {
    fn of(self, persona: &Persona, level: Level) -> Value {
        match self {
            Self::Pid => json!(persona.pid),
            Self::Proven => json!(Some(level.ial) >= Ial::parse(PROVEN_FROM)),
            Self::TitleTh => json!(persona.title.th),
            Self::TitleEn => json!(persona.title.en),
            Self::NameTh => json!(persona.name_th()),
            Self::NameEn => json!(persona.name_en()),
            Self::GivenNameTh => json!(persona.given_name.th),
            Self::GivenNameEn => json!(persona.given_name.en),
            Self::FamilyNameTh => json!(persona.family_name.th),
            Self::FamilyNameEn => json!(persona.family_name.en),
            Self::Gender => json!(persona.gender),
            Self::Birthdate => json!(persona.birthdate),
            Self::Address => json!({ "formatted": persona.address }),
            Self::IalText => json!(level.ial.as_str()),
            // DGA writes its level as a number where ThaID writes text.
            Self::IalNumber => json!(level.ial.as_str().parse::<f64>().unwrap_or_default()),
        }
    }
}

impl Key {
    fn from_pem(pem: &str) -> anyhow::Result<Self> {
        let signing = EncodingKey::from_ec_pem(pem.as_bytes()).context("reading a signing key")?;
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::ES256)?;
        let id = public.thumbprint(ThumbprintHash::SHA256)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { id, signing, public })
    }
}

fn fresh_key() -> anyhow::Result<String> {
    // Nearly every 256-bit number is a key of this curve; the few that are not are drawn again.
    let key = loop {
        if let Ok(key) = p256::SecretKey::from_slice(&rand::random::<[u8; 32]>()) {
            break key;
        }
    };
    Ok(key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| anyhow::anyhow!("writing a key: {error}"))?
        .to_string())
}
