//! What a provider publishes of itself: its discovery document and keys, asked for now and then.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata, UserInfoUrl};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use super::Failure;
use super::relying_party::send;

const METADATA_MINUTES_MAX: i64 = 60;
/// An unknown key is looked for at most this often.
const METADATA_RELOAD_S_MIN: i64 = 60;
/// A provider that is down is asked again at most this often; others do not wait for it.
const METADATA_RETRY_S_MIN: i64 = 5;
const METADATA_HOURS_MAX: i64 = 24;

pub(super) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the library does not read of a discovery document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct More {
    /// RFC 9207 section 3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

impl More {
    /// Whether every answer of this provider names it.
    pub fn names_itself(&self) -> bool {
        self.authorization_response_iss_parameter_supported
    }
}

/// A provider's metadata, kept for a while.
pub(super) struct Discovery {
    code: String,
    issuer: String,
    http: reqwest::Client,
    clock: Clock,
    known: Mutex<Known>,
}

/// What is known of a provider, and when it last did not answer.
#[derive(Default)]
struct Known {
    loaded: Option<Loaded>,
    failed_at: Option<DateTime<Utc>>,
}

struct Loaded {
    metadata: Arc<Metadata>,
    at: DateTime<Utc>,
}

impl Discovery {
    pub fn new(code: &str, issuer: &str, http: reqwest::Client, clock: Clock) -> Self {
        Self { code: code.to_owned(), issuer: issuer.to_owned(), http, clock, known: Mutex::default() }
    }

    /// The metadata as a login begins with it.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, Failure> {
        self.not_older_than(TimeDelta::minutes(METADATA_MINUTES_MAX)).await
    }

    /// The metadata after a key that we do not know was used. However many such tokens come, the
    /// provider is not asked more often.
    pub async fn newest_metadata(&self) -> Result<Arc<Metadata>, Failure> {
        self.not_older_than(TimeDelta::seconds(METADATA_RELOAD_S_MIN)).await
    }

    /// The metadata, not older than `age_max` if the provider answers. While it is down, what is
    /// known of it serves on for a day; somebody waits for it only now and then.
    async fn not_older_than(&self, age_max: TimeDelta) -> Result<Arc<Metadata>, Failure> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        let young = |loaded: &&Loaded, age: TimeDelta| now - loaded.at < age;
        if let Some(loaded) = known.loaded.as_ref().filter(|it| young(it, age_max)) {
            return Ok(loaded.metadata.clone());
        }
        let waits = known.failed_at.is_some_and(|at| now - at < TimeDelta::seconds(METADATA_RETRY_S_MIN));
        let asked = if waits { Err("it did not answer just now") } else { self.ask().await };
        match asked {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known =
                    Known { loaded: Some(Loaded { metadata: metadata.clone(), at: now }), failed_at: None };
                Ok(metadata)
            }
            Err(reason) => {
                if !waits {
                    tracing::warn!(provider = self.code, reason, "discovery failed");
                    // After the wait for it: those who stood in line meanwhile do not wait again.
                    known.failed_at = Some(self.clock.now());
                }
                let old = known.loaded.as_ref().filter(|it| young(it, TimeDelta::hours(METADATA_HOURS_MAX)));
                old.map(|loaded| loaded.metadata.clone()).ok_or(Failure::Unavailable(reason))
            }
        }
    }

    async fn ask(&self) -> Result<Metadata, &'static str> {
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|_| "its issuer is not an address")?;
        let http = |request| send(self.http.clone(), request);
        let metadata =
            Metadata::discover_async(issuer, &http).await.map_err(|error| discovery_reason(&error))?;
        usable(&metadata).map(|()| metadata)
    }
}

/// Whether a login can come to an end with it: better known before the person is sent there.
fn usable(metadata: &Metadata) -> Result<(), &'static str> {
    let token = metadata.token_endpoint().ok_or("its discovery document names no token endpoint")?;
    let userinfo = metadata.userinfo_endpoint().map(UserInfoUrl::url);
    let scheme = metadata.issuer().url().scheme();
    let keeps_scheme = |url: &Url| url.scheme() == scheme || url.scheme() == "https";
    let endpoints = [metadata.authorization_endpoint().url(), token.url(), metadata.jwks_uri().url()];
    if !endpoints.into_iter().chain(userinfo).all(keeps_scheme) {
        return Err("its discovery document names an endpoint without TLS");
    }
    if metadata.jwks().keys().is_empty() {
        return Err("it has no key that we can read");
    }
    Ok(())
}

fn discovery_reason<E: std::error::Error>(error: &DiscoveryError<E>) -> &'static str {
    match error {
        DiscoveryError::Request(_) => "it does not answer",
        DiscoveryError::Validation(_) => "its discovery document names another issuer",
        _ => "its discovery document cannot be read",
    }
}
