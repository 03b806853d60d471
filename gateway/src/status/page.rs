//! The report as a page: plain, in Thai and English, no script, nothing loaded from elsewhere.

use chrono::{DateTime, Datelike, Utc};
use graphql::LocalizedText;

use super::report::{Component, Planned, Report, State};

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6776;--line:#d8dee6;--paper:#fff;--back:#f3f5f8;--good:#146c2e;--bad:#a4262c}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--soft:#a3b0bf;--line:#35414e;--paper:#18212b;--back:#0f151c;--good:#7bd88f;--bad:#ff9a9a}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:1rem/1.6 system-ui,'Noto Sans Thai',Sarabun,sans-serif}
main{max-width:46rem;margin:2rem auto;padding:1.25rem 1.5rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem}
h1{margin:.2rem 0;font-size:1.4rem}h2{margin:1.4rem 0 .4rem;font-size:1.1rem}[lang=en]{color:var(--soft);display:block}
ul{margin:0;padding:0;list-style:none}li{padding:.6rem 0;border-top:1px solid var(--line)}
.operational{color:var(--good)}.degraded,.closed,.down{color:var(--bad)}strong [lang=en]{color:inherit}
small{color:var(--soft)}
";

/// Years between the Buddhist era, which Thai dates count in, and the common one.
const BUDDHIST_ERA_YEARS: i32 = 543;

pub fn html(report: &Report) -> String {
    let components: String = report.components.iter().map(component).collect();
    let planned: String = report.planned.iter().map(planned).collect();
    let planned = if planned.is_empty() {
        String::new()
    } else {
        format!("<h2>{}</h2><ul>{planned}</ul>", two("แผนการปิดให้บริการ", "Planned closures"))
    };
    format!(
        "<!doctype html><html lang=\"th\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>สถานะระบบ · System status</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1><p role=\"status\">{overall}</p>\
         <h2>{parts}</h2><ul>{components}</ul>{planned}<p><small>{checked}</small></p></main></body></html>",
        title = two("สถานะระบบ", "System status"),
        overall = state(report.overall),
        parts = two("บริการแต่ละส่วน", "Parts"),
        checked = time("ตรวจเมื่อ", "Checked at", report.checked_at),
    )
}

fn component(component: &Component) -> String {
    let text = component.text.as_ref().map(|text| format!("<p>{}</p>", localized(text))).unwrap_or_default();
    let opens = component.opens_at.map(|at| time("เปิดอีกครั้ง", "Opens again", at)).unwrap_or_default();
    let since = time("ตั้งแต่", "Since", component.since);
    format!(
        "<li>{} {}{text}<small>{since}{opens}</small></li>",
        localized(&component.name),
        state(component.state)
    )
}

fn planned(planned: &Planned) -> String {
    let text = planned.text.as_ref().map(|text| format!("<p>{}</p>", localized(text))).unwrap_or_default();
    let opens = planned.opens_at.map(|at| time("เปิดอีกครั้ง", "Opens again", at)).unwrap_or_default();
    let closes = time("ปิดตั้งแต่", "Closes", planned.closes_at);
    format!("<li>{}{text}<small>{closes}{opens}</small></li>", localized(&planned.name))
}

/// Said in words: colour alone tells not everybody.
fn state(state: State) -> String {
    let (class, th, en) = match state {
        State::Operational => ("operational", "ใช้งานได้ปกติ", "Operational"),
        State::Degraded => ("degraded", "ใช้งานได้บางส่วน", "Partly working"),
        State::Closed => ("closed", "ปิดให้บริการชั่วคราว", "Closed for the moment"),
        State::Down => ("down", "ขัดข้อง", "Not working"),
    };
    format!("<strong class=\"{class}\">{}</strong>", two(th, en))
}

fn time(th: &str, en: &str, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&clock::thailand());
    let (hour, year) = (local.format("%H:%M"), local.year() + BUDDHIST_ERA_YEARS);
    let th = format!("{th} {hour} น. {}/{year}", local.format("%-d/%-m"));
    let en = format!("{en} {hour} on {} (Thailand)", local.format("%-d %B %Y"));
    format!("<time datetime=\"{}\">{}</time> ", at.to_rfc3339(), two(&th, &en))
}

fn localized(text: &LocalizedText) -> String {
    two(&text.th, text.en.as_deref().unwrap_or(&text.th))
}

fn two(th: &str, en: &str) -> String {
    format!("<span lang=\"th\">{}</span> <span lang=\"en\">{}</span>", escape(th), escape(en))
}

/// Makes a text safe inside HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
