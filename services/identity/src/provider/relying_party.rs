//! OpenID Connect as a relying party: the way to a provider, the code exchange, userinfo.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::Clock;
use graphql::LocalizedText;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreTokenResponse};
use openidconnect::{
    AuthType, AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenResponse,
};
use url::Url;

use super::discovery::{Discovery, Metadata};
use super::id_token::{self, Checked};
use super::{Ask, Claims, Failure, Proof, ProviderIdentity, dga};
use crate::config::{ClientAuth, Config, ProviderConfig, SecretForm};
use crate::model::citizen::Profile;

const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// How an adapter's providers speak, unless the operator says otherwise.
pub(super) struct Ways {
    pub scopes: &'static [&'static str],
    pub secret_form: SecretForm,
    pub userinfo: bool,
}

/// Our side of one provider.
pub struct RelyingParty {
    config: ProviderConfig,
    scopes: Vec<String>,
    secret: ClientSecret,
    userinfo: bool,
    redirect_uri: String,
    http: reqwest::Client,
    clock: Clock,
    discovery: Discovery,
}

/// Claims whose signature, issuer, audience, times and nonce hold.
pub struct Verified {
    pub claims: Claims,
    issuer: String,
    subject: String,
    authenticated_at: Option<DateTime<Utc>>,
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
    pub(super) fn new(config: &Config, provider: &ProviderConfig, ways: Ways, clock: Clock) -> Self {
        let own = || ways.scopes.iter().map(|&scope| scope.to_owned()).collect();
        let secret = provider.client_secret.reveal();
        let secret = match provider.oddities.secret_form.unwrap_or(ways.secret_form) {
            SecretForm::Plain => secret.to_owned(),
            SecretForm::EgaMd5 => dga::secret_to_send(secret),
        };
        let http = chassis::http_client(Duration::from_millis(config.provider_timeout_ms));
        Self {
            scopes: if provider.scopes.is_empty() { own() } else { provider.scopes.clone() },
            secret: ClientSecret::new(secret),
            userinfo: provider.oddities.userinfo.unwrap_or(ways.userinfo),
            redirect_uri: format!("{}/oauth/callback/{}", config.public_url, provider.code),
            config: provider.clone(),
            discovery: Discovery::new(&provider.code, &provider.issuer, http.clone(), clock.clone()),
            http,
            clock,
        }
    }

    pub fn code(&self) -> &str {
        &self.config.code
    }

    pub fn name(&self) -> &LocalizedText {
        &self.config.name
    }

    pub async fn authorization_url(&self, ask: &Ask<'_>) -> Result<Url, Failure> {
        let metadata = self.discovery.metadata().await?;
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
        if let Some(seconds) = ask.max_age_s.and_then(|seconds| u64::try_from(seconds).ok()) {
            request = request.set_max_age(Duration::from_secs(seconds));
        }
        Ok(request.url().0)
    }

    /// RFC 9207: an answer of another issuer is a mix-up, whatever else it says; and so is one that
    /// names none although the provider says that it always does.
    pub async fn answered(&self, issuer: Option<&str>) -> Result<(), Failure> {
        let ours = match issuer {
            Some(issuer) => issuer == self.config.issuer,
            None => !self.discovery.metadata().await?.additional_metadata().names_itself(),
        };
        ours.then_some(()).ok_or(Failure::Refused("the answer is not known to be of this provider"))
    }

    pub async fn exchange(&self, code: &str, proof: Proof<'_>) -> Result<Verified, Failure> {
        let mut metadata = self.discovery.metadata().await?;
        let answer = self.redeem(&metadata, code, proof).await?;
        let token = answer.id_token().ok_or(Failure::Refused("there is no ID token"))?;
        let nonce = Nonce::new(proof.nonce.to_owned());
        let now = self.clock.now();
        let check = |metadata: &Metadata| {
            id_token::check(token, answer.access_token(), metadata, &self.client_id(), &nonce, now)
        };
        let mut checked = check(&metadata);
        if checked.as_ref().err().is_some_and(id_token::may_be_new_key) {
            // Its keys may have been rotated since we asked for them.
            metadata = self.discovery.newest_metadata().await?;
            checked = check(&metadata);
        }
        let Checked { issuer, subject, claims, authenticated_at } = checked.map_err(|error| {
            let reason = id_token::reason_of(&error);
            tracing::warn!(provider = self.code(), reason, "an ID token was refused");
            Failure::Refused(reason)
        })?;
        let mut verified = Verified { claims: Claims(claims), issuer, subject, authenticated_at };
        if self.userinfo {
            self.ask_userinfo(&metadata, &answer, &mut verified).await?;
        }
        Ok(verified)
    }

    async fn redeem(
        &self,
        metadata: &Arc<Metadata>,
        code: &str,
        proof: Proof<'_>,
    ) -> Result<CoreTokenResponse, Failure> {
        let (client_id, secret) = (self.client_id(), Some(self.secret.clone()));
        let client = CoreClient::from_provider_metadata((**metadata).clone(), client_id, secret)
            .set_auth_type(match self.config.oddities.client_auth {
                None | Some(ClientAuth::Basic) => AuthType::BasicAuth,
                Some(ClientAuth::Body) => AuthType::RequestBody,
            })
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

    /// Completes the claims by those of `userinfo` (OpenID Connect Core 5.3), which is believed for
    /// coming straight from the provider.
    async fn ask_userinfo(
        &self,
        metadata: &Metadata,
        answer: &CoreTokenResponse,
        verified: &mut Verified,
    ) -> Result<(), Failure> {
        let down = Failure::Unavailable;
        let address = metadata.userinfo_endpoint().ok_or(down("it has no userinfo endpoint"))?;
        let request = http::Request::get(address.as_str())
            .header(http::header::AUTHORIZATION, format!("Bearer {}", answer.access_token().secret()))
            .header(http::header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|_| down("its userinfo endpoint is no address"))?;
        let told = send(self.http.clone(), request).await.map_err(|_| down("userinfo does not answer"))?;
        if told.status() != http::StatusCode::OK {
            return Err(down("userinfo refuses our request"));
        }
        let told: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(told.body()).map_err(|_| down("userinfo cannot be read"))?;
        // Section 5.3.2: without this, another person's claims could be put beside a token.
        if told.get("sub").and_then(serde_json::Value::as_str) != Some(&verified.subject) {
            return Err(Failure::Refused("userinfo is of another person"));
        }
        verified.claims.complete(told);
        Ok(())
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.config.client_id.clone())
    }

    fn redirect_url(&self) -> Result<RedirectUrl, Failure> {
        RedirectUrl::new(self.redirect_uri.clone())
            .map_err(|_| Failure::Unavailable("public_url is not an address"))
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("the request failed")]
    Http(#[from] reqwest::Error),
    #[error("the request cannot be made")]
    Request(#[from] http::Error),
    #[error("the answer is too long")]
    TooLong,
}

/// One request, with a bounded answer.
pub(super) async fn send(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, SendError> {
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
