//! OpenID Connect as a relying party: discovery, the code exchange, and the checks of an ID token.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use graphql::LocalizedText;
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenVerifier,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AuthenticationContextClass, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, TokenResponse,
};
use tokio::sync::Mutex;
use url::Url;

use super::{Ask, Claims, Failure, Proof, ProviderIdentity};
use crate::config::{Config, ProviderConfig};
use crate::model::citizen::Profile;

const METADATA_MINUTES_MAX: i64 = 60;
/// An unknown key is looked for at most this often.
const METADATA_RELOAD_S_MIN: i64 = 60;
/// A provider that is down is asked again at most this often; others do not wait for it.
const METADATA_RETRY_S_MIN: i64 = 5;
const METADATA_HOURS_MAX: i64 = 24;
const CLOCK_SKEW_S_MAX: i64 = 60;
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Our side of one provider.
pub(super) struct RelyingParty {
    config: ProviderConfig,
    scopes: Vec<String>,
    redirect_uri: String,
    http: reqwest::Client,
    clock: Clock,
    metadata: Mutex<Known>,
}

/// What is known of a provider, and when it last did not answer.
#[derive(Default)]
struct Known {
    loaded: Option<Loaded>,
    failed_at: Option<DateTime<Utc>>,
}

struct Loaded {
    metadata: Arc<CoreProviderMetadata>,
    at: DateTime<Utc>,
}

/// Claims whose signature, issuer, audience, times and nonce hold.
pub(super) struct Verified {
    pub claims: Claims,
    issuer: String,
    subject: String,
    authenticated_at: DateTime<Utc>,
}

impl Verified {
    pub fn identity(self, pid: Option<String>, profile: Profile) -> ProviderIdentity {
        ProviderIdentity {
            issuer: self.issuer,
            subject: self.subject,
            pid,
            profile,
            claims: self.claims,
            authenticated_at: self.authenticated_at,
        }
    }
}

impl RelyingParty {
    pub fn new(config: &Config, provider: &ProviderConfig, scopes: &[&str], clock: Clock) -> Self {
        let own = || scopes.iter().map(|&scope| scope.to_owned()).collect();
        Self {
            scopes: if provider.scopes.is_empty() { own() } else { provider.scopes.clone() },
            redirect_uri: format!("{}/oauth/callback/{}", config.public_url, provider.code),
            config: provider.clone(),
            http: chassis::http_client(Duration::from_millis(config.provider_timeout_ms)),
            clock,
            metadata: Mutex::default(),
        }
    }

    pub fn code(&self) -> &str {
        &self.config.code
    }

    pub fn name(&self) -> &LocalizedText {
        &self.config.name
    }

    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    pub async fn authorization_url(&self, ask: &Ask<'_>) -> Result<Url, Failure> {
        let metadata = self.metadata(METADATA_MINUTES_MAX * 60).await?;
        let client = CoreClient::from_provider_metadata((*metadata).clone(), self.client_id(), None)
            .set_redirect_uri(self.redirect_url()?);
        let state = CsrfToken::new(ask.state.to_owned());
        let nonce = Nonce::new(ask.proof.nonce.to_owned());
        let verifier = PkceCodeVerifier::new(ask.proof.code_verifier.to_owned());
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .add_scopes(self.scopes.iter().cloned().map(Scope::new))
            // A login is asked for each time: somebody else may hold the device now.
            .add_prompt(CoreAuthPrompt::Login)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for acr in ask.acr_values.unwrap_or("").split(' ').filter(|acr| !acr.is_empty()) {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr.to_owned()));
        }
        Ok(request.url().0)
    }

    pub async fn exchange(&self, code: &str, proof: Proof<'_>) -> Result<Verified, Failure> {
        let metadata = self.metadata(METADATA_MINUTES_MAX * 60).await?;
        let answer = self.redeem(&metadata, code, proof).await?;
        let token = answer.id_token().ok_or(Failure::Refused("there is no ID token"))?;
        let nonce = Nonce::new(proof.nonce.to_owned());
        let verified = match self.verify(&metadata, token, &answer, &nonce) {
            // Its keys may have been rotated since we asked for them.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let metadata = self.metadata(METADATA_RELOAD_S_MIN).await?;
                self.verify(&metadata, token, &answer, &nonce)
            }
            verified => verified,
        };
        verified.map_err(|error| {
            let reason = reason_of(&error);
            tracing::warn!(provider = self.code(), reason, "an ID token was refused");
            Failure::Refused(reason)
        })
    }

    async fn redeem(
        &self,
        metadata: &CoreProviderMetadata,
        code: &str,
        proof: Proof<'_>,
    ) -> Result<CoreTokenResponse, Failure> {
        let secret = ClientSecret::new(self.config.client_secret.reveal().to_owned());
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.client_id(), Some(secret))
            .set_redirect_uri(self.redirect_url()?);
        let http = |request| send(self.http.clone(), request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| Failure::Unavailable("it has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(proof.code_verifier.to_owned()))
            .request_async(&http)
            .await;
        answer.map_err(|error| match error {
            // Only `invalid_grant` is about this person's code; the rest is about us and the provider.
            RequestTokenError::ServerResponse(refusal) if refusal.error().to_string() == "invalid_grant" => {
                Failure::Refused("the code does not hold")
            }
            RequestTokenError::ServerResponse(refusal) => {
                tracing::error!(provider = self.code(), error = %refusal.error(), "a provider refuses our token request");
                Failure::Unavailable("it refuses our request")
            }
            RequestTokenError::Request(_) => Failure::Unavailable("it does not answer"),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                Failure::Unavailable("its answer cannot be read")
            }
        })
    }

    fn verify(
        &self,
        metadata: &CoreProviderMetadata,
        token: &CoreIdToken,
        answer: &CoreTokenResponse,
        nonce: &Nonce,
    ) -> Result<Verified, ClaimsVerificationError> {
        let now = self.clock.now();
        let verifier = CoreIdTokenVerifier::new_public_client(
            self.client_id(),
            metadata.issuer().clone(),
            metadata.jwks().clone(),
        )
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            CoreJwsSigningAlgorithm::EdDsa,
        ])
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(move |issued_at| {
            if issued_at - now <= TimeDelta::seconds(CLOCK_SKEW_S_MAX) {
                Ok(())
            } else {
                Err("from the future".into())
            }
        });
        let claims = token.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let signature = ClaimsVerificationError::SignatureVerification;
            let key = token.signing_key(&verifier).map_err(signature)?;
            let alg = token.signing_alg().map_err(signature)?;
            let actual = AccessTokenHash::from_token(answer.access_token(), alg, key);
            if actual.ok().as_ref() != Some(expected) {
                return Err(ClaimsVerificationError::Other("at_hash".into()));
            }
        }
        let raw = payload(token).ok_or_else(|| ClaimsVerificationError::Other("payload".into()))?;
        Ok(Verified {
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            authenticated_at: claims.auth_time().unwrap_or(now).min(now),
            claims: Claims(raw),
        })
    }

    /// The discovery document and keys, not older than `age_s_max` if the provider answers. While it
    /// is down, what is known of it serves on for a day; somebody waits for it only now and then.
    async fn metadata(&self, age_s_max: i64) -> Result<Arc<CoreProviderMetadata>, Failure> {
        let mut known = self.metadata.lock().await;
        let now = self.clock.now();
        let young = |loaded: &&Loaded, age: TimeDelta| now - loaded.at < age;
        if let Some(loaded) = known.loaded.as_ref().filter(|it| young(it, TimeDelta::seconds(age_s_max))) {
            return Ok(loaded.metadata.clone());
        }
        let waits = known.failed_at.is_some_and(|at| now - at < TimeDelta::seconds(METADATA_RETRY_S_MIN));
        let asked = if waits { Err("it did not answer just now") } else { self.discover().await };
        match asked {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known =
                    Known { loaded: Some(Loaded { metadata: metadata.clone(), at: now }), failed_at: None };
                Ok(metadata)
            }
            Err(reason) => {
                if !waits {
                    tracing::warn!(provider = self.code(), reason, "discovery failed");
                    // After the wait for it: those who stood in line meanwhile do not wait again.
                    known.failed_at = Some(self.clock.now());
                }
                let old = known.loaded.as_ref().filter(|it| young(it, TimeDelta::hours(METADATA_HOURS_MAX)));
                old.map(|loaded| loaded.metadata.clone()).ok_or(Failure::Unavailable(reason))
            }
        }
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, &'static str> {
        let issuer =
            IssuerUrl::new(self.config.issuer.clone()).map_err(|_| "its issuer is not an address")?;
        let http = |request| send(self.http.clone(), request);
        CoreProviderMetadata::discover_async(issuer, &http).await.map_err(|error| discovery_reason(&error))
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.config.client_id.clone())
    }

    fn redirect_url(&self) -> Result<RedirectUrl, Failure> {
        RedirectUrl::new(self.redirect_uri.clone())
            .map_err(|_| Failure::Unavailable("public_url is not an address"))
    }
}

/// The claims as they were signed: providers send more than the standard names. Only for a token
/// that was verified.
fn payload(token: &CoreIdToken) -> Option<serde_json::Map<String, serde_json::Value>> {
    let text = token.to_string();
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// The reason without the values, which are personal or secret.
fn reason_of(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "the ID token has expired or comes from the future",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for another audience",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token is of another login",
        ClaimsVerificationError::SignatureVerification(_) => "the ID token's signature does not hold",
        _ => "the ID token does not hold",
    }
}

fn discovery_reason<E: std::error::Error>(error: &DiscoveryError<E>) -> &'static str {
    match error {
        DiscoveryError::Request(_) => "it does not answer",
        DiscoveryError::Validation(_) => "its discovery document names another issuer",
        _ => "its discovery document cannot be read",
    }
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the request failed")]
    Http(#[from] reqwest::Error),
    #[error("the request cannot be made")]
    Request(#[from] http::Error),
    #[error("the answer is too long")]
    TooLong,
}

/// One request, with a bounded answer.
async fn send(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, SendError> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut response = http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(SendError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(response.body(body)?)
}
