//! Where a provider sends the person back: the answer is checked, booked, and given to the browser
//! that began — to no other.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::Duration;

use super::answer::{self, redirect, with_parameters};
use super::authorize::error_redirect;
use super::browser::Browser;
use super::page::{self, Page, escape, notice, two};
use super::parties;
use crate::Inner;
use crate::model::assurance::{methods_of, requested};
use crate::model::citizen::{Profile, believes_pid};
use crate::model::client::Audience;
use crate::model::login::{Login, LoginFlow, Person};
use crate::model::national_id::NationalId;
use crate::model::request::Parameters;
use crate::model::secret;
use crate::provider::{Failure, IdentityProvider, Proof, ProviderIdentity};
use crate::store::{self, Arrival};

/// Providers' clocks and ours may differ by this much when a client asks for a fresh login.
const CLOCK_SKEW_S_MAX: i64 = 60;

/// Why a login ends without a code.
enum Fault {
    /// Told to the client.
    Refused(&'static str, &'static str),
    /// The provider does not answer.
    Down,
    Internal(store::Error),
}

impl From<store::Error> for Fault {
    fn from(error: store::Error) -> Self {
        Self::Internal(error)
    }
}

/// `GET /oauth/callback/{provider}`
pub async fn returned(
    State(inner): State<Arc<Inner>>,
    Path(code): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = answer::parameters(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let (Some(provider), Some(state)) = (inner.provider(&code), parameters.get("state")) else {
        return over();
    };
    let flow = match inner.store.take_flow(provider.code(), &secret::hash(state), inner.clock.now()).await {
        Ok(Some(flow)) => flow,
        Ok(None) => return over(),
        Err(error) => return page::failure(&error),
    };
    let here =
        Browser::of(&headers, &inner.config.public_url).is_some_and(|browser| browser.is(&flow.browser_hash));
    match (book(&inner, provider, &flow, &parameters).await, here) {
        (Ok(login), true) => issue(&inner, &flow, &login).await,
        (Ok(login), false) => park(&inner, &flow, &login).await,
        (Err(Fault::Internal(error)), _) => page::failure(&error),
        (Err(Fault::Down), _) => down(&inner, &flow, here),
        (Err(Fault::Refused(error, description)), true) => {
            error_redirect(&inner, &flow.request.redirect_uri, Some(&flow.request.state), error, description)
        }
        (Err(Fault::Refused(..)), false) => notice(
            StatusCode::BAD_REQUEST,
            "ยืนยันตัวตนไม่สำเร็จ โปรดกลับไปที่แอปหรือเบราว์เซอร์ที่คุณเริ่ม แล้วลองใหม่",
            "The login did not succeed. Go back to the app or browser where you began, and try again.",
        ),
    }
}

/// Ends a flow with a code, in the browser that began it.
pub async fn issue(inner: &Inner, flow: &LoginFlow, login: &Login) -> Response {
    let code = secret::token();
    let inserted =
        inner.store.insert_code(flow.id, &secret::hash(&code), &flow.request, login, inner.clock.now()).await;
    if let Err(error) = inserted {
        return page::failure(&error);
    }
    metrics::counter!("identity_logins_total", "provider" => login.provider.clone()).increment(1);
    let parameters =
        [("code", code.as_str()), ("state", &flow.request.state), ("iss", &inner.config.public_url)];
    redirect(&with_parameters(&flow.request.redirect_uri, &parameters))
}

/// Who came back, checked against all that was asked.
async fn book(
    inner: &Inner,
    provider: &dyn IdentityProvider,
    flow: &LoginFlow,
    parameters: &Parameters,
) -> Result<Login, Fault> {
    let refused = |description| Fault::Refused("access_denied", description);
    // RFC 9207: an answer of another issuer is a mix-up, whatever else it says.
    if parameters.get("iss").is_some_and(|issuer| issuer != provider.issuer()) {
        return Err(refused("the answer is of another issuer"));
    }
    match parameters.get("error") {
        None => {}
        Some("access_denied") => return Err(refused("the person or the provider declined")),
        Some("temporarily_unavailable" | "server_error") => return Err(Fault::Down),
        Some(_) => return Err(refused("the provider refused the request")),
    }
    let code = parameters.get("code").ok_or(refused("the provider sent no code"))?;
    let proof = Proof {
        nonce: flow.nonce.as_deref().unwrap_or_default(),
        code_verifier: flow.code_verifier.as_deref().unwrap_or_default(),
    };
    let identity = provider.exchange(code, proof).await.map_err(|failure| match failure {
        Failure::Unavailable(_) => Fault::Down,
        Failure::Refused(_) => refused("the provider's answer does not hold"),
    })?;
    let today = inner.clock.today_in_thailand();
    let level = inner.assurance.level(provider.code(), &identity.claims.0, today);
    let asked = flow.request.acr_values.as_deref().and_then(requested);
    if asked.is_some_and(|asked| !level.reaches(asked)) {
        return Err(Fault::Refused(
            "unmet_authentication_requirements",
            "the login does not reach acr_values",
        ));
    }
    let age = inner.clock.now() - identity.authenticated_at;
    if flow.request.max_age_s.is_some_and(|max| age > Duration::seconds(max + CLOCK_SKEW_S_MAX)) {
        return Err(Fault::Refused("unmet_authentication_requirements", "the login is older than max_age"));
    }
    let methods = methods_of(&identity.claims.0);
    let authenticated_at = identity.authenticated_at;
    let person = person(inner, flow, identity, level.ial).await?;
    same_person(inner, flow, person).await?;
    Ok(Login { person, provider: provider.code().to_owned(), level, methods, authenticated_at })
}

/// The citizen or officer this is; what there is to know about them is brought up to date.
async fn person(
    inner: &Inner,
    flow: &LoginFlow,
    identity: ProviderIdentity,
    proofing: auth::Ial,
) -> Result<Person, Fault> {
    let refused = |description| Fault::Refused("access_denied", description);
    let believed = identity.pid.as_deref().filter(|_| believes_pid(proofing));
    let pid = match believed {
        Some(text) => {
            Some(NationalId::parse(text, inner.numbers()).ok_or(refused("the number is not accepted here"))?)
        }
        None => None,
    };
    let client = inner.clients.get(&flow.request.client_id).ok_or(refused("the client is gone"))?;
    if client.audience == Audience::Officer {
        let officer = match &pid {
            Some(pid) => inner.store.officer_with(pid).await?,
            None => None,
        };
        return officer.map(|officer| Person::Officer(officer.id)).ok_or(refused("this is for officers"));
    }
    // A number that is not believed is not kept either: it may be another person's.
    let number = pid.as_ref().map(|pid| pid.digits().to_owned());
    let profile = Profile { pid: number, ..identity.profile };
    let (issuer, subject) = (identity.issuer, identity.subject);
    let arrival = Arrival { issuer, subject, pid, proofing, profile };
    let fresh = [inner.clock.uuid(), inner.clock.uuid()];
    let citizen = inner.store.arrive(&arrival, fresh, inner.clock.now()).await?;
    let citizen = citizen.ok_or(refused("this account belongs to another person"))?;
    if let Some(pid) = &arrival.pid {
        parties::confirm(inner, citizen, pid).await?;
    }
    Ok(Person::Citizen(citizen))
}

/// Only the same person may come back from a step-up: an account switch would take over the session.
async fn same_person(inner: &Inner, flow: &LoginFlow, person: Person) -> Result<(), Fault> {
    let Some(stepped) = flow.request.step_up_of else { return Ok(()) };
    let session = inner.store.session(stepped).await?.filter(|session| session.is_live(inner.clock.now()));
    if session.is_some_and(|session| session.login.person == person) {
        return Ok(());
    }
    Err(Fault::Refused("access_denied", "another person came back"))
}

/// Keeps a login that came back in another browser, and shows the number that collects it. Who
/// sends a stranger to a provider gets nothing: the number is on the stranger's screen.
async fn park(inner: &Inner, flow: &LoginFlow, login: &Login) -> Response {
    let number = secret::number();
    if let Err(error) = inner.store.park_flow(flow.id, login, &secret::hash(&number)).await {
        return page::failure(&error);
    }
    let go_back = two(
        "กลับไปที่แอปหรือเบราว์เซอร์ที่คุณเริ่ม แล้วกรอกตัวเลขนี้",
        "Go back to the app or browser where you began, and enter this number:",
    );
    let warning = two(
        "หากคุณไม่ได้เริ่มเข้าสู่ระบบเอง โปรดปิดหน้านี้ และอย่าบอกตัวเลขนี้แก่ผู้ใด",
        "If you did not begin a login yourself, close this page and tell this number to nobody.",
    );
    let address = escape(&format!("{}/oauth/continue", inner.config.public_url));
    let body = format!(
        "<p>{go_back}</p><p class=\"number\">{number}</p><p><code>{address}</code></p><p class=\"note\">{warning}</p>"
    );
    let (title_th, title_en) = ("ยืนยันตัวตนแล้ว", "You are verified");
    Page { status: StatusCode::OK, title_th, title_en, body, form_leads_to: None }.answer()
}

fn down(inner: &Inner, flow: &LoginFlow, here: bool) -> Response {
    let sentence = two(
        "ผู้ให้บริการยืนยันตัวตนไม่ตอบสนอง โปรดลองใหม่หรือเลือกวิธีอื่น",
        "The Digital ID provider does not answer. Try again or choose another.",
    );
    let parameters = [
        ("error", "temporarily_unavailable"),
        ("state", &flow.request.state),
        ("iss", &inner.config.public_url),
    ];
    let back = with_parameters(&flow.request.redirect_uri, &parameters);
    let link = if here {
        format!("<a class=\"choice\" href=\"{}\">{}</a>", escape(&back), two("กลับไปที่แอป", "Back to the app"))
    } else {
        String::new()
    };
    let (title_th, title_en) = ("ใช้งานไม่ได้ชั่วคราว", "Not available for the moment");
    let body = format!("<p role=\"alert\">{sentence}</p>{link}");
    Page { status: StatusCode::SERVICE_UNAVAILABLE, title_th, title_en, body, form_leads_to: None }.answer()
}

/// Unknown, expired and used states look the same.
fn over() -> Response {
    notice(
        StatusCode::BAD_REQUEST,
        "การเข้าสู่ระบบนี้สิ้นสุดหรือถูกใช้ไปแล้ว โปรดเริ่มใหม่จากแอป",
        "This login is over or was used already. Please start again from the app.",
    )
}
