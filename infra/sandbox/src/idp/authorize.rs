//! The authorization endpoint: checks what the relying party asks, lets the person choose, sends a code.

use axum::Form;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Duration;
use serde::Deserialize;

use super::{Asked, Provider, login_page};
use crate::level::Wanted;
use crate::persona::Persona;
use crate::store::grant::{self, Code};
use crate::{Sandbox, page, people, secret, triggers};

/// Codes live at most this long (FAPI 2.0).
const CODE_VALID_S: i64 = 60;
/// Codes and tokens are forgotten this long after their end.
const FORGOTTEN_AFTER_H: i64 = 24;
/// A parameter longer than this is refused.
const PARAMETER_BYTES_MAX: usize = 2_048;

/// The query of an authorization request (OpenID Connect Core 3.1.2.1). A repeated parameter is refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asks {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    nonce: String,
    code_challenge: String,
    code_challenge_method: String,
    acr_values: String,
    max_age: Option<String>,
    prompt: String,
}

/// What the login page sends; a program sends `persona` alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    persona: String,
    action: String,
}

/// Why there is no code.
#[derive(Debug)]
pub enum Refusal {
    /// Told to the person: there is nobody to redirect to. In Thai and English.
    Page(&'static str, &'static str),
    /// Told to the relying party, at this address.
    Back(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Page(th, en) => page::notice(StatusCode::BAD_REQUEST, th, en),
            Self::Back(address) => page::private(Redirect::to(&address)),
        }
    }
}

/// `GET`: the login page.
pub async fn show(
    State(sandbox): State<Sandbox>,
    Asked(provider): Asked,
    asks: Result<Query<Asks>, QueryRejection>,
) -> Result<Response, Refusal> {
    let asks = checked(&sandbox, &provider, asks)?;
    Ok(login_page::show(&sandbox, &provider, &asks.scope, Wanted::parse(&asks.acr_values)))
}

/// `POST` to the same address: the person chose, or cancelled.
pub async fn decide(
    State(sandbox): State<Sandbox>,
    Asked(provider): Asked,
    asks: Result<Query<Asks>, QueryRejection>,
    Form(choice): Form<Choice>,
) -> Result<Response, Refusal> {
    let asks = checked(&sandbox, &provider, asks)?;
    let denied = |description| back_with_error(&provider, &asks, "access_denied", description);
    if choice.action == "cancel" {
        return Err(denied("the person cancelled"));
    }
    let persona = people::present(&sandbox, &choice.persona).await.unwrap_or_else(|error| {
        tracing::error!(%error, "sandbox: the personas cannot be read");
        None
    });
    let persona = persona.ok_or(Refusal::Page("ไม่รู้จักบุคคลนี้", "There is no such persona."))?;
    let level = persona.levels.get(&provider.code).ok_or_else(|| denied("no account at this provider"))?;
    if !Wanted::parse(&asks.acr_values).met_by(*level) {
        return Err(denied("the asked assurance level is not reached"));
    }
    if let Some(description) = triggers::login_refused(&sandbox, &provider.code, &persona).await {
        return Err(denied(description));
    }
    match issue_code(&sandbox, &provider, &persona, &asks).await {
        Ok(code) => Ok(page::private(Redirect::to(&back(&provider, &asks, &[("code", &code)])))),
        Err(error) => {
            tracing::error!(error = %error, "sandbox: storing an authorization code failed");
            Err(back_with_error(&provider, &asks, "server_error", "try again"))
        }
    }
}

async fn issue_code(
    sandbox: &Sandbox,
    provider: &Provider,
    persona: &Persona,
    asks: &Asks,
) -> Result<String, database::Error> {
    let now = sandbox.clock().now();
    let code = secret::fresh();
    let stored = Code {
        provider: provider.code.clone(),
        client_id: asks.client_id.clone(),
        redirect_uri: asks.redirect_uri.clone(),
        persona: persona.code.clone(),
        scope: asks.scope.clone(),
        nonce: asks.nonce.clone(),
        code_challenge: asks.code_challenge.clone(),
        // There are no sessions here: whoever comes logs in anew, so any `max_age` and `prompt=login` is met.
        auth_time: now,
        expires_at: now + Duration::seconds(CODE_VALID_S),
        used_at: None,
        token_hash: None,
    };
    let forget_before = now - Duration::hours(FORGOTTEN_AFTER_H);
    grant::insert_code(sandbox.database(), &secret::hash(&code), &stored, forget_before).await?;
    Ok(code)
}

/// The request if it is in order. A wrong client or redirect address is told to the person, never redirected.
fn checked(
    sandbox: &Sandbox,
    provider: &Provider,
    asks: Result<Query<Asks>, QueryRejection>,
) -> Result<Asks, Refusal> {
    let malformed = Refusal::Page("คำขอไม่ถูกต้อง", "The request is malformed or repeats a parameter.");
    let Query(asks) = asks.map_err(|_| malformed)?;
    if asks.client_id != sandbox.config().idp_client_id {
        return Err(Refusal::Page("ไม่รู้จักแอปที่ขอเข้าสู่ระบบ", "The client is not registered."));
    }
    let public_url = sandbox.config().public_url.trim_end_matches('/');
    if asks.redirect_uri != format!("{public_url}/oauth/callback/{}", provider.code) {
        let en = "The redirect address is not the registered one.";
        return Err(Refusal::Page("ที่อยู่ปลายทางไม่ตรงกับที่ลงทะเบียน", en));
    }
    match fault(&asks) {
        None => Ok(asks),
        Some((error, description)) => Err(back_with_error(provider, &asks, error, description)),
    }
}

fn fault(asks: &Asks) -> Option<(&'static str, &'static str)> {
    let texts = [&asks.scope, &asks.state, &asks.nonce, &asks.code_challenge, &asks.acr_values];
    // 43 characters: an S256 challenge has exactly as many.
    let challenge_ok = asks.code_challenge_method == "S256" && asks.code_challenge.len() == 43;
    let max_age_ok = asks.max_age.as_ref().is_none_or(|seconds| seconds.parse::<u32>().is_ok());
    if asks.response_type != "code" {
        Some(("unsupported_response_type", "only code"))
    } else if texts.iter().any(|text| text.len() > PARAMETER_BYTES_MAX) {
        Some(("invalid_request", "a parameter is too long"))
    } else if !asks.scope.split_whitespace().any(|scope| scope == "openid") {
        Some(("invalid_scope", "openid is missing"))
    } else if asks.state.is_empty() || asks.nonce.is_empty() {
        Some(("invalid_request", "state and nonce are required"))
    } else if !challenge_ok {
        Some(("invalid_request", "PKCE with S256 is required"))
    } else if !max_age_ok {
        Some(("invalid_request", "max_age is not a number of seconds"))
    } else if asks.prompt.split_whitespace().any(|prompt| prompt == "none") {
        Some(("login_required", "nobody is logged in here"))
    } else {
        None
    }
}

fn back_with_error(provider: &Provider, asks: &Asks, error: &str, description: &str) -> Refusal {
    Refusal::Back(back(provider, asks, &[("error", error), ("error_description", description)]))
}

/// The relying party's address with an answer, its state and our issuer (RFC 9207).
fn back(provider: &Provider, asks: &Asks, answer: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer).append_pair("iss", &provider.issuer);
    if !asks.state.is_empty() {
        query.append_pair("state", &asks.state);
    }
    // The registered address has no query of its own.
    format!("{}?{}", asks.redirect_uri, query.finish())
}
