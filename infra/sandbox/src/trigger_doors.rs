//! Triggers set, listed and cleared, by a page's form or by a program.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::form::{Answered, Fields};
use crate::trigger::{AMOUNTS, Effect, Lasts, Place, Scope, Trigger};
use crate::{Sandbox, money, page, store};

const FIELDS: [&str; 8] = ["trigger", "at", "persona", "amount", "reference", "lasts", "minutes", "lang"];
const REFERENCE_CHARS_MAX: usize = 64;

/// `GET /triggers`: what holds now, what can be set, and which amounts always go wrong.
pub async fn show(State(sandbox): State<Sandbox>) -> Response {
    let set = match store::trigger::triggers(sandbox.database(), sandbox.clock().now()).await {
        Ok(set) => set,
        Err(error) => return page::failure(&error),
    };
    let kinds: Vec<Value> = Effect::ALL
        .into_iter()
        .map(|about| {
            let places: Vec<&str> = about.effect.places().iter().map(|place| place.code()).collect();
            json!({ "trigger": about.code, "th": about.th, "en": about.en, "at": places })
        })
        .collect();
    let amounts: Vec<Value> = AMOUNTS
        .into_iter()
        .map(|(satang, effect)| json!({ "amount": money::baht(satang), "trigger": effect.about().code }))
        .collect();
    let set: Vec<Value> = set.iter().map(told).collect();
    page::private(Json(json!({ "triggers": set, "kinds": kinds, "amounts": amounts })))
}

/// `POST /triggers`: sets one. The same trigger for the same things again replaces the earlier one.
pub async fn set(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let answered = Answered::of(&headers);
    let Some(fields) = Fields::read(&headers, &body) else {
        return answered.refusal(
            StatusCode::BAD_REQUEST,
            "อ่านคำขอไม่ได้",
            "Send a form or a flat JSON object.",
        );
    };
    let trigger = match trigger_of(&sandbox, &fields) {
        Ok(trigger) => trigger,
        Err((th, en)) => return answered.refusal(StatusCode::BAD_REQUEST, th, en),
    };
    match store::trigger::set_trigger(sandbox.database(), &trigger).await {
        Ok(true) => {}
        Ok(false) => {
            let en = "There are 100 triggers already: clear some first.";
            return answered.refusal(StatusCode::CONFLICT, "มีสิ่งที่ตั้งไว้ครบ 100 รายการแล้ว", en);
        }
        Err(error) => return page::failure(&error),
    }
    tracing::info!(trigger = trigger.effect.about().code, "sandbox: a trigger was set");
    match answered {
        Answered::Page => back(&sandbox, &fields, "set"),
        Answered::Json => page::private((StatusCode::CREATED, Json(told(&trigger)))),
    }
}

/// `DELETE /triggers/{id}`, or a form to `/triggers/{id}/clear`.
pub async fn clear(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answered = Answered::of(&headers);
    let cleared = match Uuid::parse_str(&id) {
        Ok(id) => store::trigger::clear_trigger(sandbox.database(), id).await,
        Err(_) => Ok(false),
    };
    match (cleared, answered) {
        (Err(error), _) => page::failure(&error),
        (Ok(_), Answered::Page) => {
            back(&sandbox, &Fields::read(&headers, &body).unwrap_or_default(), "cleared")
        }
        (Ok(true), Answered::Json) => StatusCode::NO_CONTENT.into_response(),
        (Ok(false), Answered::Json) => {
            answered.refusal(StatusCode::NOT_FOUND, "ไม่พบรายการนี้", "There is no such trigger.")
        }
    }
}

/// `DELETE /triggers`, or a form to `/triggers/clear`: all of them.
pub async fn clear_all(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(error) = store::trigger::clear_triggers(sandbox.database()).await {
        return page::failure(&error);
    }
    match Answered::of(&headers) {
        Answered::Page => back(&sandbox, &Fields::read(&headers, &body).unwrap_or_default(), "cleared"),
        Answered::Json => StatusCode::NO_CONTENT.into_response(),
    }
}

fn back(sandbox: &Sandbox, fields: &Fields, done: &str) -> Response {
    page::private(Redirect::to(&fields.back(sandbox.base_url(), done, "triggers")))
}

/// Why a trigger cannot be set, in Thai and English.
type Fault = (&'static str, &'static str);

fn trigger_of(sandbox: &Sandbox, fields: &Fields) -> Result<Trigger, Fault> {
    let now = sandbox.clock().now();
    if fields.unknown(&FIELDS).is_some() {
        return Err(("มีช่องที่ไม่รู้จัก", "Known are trigger, at, persona, amount, reference, lasts and minutes."));
    }
    let effect = fields.get("trigger").and_then(Effect::parse);
    let effect = effect.ok_or(("ไม่รู้จักเหตุการณ์นี้", "trigger is one of the kinds that GET lists."))?;
    let scope = scope_of(sandbox, effect, fields)?;
    let minutes = match fields.get("minutes").map(str::parse) {
        Some(Ok(minutes)) => Some(minutes),
        Some(Err(_)) => return Err(("จำนวนนาทีต้องเป็นตัวเลข", "minutes is a number.")),
        None => None,
    };
    // Minutes alone say it too.
    let default = if minutes.is_some() { "minutes" } else { "once" };
    let lasts = Lasts::parse(fields.get("lasts").unwrap_or(default), minutes, now);
    let en = "lasts is once, until_cleared, or minutes with minutes from 1 to 10080.";
    let lasts = lasts.ok_or(("ระยะเวลาไม่ถูกต้อง (1 ถึง 10080 นาที)", en))?;
    Ok(Trigger { id: sandbox.clock().uuid(), effect, scope, lasts, set_at: now, used_count: 0 })
}

fn scope_of(sandbox: &Sandbox, effect: Effect, fields: &Fields) -> Result<Scope, Fault> {
    let place =
        fields.get("at").map(|code| Place::parse(code).filter(|place| effect.places().contains(place)));
    if place == Some(None) {
        return Err((
            "เหตุการณ์นี้ไม่เกิดที่ระบบนั้น",
            "This does not happen there: see at in the kinds that GET lists.",
        ));
    }
    let persona = fields.get("persona");
    let known = |code: &str| sandbox.personas().all().iter().any(|persona| persona.code == code);
    if persona.is_some_and(|code| !effect.is_of_a_person() || !known(code)) {
        return Err(("ระบุบุคคลได้เฉพาะการเข้าสู่ระบบ", "persona is a known code, for logins only."));
    }
    let amount = fields.get("amount").map(money::satang);
    let reference = fields.get("reference");
    let fits = reference.is_none_or(|reference| reference.chars().count() <= REFERENCE_CHARS_MAX);
    if (amount.is_some() || reference.is_some()) && !effect.is_of_a_payment() {
        return Err((
            "ระบุจำนวนเงินและเลขอ้างอิงได้เฉพาะการชำระเงิน",
            "amount and reference are for payments only.",
        ));
    }
    if amount == Some(None) || !fits {
        return Err((
            "จำนวนเงินหรือเลขอ้างอิงไม่ถูกต้อง",
            "amount is baht (\"505.00\"), reference at most 64 characters.",
        ));
    }
    Ok(Scope {
        place: place.flatten(),
        persona: persona.map(str::to_owned),
        amount_satang: amount.flatten(),
        reference: reference.map(str::to_owned),
    })
}

fn told(trigger: &Trigger) -> Value {
    let scope = &trigger.scope;
    json!({
        "id": trigger.id,
        "trigger": trigger.effect.about().code,
        "at": scope.place.map(Place::code),
        "persona": scope.persona,
        "amount": scope.amount_satang.map(money::baht),
        "reference": scope.reference,
        "lasts": trigger.lasts.code(),
        "ends_at": if let Lasts::Until(at) = trigger.lasts { Some(at) } else { None },
        "set_at": trigger.set_at,
        "used_count": trigger.used_count,
    })
}
