//! Where a provider sends the person back: the answer is checked, booked, and given to the browser
//! that began — to no other.

use std::sync::Arc;

use auth::Level;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Duration};
use switches::{Closure, Kind};

use super::answer::{self, redirect, with_parameters};
use super::authorize::{error_redirect, needed};
use super::browser::Browser;
use super::closed;
use super::page::{self, Page, escape, notice, two};
use super::parties;
use crate::Inner;
use crate::model::assurance::methods_of;
use crate::model::citizen::{Profile, believes_pid};
use crate::model::client::{Audience, Client};
use crate::model::login::{Login, LoginFlow, Person};
use crate::model::national_id::NationalId;
use crate::model::officer::Officer;
use crate::model::request::Parameters;
use crate::model::secret;
use crate::provider::{Failure, IdentityProvider, Proof, ProviderIdentity};
use crate::store::{self, Arrival};

/// Providers' clocks and ours may differ by this much when a client asks for a fresh login.
const CLOCK_SKEW_S_MAX: i64 = 60;

const DOES_NOT_ANSWER: (&str, &str) = (
    "ผู้ให้บริการยืนยันตัวตนไม่ตอบสนอง โปรดลองใหม่หรือเลือกวิธีอื่น",
    "The Digital ID provider does not answer. Try again or choose another.",
);

/// Why a login ends without a code.
enum Fault {
    /// Told to the client.
    Refused(&'static str, &'static str),
    /// Told to the client with the level that is needed, so that it can ask for it.
    TooLow(Level),
    /// The provider does not answer.
    Down,
    /// The provider was closed after the person was sent there: what it says is not taken.
    Closed(Box<Closure>),
    Internal(store::Error),
}

impl Fault {
    /// What it is counted as.
    fn outcome(&self) -> &'static str {
        match self {
            Self::Refused(..) | Self::TooLow(_) | Self::Closed(_) => "refused",
            Self::Down | Self::Internal(_) => "failed",
        }
    }
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
    let booked = book(&inner, provider, &flow, &parameters).await;
    if let Err(fault) = &booked {
        count(provider.code(), fault.outcome());
    }
    match (booked, here) {
        (Ok(login), true) => issue(&inner, &flow, &login).await,
        (Ok(login), false) => park(&inner, &flow, &login).await,
        (Err(Fault::Internal(error)), _) => page::failure(&error),
        (Err(Fault::Down), _) => down(&inner, &flow, here, &two(DOES_NOT_ANSWER.0, DOES_NOT_ANSWER.1)),
        (Err(Fault::Closed(closure)), _) => closed_meanwhile(&inner, &flow, here, &closure),
        (Err(Fault::Refused(error, description)), true) => {
            error_redirect(&inner, &flow.request.redirect_uri, Some(&flow.request.state), error, description)
        }
        (Err(Fault::TooLow(needed)), true) => too_low(&inner, &flow, needed),
        (Err(Fault::Refused(..) | Fault::TooLow(_)), false) => notice(
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
    count(&login.provider, "ok");
    let parameters =
        [("code", code.as_str()), ("state", &flow.request.state), ("iss", &inner.config.public_url)];
    redirect(&with_parameters(&flow.request.redirect_uri, &parameters))
}

fn count(provider: &str, outcome: &'static str) {
    let provider = provider.to_owned();
    metrics::counter!("identity_logins_total", "provider" => provider, "outcome" => outcome).increment(1);
}

/// Who came back, checked against all that was asked.
async fn book(
    inner: &Inner,
    provider: &dyn IdentityProvider,
    flow: &LoginFlow,
    parameters: &Parameters,
) -> Result<Login, Fault> {
    let refused = |description| Fault::Refused("access_denied", description);
    let failed = |failure| match failure {
        Failure::Unavailable(_) => Fault::Down,
        Failure::Refused(_) => refused("the provider's answer does not hold"),
    };
    if let Some(closure) = closure_of(inner, provider.code()).await? {
        return Err(Fault::Closed(Box::new(closure)));
    }
    provider.answered(parameters.get("iss")).await.map_err(failed)?;
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
    let only = expected(inner, flow).await?;
    let identity = provider.exchange(code, proof).await.map_err(failed)?;
    let today = inner.clock.today_in_thailand();
    let level = inner.assurance.level(provider.code(), &identity.claims.0, today);
    if let Some(needed) = needed(inner, &flow.request).filter(|needed| !level.reaches(*needed)) {
        return Err(Fault::TooLow(needed));
    }
    let said = identity.authenticated_at;
    let authenticated_at = inner.assurance.logged_in_at(provider.code(), said, flow.created_at, today);
    if let Some(max_s) = flow.request.max_age_s {
        let oldest = inner.clock.now() - Duration::seconds(max_s + CLOCK_SKEW_S_MAX);
        if authenticated_at.is_none_or(|at| at < oldest) {
            let description = "the login is older than max_age, or nobody knows how old it is";
            return Err(Fault::Refused("unmet_authentication_requirements", description));
        }
    }
    // A time that nobody knows is long ago: it makes nothing fresh.
    let authenticated_at = authenticated_at.unwrap_or(DateTime::UNIX_EPOCH);
    let methods = methods_of(&identity.claims.0);
    let person = person(inner, flow, identity, level.ial, only).await?;
    Ok(Login { person, provider: provider.code().to_owned(), level, methods, authenticated_at })
}

/// Who must come back from a step-up: an account switch would take over the session.
async fn expected(inner: &Inner, flow: &LoginFlow) -> Result<Option<Person>, Fault> {
    let Some(stepped) = flow.request.step_up_of else { return Ok(None) };
    let session = inner.store.session(stepped).await?.filter(|session| session.is_live(inner.clock.now()));
    let over = Fault::Refused("access_denied", "the session to step up has ended");
    session.map(|session| Some(session.login.person)).ok_or(over)
}

/// The citizen or officer this is; what there is to know about them is brought up to date. Nothing
/// is changed when it is not the only one it may be.
async fn person(
    inner: &Inner,
    flow: &LoginFlow,
    identity: ProviderIdentity,
    proofing: auth::Ial,
    only: Option<Person>,
) -> Result<Person, Fault> {
    let refused = |description| Fault::Refused("access_denied", description);
    let another = "another person came back";
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
        let officer = officer.filter(Officer::has_roles).map(|officer| Person::Officer(officer.id));
        let officer = officer.ok_or(refused("this is for officers"))?;
        return if only.is_none_or(|only| only == officer) { Ok(officer) } else { Err(refused(another)) };
    }
    let only = match only {
        Some(Person::Officer(_)) => return Err(refused(another)),
        Some(Person::Citizen(citizen)) => Some(citizen),
        None => None,
    };
    // A number that is not believed is not kept either: it may be another person's.
    let number = pid.as_ref().map(|pid| pid.digits().to_owned());
    let profile = Profile { pid: number, ..identity.profile };
    let (issuer, subject) = (identity.issuer, identity.subject);
    let arrival = Arrival { issuer, subject, pid, proofing, profile, only };
    let fresh = [inner.clock.uuid(), inner.clock.uuid()];
    let citizen = inner.store.arrive(&arrival, fresh, inner.clock.now()).await?;
    let citizen = citizen.ok_or(refused(another))?;
    if let Some(pid) = &arrival.pid {
        parties::confirm(inner, citizen, pid).await?;
    }
    Ok(Person::Citizen(citizen))
}

/// Back to the client with the level that is needed: it may ask again, for somebody who has it.
fn too_low(inner: &Inner, flow: &LoginFlow, needed: Level) -> Response {
    let parameters = [
        ("error", "unmet_authentication_requirements"),
        ("error_description", "the login does not reach the level that is needed"),
        ("acr_values", &needed.acr()),
        ("state", &flow.request.state),
        ("iss", &inner.config.public_url),
    ];
    redirect(&with_parameters(&flow.request.redirect_uri, &parameters))
}

/// Keeps a login that came back in another browser, and shows the number that collects it. Who
/// sends a stranger to a provider gets nothing: the number is on the stranger's screen.
async fn park(inner: &Inner, flow: &LoginFlow, login: &Login) -> Response {
    let number = secret::number();
    if let Err(error) = inner.store.park_flow(flow.id, login, &secret::hash(&number)).await {
        return page::failure(&error);
    }
    let (client_th, client_en) = inner.clients.get(&flow.request.client_id).map_or(("", ""), Client::names);
    let what_for =
        two(&format!("{client_th} จะเข้าสู่ระบบในชื่อของคุณ"), &format!("{client_en} will be logged in as you."));
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
        "<p>{what_for}</p><p>{go_back}</p><p class=\"number\">{number}</p><p><code>{address}</code></p><p class=\"note\">{warning}</p>"
    );
    let (title_th, title_en) = ("ยืนยันตัวตนแล้ว", "You are verified");
    Page { status: StatusCode::OK, title_th, title_en, body, form_leads_to: None }.answer()
}

/// The closure of a provider that is in force.
pub async fn closure_of(inner: &Inner, provider: &str) -> Result<Option<Closure>, store::Error> {
    Ok(inner.switches.closures().await?.of(Kind::IdentityProvider, provider).cloned())
}

/// The end of a login whose provider was closed while it was under way.
pub fn closed_meanwhile(inner: &Inner, flow: &LoginFlow, here: bool, closure: &Closure) -> Response {
    let (th, en) = closed::sentences(closure);
    down(inner, flow, here, &two(&th, &en))
}

fn down(inner: &Inner, flow: &LoginFlow, here: bool, sentence: &str) -> Response {
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
