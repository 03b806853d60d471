//! The login page: choose a persona, see what is shared, allow or cancel.

use axum::http::StatusCode;
use axum::response::Response;

use super::Provider;
use crate::Sandbox;
use crate::level::Wanted;
use crate::page::{self, escape, two};
use crate::persona::Persona;

/// The page. Its form is sent to the address it was got from, which carries the request.
pub fn show(sandbox: &Sandbox, provider: &Provider, scope: &str, wanted: Wanted) -> Response {
    let shared: Vec<String> =
        scope.split_whitespace().filter(|scope| *scope != "openid").map(escape).collect();
    let choices: String =
        sandbox.personas().all().iter().map(|persona| choice(provider, persona, wanted)).collect();
    let body = format!(
        "<p>{intro}</p>{asked}
         <form method=\"post\">
         <fieldset><legend>{who}</legend>{choices}</fieldset>
         <p class=\"shared\">{shares} <code>{shared}</code></p>
         <p class=\"actions\"><button name=\"action\" value=\"allow\">{allow}</button>
         <button name=\"action\" value=\"cancel\" class=\"quiet\" formnovalidate>{cancel}</button></p>
         </form>",
        intro = two(
            "ผู้ให้บริการยืนยันตัวตนจำลอง บุคคลเหล่านี้ไม่มีอยู่จริง",
            "A pretended identity provider. These people do not exist."
        ),
        asked = asked_level(wanted),
        who = two("คุณคือใคร", "Who are you?"),
        shares = two("ข้อมูลที่จะส่งให้แอป", "What the app receives:"),
        shared = shared.join(" "),
        allow = two("ยินยอมและเข้าสู่ระบบ", "Allow and log in"),
        cancel = two("ยกเลิก", "Cancel"),
    );
    page::html(StatusCode::OK, &provider.name.th, &provider.name.en, &body)
}

fn asked_level(wanted: Wanted) -> String {
    let ial = wanted.ial.map(|ial| format!("IAL {ial}"));
    let aal = wanted.aal.map(|aal| format!("AAL {aal}"));
    let asked: Vec<String> = ial.into_iter().chain(aal).collect();
    if asked.is_empty() {
        return String::new();
    }
    format!("<p class=\"note\">{} {}</p>", two("บริการนี้ต้องการระดับ", "The service asks for"), asked.join(" · "))
}

fn choice(provider: &Provider, persona: &Persona, wanted: Wanted) -> String {
    let level = match persona.levels.get(&provider.code) {
        None => two("ไม่มีบัญชีที่นี่: จะถูกปฏิเสธ", "no account here: will be refused"),
        Some(level) => {
            let reached = format!("IAL {} · AAL {}", level.ial, level.aal);
            let too_low = two("ระดับไม่พอ: จะถูกปฏิเสธ", "level too low: will be refused");
            if wanted.met_by(*level) { reached } else { format!("{reached} — {too_low}") }
        }
    };
    format!(
        "<label class=\"choice\"><input type=\"radio\" name=\"persona\" value=\"{code}\" required>
         <span><strong>{name}</strong> <small>{level}</small><br><small>{good_for}</small></span></label>",
        code = escape(&persona.code),
        name = two(&persona.name_th(), &persona.name_en()),
        good_for = two(&persona.good_for.th, &persona.good_for.en),
    )
}
