//! The authorization endpoint: checks the request, lets the person choose a provider, sends them there.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::Duration;
use switches::{Closures, Kind};
use uuid::Uuid;

use super::answer::{self, redirect, with_parameters};
use super::browser::Browser;
use super::closed;
use super::page::{self, Page, escape, notice, two};
use crate::Inner;
use crate::model::client::{Audience, Client};
use crate::model::login::{LOGIN_MINUTES_MAX, LoginFlow};
use crate::model::request::{self, AuthorizationRequest, Refusal};
use crate::model::secret;
use crate::provider::{Ask, Failure, IdentityProvider, Proof};

/// `GET /oauth/authorize`
pub async fn begin(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    authorize(&inner, &headers, query.unwrap_or_default().as_bytes()).await
}

/// `POST /oauth/authorize`, as OpenID Connect wants it, too.
pub async fn begin_by_form(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    authorize(&inner, &headers, &body).await
}

async fn authorize(inner: &Inner, headers: &HeaderMap, parameters: &[u8]) -> Response {
    let parameters = match answer::parameters(parameters) {
        Ok(parameters) => parameters,
        Err(description) => return refused_page(description),
    };
    let (request, client) = match request::check(&parameters, &inner.clients) {
        Ok(checked) => checked,
        Err(Refusal::Page { description }) => return refused_page(description),
        Err(Refusal::Redirect { redirect_uri, state, error, description }) => {
            return error_redirect(inner, &redirect_uri, state.as_deref(), error, description);
        }
    };
    if let Err((error, description)) = fits(inner, &request).await {
        return error_redirect(inner, &request.redirect_uri, Some(&request.state), error, description);
    }
    let browser = Browser::of(headers, &inner.config.public_url).unwrap_or_else(Browser::fresh);
    let now = inner.clock.now();
    let flow = LoginFlow {
        id: inner.clock.uuid(),
        request,
        browser_hash: browser.hash(),
        nonce: None,
        code_verifier: None,
        created_at: now,
        expires_at: now + Duration::minutes(LOGIN_MINUTES_MAX),
        outcome: None,
        finished_at: None,
    };
    if let Err(error) = inner.store.insert_flow(&flow).await {
        return page::failure(&error);
    }
    let closures = match inner.switches.closures().await {
        Ok(closures) => closures,
        Err(error) => return page::failure(&error),
    };
    let response = match flow.request.provider.as_deref().and_then(|code| inner.provider(code)) {
        Some(provider) => send(inner, &flow, provider, &closures).await,
        None => choose(inner, &flow, client, &closures),
    };
    browser.remember(response, &inner.config.public_url)
}

/// `GET /oauth/start/{flow}?provider=…`: a link on the page of providers.
pub async fn start(
    State(inner): State<Arc<Inner>>,
    Path(flow): Path<Uuid>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let flow = match own_flow(&inner, flow, &headers).await {
        Ok((flow, _)) => flow,
        Err(response) => return response,
    };
    let closures = match inner.switches.closures().await {
        Ok(closures) => closures,
        Err(error) => return page::failure(&error),
    };
    let parameters = answer::parameters(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    match parameters.get("provider").and_then(|code| inner.provider(code)) {
        Some(provider) => send(&inner, &flow, provider, &closures).await,
        None => refused_page("provider is not one of ours"),
    }
}

/// The flow, if it is open and this browser began it; otherwise the page to answer with.
pub async fn own_flow(
    inner: &Inner,
    id: Uuid,
    headers: &HeaderMap,
) -> Result<(LoginFlow, Browser), Response> {
    let flow = inner.store.flow(id).await.map_err(|error| page::failure(&error))?;
    let open = flow.filter(|flow| flow.is_open(inner.clock.now()));
    let browser = Browser::of(headers, &inner.config.public_url);
    match (open, browser) {
        (Some(flow), Some(browser)) if browser.is(&flow.browser_hash) => Ok((flow, browser)),
        _ => Err(notice(
            StatusCode::BAD_REQUEST,
            "การเข้าสู่ระบบนี้สิ้นสุดแล้ว หรือไม่ได้เริ่มจากเบราว์เซอร์นี้ โปรดเริ่มใหม่จากแอป",
            "This login is over, or it did not begin in this browser. Please start again from the app.",
        )),
    }
}

/// Back to the client with an error (RFC 6749 section 4.1.2.1), with our issuer (RFC 9207).
pub fn error_redirect(
    inner: &Inner,
    redirect_uri: &str,
    state: Option<&str>,
    error: &str,
    description: &str,
) -> Response {
    let mut parameters = vec![("error", error), ("error_description", description)];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", &inner.config.public_url));
    redirect(&with_parameters(redirect_uri, &parameters))
}

/// The level that a login for this request must reach.
pub fn needed(inner: &Inner, request: &AuthorizationRequest) -> Option<auth::Level> {
    let client = inner.clients.get(&request.client_id);
    let audience = client.map_or(Audience::Citizen, |client| client.audience);
    inner.assurance.needed(request.acr_values.as_deref(), audience, inner.clock.today_in_thailand())
}

/// What needs more than the request itself to be checked.
async fn fits(inner: &Inner, request: &AuthorizationRequest) -> Result<(), (&'static str, &'static str)> {
    if request.provider.as_deref().is_some_and(|code| inner.provider(code).is_none()) {
        return Err(("invalid_request", "provider is not one of ours"));
    }
    let needed = needed(inner, request);
    let reachable = inner.providers.iter().any(|provider| can_give(inner, provider.as_ref(), needed));
    if !reachable {
        return Err(("unmet_authentication_requirements", "no provider can reach acr_values"));
    }
    let Some(stepped) = request.step_up_of else { return Ok(()) };
    let session = inner.store.session(stepped).await.map_err(|error| {
        answer::log(&error);
        ("server_error", "something went wrong on our side")
    })?;
    let live = session.is_some_and(|s| s.is_live(inner.clock.now()) && s.client_id == request.client_id);
    if live { Ok(()) } else { Err(("invalid_request", "step_up_of is not a live session of this client")) }
}

fn can_give(inner: &Inner, provider: &dyn IdentityProvider, needed: Option<auth::Level>) -> bool {
    let max = inner.assurance.level_max(provider.code(), inner.clock.today_in_thailand());
    needed.is_none_or(|needed| max.reaches(needed))
}

/// The page on which a person chooses a provider.
fn choose(inner: &Inner, flow: &LoginFlow, client: &Client, closures: &Closures) -> Response {
    let links = links(inner, flow, closures, |_| true);
    let (client_th, client_en) = client.names();
    let intro = two(
        &format!("{client_th} ขอให้คุณยืนยันตัวตนด้วยดิจิทัลไอดี"),
        &format!("{client_en} asks you to log in with a Digital ID."),
    );
    let body = format!("<p>{intro}</p>{links}");
    let (title_th, title_en) = ("เลือกวิธีเข้าสู่ระบบ", "Choose how to log in");
    Page { status: StatusCode::OK, title_th, title_en, body, form_leads_to: None }.answer()
}

/// A link per provider that can give what is needed, and a note per closed one. Links, not forms: a content
/// security policy would check where a form ends up.
fn links(
    inner: &Inner,
    flow: &LoginFlow,
    closures: &Closures,
    shown: impl Fn(&dyn IdentityProvider) -> bool,
) -> String {
    let needed = needed(inner, &flow.request);
    let shown = |provider: &dyn IdentityProvider| shown(provider) && can_give(inner, provider, needed);
    let links = inner.providers.iter().filter(|provider| shown(provider.as_ref())).map(|provider| {
        let name = provider.name();
        if let Some(closure) = closures.of(Kind::IdentityProvider, provider.code()) {
            return closed::note(name, closure);
        }
        let href = format!("/oauth/start/{}?provider={}", flow.id, provider.code());
        let label = two(&name.th, name.en.as_deref().unwrap_or(&name.th));
        format!("<a class=\"choice\" href=\"{}\">{label}</a>", escape(&href))
    });
    format!("<nav>{}</nav>", links.collect::<String>())
}

/// Sends the browser to a provider, with state, nonce and challenge of this login.
async fn send(
    inner: &Inner,
    flow: &LoginFlow,
    provider: &dyn IdentityProvider,
    closures: &Closures,
) -> Response {
    if closures.of(Kind::IdentityProvider, provider.code()).is_some() {
        return closed::page(&links(inner, flow, closures, |_| true));
    }
    let (state, nonce, code_verifier) = (secret::token(), secret::token(), secret::token());
    let acr_values = needed(inner, &flow.request).map(auth::Level::acr);
    let proof = Proof { nonce: &nonce, code_verifier: &code_verifier };
    let max_age_s = flow.request.max_age_s;
    let ask = Ask { state: &state, proof, acr_values: acr_values.as_deref(), max_age_s };
    let url = match provider.authorization_url(&ask).await {
        Ok(url) => url,
        Err(Failure::Unavailable(_) | Failure::Refused(_)) => return down(inner, flow, provider, closures),
    };
    let hash = secret::hash(&state);
    match inner.store.start_flow(flow.id, provider.code(), &hash, &nonce, &code_verifier).await {
        Ok(true) => redirect(url.as_str()),
        Ok(false) => refused_page("this login was already answered"),
        Err(error) => page::failure(&error),
    }
}

/// A provider is down: 503, and the others go on.
fn down(inner: &Inner, flow: &LoginFlow, down: &dyn IdentityProvider, closures: &Closures) -> Response {
    let others = links(inner, flow, closures, |provider| provider.code() != down.code());
    let name = down.name();
    let sentence = two(
        &format!("{} ไม่ตอบสนองในขณะนี้ โปรดลองใหม่หรือเลือกวิธีอื่น", name.th),
        &format!(
            "{} does not answer. Try again later or choose another.",
            name.en.as_deref().unwrap_or(&name.th)
        ),
    );
    let body = format!("<p role=\"alert\">{sentence}</p>{others}");
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Page {
        status,
        title_th: "ใช้งานไม่ได้ชั่วคราว",
        title_en: "Not available for the moment",
        body,
        form_leads_to: None,
    }
    .answer()
}

fn refused_page(description: &str) -> Response {
    let body = format!(
        "<p role=\"alert\">{}</p><p><code>{}</code></p>",
        two("คำขอเข้าสู่ระบบจากแอปไม่ถูกต้อง", "The app's login request is not valid."),
        escape(description)
    );
    let status = StatusCode::BAD_REQUEST;
    Page {
        status, title_th: "เข้าสู่ระบบไม่ได้", title_en: "This login cannot go on", body, form_leads_to: None
    }
    .answer()
}
