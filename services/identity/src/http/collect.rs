//! How the browser that began collects a login that came back in another one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use super::answer::{self, redirect};
use super::authorize::own_flow;
use super::browser::Browser;
use super::callback::{closed_meanwhile, closure_of, issue};
use super::page::{self, Page, escape, notice, two};
use crate::Inner;
use crate::model::login::LoginFlow;
use crate::model::secret;
use crate::store::NumberTry;

/// `GET /oauth/continue`: the newest login of this browser that waits.
pub async fn find(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    let Some(browser) = Browser::of(&headers, &inner.config.public_url) else { return nothing() };
    match inner.store.waiting_flow(&browser.hash(), inner.clock.now()).await {
        Ok(Some(flow)) => redirect(&format!("/oauth/continue/{}", flow.id)),
        Ok(None) => nothing(),
        Err(error) => page::failure(&error),
    }
}

/// `GET /oauth/continue/{flow}`: asks for the number the other browser shows.
pub async fn show(State(inner): State<Arc<Inner>>, Path(flow): Path<Uuid>, headers: HeaderMap) -> Response {
    match own_flow(&inner, flow, &headers).await {
        Ok((flow, browser)) => form(&flow, &browser, false),
        Err(response) => response,
    }
}

/// `POST /oauth/continue/{flow}` with `number` and `form_token`.
pub async fn collect(
    State(inner): State<Arc<Inner>>,
    Path(flow): Path<Uuid>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (flow, browser) = match own_flow(&inner, flow, &headers).await {
        Ok(own) => own,
        Err(response) => return response,
    };
    let parameters = answer::parameters(&body).unwrap_or_default();
    let token = parameters.get("form_token").unwrap_or_default();
    if !secret::same(token.as_bytes(), browser.form_token(flow.id).as_bytes()) {
        return form(&flow, &browser, true);
    }
    let number: String =
        parameters.get("number").unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    match inner.store.collect_flow(flow.id, &secret::hash(&number), inner.clock.now()).await {
        Ok(NumberTry::Right(flow)) => match &flow.outcome {
            // What a provider said before it was closed is believed no more than what it says after.
            Some(login) => match closure_of(&inner, &login.provider).await {
                Ok(None) => issue(&inner, &flow, login).await,
                Ok(Some(closure)) => closed_meanwhile(&inner, &flow, true, &closure),
                Err(error) => page::failure(&error),
            },
            None => nothing(),
        },
        Ok(NumberTry::Wrong) => form(&flow, &browser, true),
        Ok(NumberTry::Void) => notice(
            StatusCode::BAD_REQUEST,
            "การเข้าสู่ระบบนี้สิ้นสุดแล้ว โปรดเริ่มใหม่จากแอป",
            "This login is over. Please start again from the app.",
        ),
        Err(error) => page::failure(&error),
    }
}

fn form(flow: &LoginFlow, browser: &Browser, wrong: bool) -> Response {
    let label = two("ตัวเลข 6 หลักที่แสดงหลังยืนยันตัวตน", "The six digits shown after you were verified");
    let refusal =
        two("ตัวเลขไม่ถูกต้อง หรือยังยืนยันตัวตนไม่เสร็จ", "The number is not right, or you are not verified yet.");
    let refusal =
        if wrong { format!("<p role=\"alert\" id=\"refusal\">{refusal}</p>") } else { String::new() };
    let body = format!(
        "{refusal}<form method=\"post\" action=\"/oauth/continue/{id}\"><p><label for=\"number\">{label}</label></p>\
         <p><input id=\"number\" name=\"number\" inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"7\" \
         required autofocus{described}></p><input type=\"hidden\" name=\"form_token\" value=\"{token}\">\
         <button>{next}</button></form>",
        id = flow.id,
        described = if wrong { " aria-invalid=\"true\" aria-describedby=\"refusal\"" } else { "" },
        token = escape(&browser.form_token(flow.id)),
        next = two("ดำเนินการต่อ", "Continue"),
    );
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (title_th, title_en) = ("ดำเนินการเข้าสู่ระบบต่อ", "Continue your login");
    Page { status, title_th, title_en, body, form_leads_to: Some(&flow.request.redirect_uri) }.answer()
}

fn nothing() -> Response {
    notice(StatusCode::NOT_FOUND, "ไม่มีการเข้าสู่ระบบที่รออยู่ในเบราว์เซอร์นี้", "No login is waiting in this browser.")
}
