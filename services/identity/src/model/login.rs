//! A finished login, and the session that grows out of it.

use std::collections::BTreeSet;

use auth::Level;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::request::AuthorizationRequest;

/// How long a person may take from `authorize` to the end of the login.
pub const LOGIN_MINUTES_MAX: i64 = 10;
/// How long a code waits for the client (RFC 6749 section 4.1.2 recommends less than ten minutes).
pub const CODE_S_MAX: i64 = 60;
/// How long an access token holds.
pub const ACCESS_TOKEN_S: i64 = 300;
/// Wrong numbers before a login that came back elsewhere is void.
pub const NUMBER_TRIES_MAX: i64 = 5;

/// Who logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Person {
    Citizen(Uuid),
    Officer(Uuid),
}

/// What a provider's answer came to: no personal data, so that it may wait in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub person: Person,
    pub provider: String,
    pub level: Level,
    pub methods: Vec<String>,
    pub authenticated_at: DateTime<Utc>,
}

/// A login with what the client asked for: what a code stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizedLogin {
    pub login: Login,
    pub scopes: BTreeSet<String>,
    pub nonce: Option<String>,
    pub step_up_of: Option<Uuid>,
    /// The thumbprint of the DPoP key that alone may redeem the code.
    #[serde(default)]
    pub dpop_jkt: Option<String>,
}

/// A client's request on its way through a provider.
#[derive(Clone, Debug)]
pub struct LoginFlow {
    pub id: Uuid,
    pub request: AuthorizationRequest,
    pub browser_hash: Vec<u8>,
    pub nonce: Option<String>,
    pub code_verifier: Option<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub outcome: Option<Login>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// An app's continued access for one person.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: Uuid,
    pub client_id: String,
    pub login: Login,
    pub scopes: BTreeSet<String>,
    pub expires_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl LoginFlow {
    /// Whether anything can still become of it.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.finished_at.is_none() && now < self.expires_at
    }
}

impl Session {
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}
