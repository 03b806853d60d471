//! The personas as they are now: told to programs, and made new people by a reset.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};

use crate::form::{Answered, Fields};
use crate::persona::{GENERATION_MAX, Persona};
use crate::{Sandbox, page, store};

/// The persona of that code as they are now.
pub async fn present(sandbox: &Sandbox, code: &str) -> Result<Option<Persona>, database::Error> {
    let Some(base) = sandbox.personas().all().iter().find(|persona| persona.code == code) else {
        return Ok(None);
    };
    let generation = store::generation::generation(sandbox.database(), code).await?;
    Ok(Some(base.again(generation)))
}

/// All of them as they are now, in the order of the file.
pub async fn all(sandbox: &Sandbox) -> Result<Vec<Persona>, database::Error> {
    let generations: BTreeMap<String, i64> = store::generation::generations(sandbox.database()).await?;
    let now = |base: &Persona| base.again(generations.get(&base.code).copied().unwrap_or(0));
    Ok(sandbox.personas().all().iter().map(now).collect())
}

/// `GET /personas`.
pub async fn show(State(sandbox): State<Sandbox>) -> Response {
    match all(&sandbox).await {
        Ok(people) => {
            let personas: Vec<Value> = people.iter().map(told).collect();
            page::private(Json(json!({ "personas": personas })))
        }
        Err(error) => page::failure(&error),
    }
}

/// `POST /personas/{code}/reset`: from now on the persona is somebody nobody has seen.
pub async fn reset(
    State(sandbox): State<Sandbox>,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let answered = Answered::of(&headers);
    let fields = Fields::read(&headers, &body).unwrap_or_default();
    let persona = match present(&sandbox, &code).await {
        Ok(Some(persona)) => persona,
        Ok(None) => {
            return answered.refusal(StatusCode::NOT_FOUND, "ไม่รู้จักบุคคลนี้", "There is no such persona.");
        }
        Err(error) => return page::failure(&error),
    };
    if persona.officer {
        let th = "เจ้าหน้าที่ไม่มีข้อมูลของตนให้เริ่มใหม่";
        return answered.refusal(
            StatusCode::CONFLICT,
            th,
            "An officer has nothing of their own to begin anew.",
        );
    }
    let generation = persona.generation();
    if generation >= GENERATION_MAX {
        let th = "บุคคลนี้เริ่มใหม่ครบจำนวนครั้งแล้ว โปรดลบโฟลเดอร์ข้อมูล";
        return answered.refusal(
            StatusCode::CONFLICT,
            th,
            "This persona was reset too often: delete the data folder.",
        );
    }
    let now = sandbox.clock().now();
    let moved = store::generation::advance(sandbox.database(), &code, generation, &persona.code, now).await;
    if let Err(error) = moved {
        return page::failure(&error);
    }
    tracing::info!(persona = code, "sandbox: a persona was reset");
    if answered == Answered::Page {
        return page::private(Redirect::to(&fields.back(sandbox.base_url(), "persona", "personas")));
    }
    match present(&sandbox, &code).await {
        Ok(Some(persona)) => page::private(Json(told(&persona))),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => page::failure(&error),
    }
}

fn told(persona: &Persona) -> Value {
    let levels: BTreeMap<&String, Value> = persona
        .levels
        .iter()
        .map(|(provider, level)| (provider, json!({ "ial": level.ial.as_str(), "aal": level.aal.as_str() })))
        .collect();
    let companies: Vec<Value> = persona
        .companies
        .iter()
        .map(|company| json!({ "registration_number": company.registration_number, "name_th": company.name.th, "name_en": company.name.en }))
        .collect();
    json!({
        "code": persona.base_code(),
        "generation": persona.generation(),
        "pid": persona.pid,
        "name_th": persona.name_th(),
        "name_en": persona.name_en(),
        "officer": persona.officer,
        "always": persona.always.map(|effect| effect.about().code),
        "levels": levels,
        "companies": companies,
        "good_for": { "th": persona.good_for.th, "en": persona.good_for.en },
    })
}
