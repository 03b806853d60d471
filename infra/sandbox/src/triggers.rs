//! Which trigger holds for what happens now: asked by the doors at which it happens.
//!
//! A sandbox that cannot read its triggers goes on as if there were none.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::order::{Behaviour, Order};
use crate::persona::Persona;
use crate::trigger::{self, Effect, Place, Scope};
use crate::{Sandbox, page, store};

/// Several at once may want a trigger that holds once: the losers look again this often.
const TRIES_MAX: u32 = 3;
/// What a system that is down asks of its callers.
const RETRY_AFTER_S: &str = "5";

const PAYER: [Effect; 7] = [
    Effect::PaymentDeclined,
    Effect::Payment(Behaviour::Missing),
    Effect::Payment(Behaviour::Duplicate),
    Effect::Payment(Behaviour::Late),
    Effect::Payment(Behaviour::Unsigned),
    Effect::Payment(Behaviour::WrongAmount),
    Effect::Payment(Behaviour::AfterExpiry),
];

/// What the payer does after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    Pays(Behaviour),
    Declines,
}

/// Why a persona is refused at a provider now; `None`: they are not.
pub async fn login_refused(sandbox: &Sandbox, provider: &str, persona: &Persona) -> Option<&'static str> {
    let happens = Scope {
        place: Place::parse(provider),
        persona: Some(persona.base_code().to_owned()),
        ..Scope::default()
    };
    let set = holds(sandbox, &[Effect::ProofingRefused, Effect::LoginCancelled], &happens).await;
    match set.or(persona.always) {
        Some(Effect::LoginCancelled) => Some("the person cancelled"),
        Some(Effect::ProofingRefused) => Some("the person could not be proven"),
        _ => None,
    }
}

/// What happens when the payer of `order` pays: what they chose, unless that is nothing special.
pub async fn payer(sandbox: &Sandbox, order: &Order, chosen: Behaviour) -> Payer {
    if chosen != Behaviour::Normal {
        return Payer::Pays(chosen);
    }
    match of_payment(sandbox, order, &PAYER).await {
        Some(Effect::PaymentDeclined) => Payer::Declines,
        Some(Effect::Payment(behaviour)) => Payer::Pays(behaviour),
        _ => Payer::Pays(Behaviour::Normal),
    }
}

/// Whether a bank refuses to open this payment.
pub async fn order_refused(sandbox: &Sandbox, order: &Order) -> bool {
    of_payment(sandbox, order, &[Effect::OrderRefused]).await.is_some()
}

/// Whether a bank refuses to give money of this payment back.
pub async fn refund_refused(sandbox: &Sandbox, order: &Order) -> bool {
    of_payment(sandbox, order, &[Effect::RefundRefused]).await.is_some()
}

/// In front of all doors: a system that is down, or whose answer is lost.
pub async fn at_the_door(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let Some(door) = Door::of(&request) else { return next.run(request).await };
    let happens = Scope { place: Some(door.place), ..Scope::default() };
    if holds(&sandbox, &[Effect::ProviderDown], &happens).await.is_some() {
        return door.is_down();
    }
    let may_lose = !door.is_page && door.changes;
    if !may_lose || holds(&sandbox, &[Effect::AnswerLost], &happens).await.is_none() {
        return next.run(request).await;
    }
    next.run(request).await;
    let error = Json(json!({ "error": "no_answer", "message": "a trigger of the sandbox: answer_lost" }));
    page::private((StatusCode::GATEWAY_TIMEOUT, error))
}

/// A door of an outside system.
struct Door {
    place: Place,
    /// For a person's browser, not for a program.
    is_page: bool,
    /// Whether it does something that is not done again by asking again.
    changes: bool,
}

impl Door {
    fn of(request: &Request) -> Option<Self> {
        let path = request.uri().path();
        let mut words =
            path.strip_prefix("/sandbox").unwrap_or(path).split('/').filter(|word| !word.is_empty());
        let place = match words.next()? {
            "idp" => Place::parse(words.next()?)?,
            system => Place::parse(system)?,
        };
        let rest: Vec<&str> = words.collect();
        let first = rest.first().copied().unwrap_or_default();
        // The books are ours, for those who test, not the bank's.
        (first != "books").then_some(Self {
            place,
            is_page: matches!(first, "authorize" | "pay" | "scan"),
            changes: request.method() == Method::POST && !path.ends_with("/oauth/token"),
        })
    }

    fn is_down(&self) -> Response {
        let (th, en) = self.place.names();
        let mut response = if self.is_page {
            let (th, en) = (format!("{th} ไม่ตอบสนอง"), format!("{en} does not answer."));
            page::notice(StatusCode::SERVICE_UNAVAILABLE, &th, &en)
        } else {
            let error = json!({ "error": "temporarily_unavailable", "message": "a trigger of the sandbox: provider_down" });
            page::private((StatusCode::SERVICE_UNAVAILABLE, Json(error)))
        };
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        response.into_response()
    }
}

async fn of_payment(sandbox: &Sandbox, order: &Order, effects: &[Effect]) -> Option<Effect> {
    let happens = Scope {
        place: Place::parse(order.rail.provider()),
        amount_satang: Some(order.amount_satang),
        reference: Some(order.reference1.clone()),
        persona: None,
    };
    let set = holds(sandbox, effects, &happens).await;
    set.or_else(|| trigger::by_amount(order.amount_satang).filter(|effect| effects.contains(effect)))
}

/// The effect of the trigger that holds, used by that.
async fn holds(sandbox: &Sandbox, effects: &[Effect], happens: &Scope) -> Option<Effect> {
    let (database, now) = (sandbox.database(), sandbox.clock().now());
    for _ in 0..TRIES_MAX {
        let found = match store::trigger::trigger_for(database, effects, happens, now).await {
            Ok(found) => found?,
            Err(error) => {
                tracing::error!(%error, "sandbox: the triggers cannot be read");
                return None;
            }
        };
        match store::trigger::use_trigger(database, found.id, now).await {
            Ok(true) => {
                tracing::info!(trigger = found.effect.about().code, "sandbox: a trigger was used");
                return Some(found.effect);
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "sandbox: a trigger cannot be used"),
        }
    }
    None
}
