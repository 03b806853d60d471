//! What a person reads of a provider that those who run this platform closed for the moment.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::Datelike;
use graphql::LocalizedText;
use switches::Closure;

use super::page::{Page, two};

/// Years between the Buddhist era, which Thai dates count in, and the common one.
const BUDDHIST_ERA_YEARS: i32 = 543;

/// In the place of the provider's link: its name, why it is closed, and until when.
pub fn note(name: &LocalizedText, closure: &Closure) -> String {
    let (th, en) = sentences(closure);
    let name_en = name.en.as_deref().unwrap_or(&name.th);
    let text = two(&format!("{}: {th}", name.th), &format!("{name_en}: {en}"));
    format!("<p class=\"note\" role=\"status\">{text}</p>")
}

/// The page for who chose a closed provider; `others` says so and links to those that are open.
pub fn page(others: &str) -> Response {
    let sentence = two(
        "ผู้ให้บริการยืนยันตัวตนนี้ปิดชั่วคราว โปรดเลือกวิธีอื่น",
        "This Digital ID provider is closed for the moment. Please choose another.",
    );
    Page {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title_th: "ปิดให้บริการชั่วคราว",
        title_en: "Closed for the moment",
        body: format!("<p role=\"alert\">{sentence}</p>{others}"),
        form_leads_to: None,
    }
    .answer()
}

/// Why, and until when where that is known, in Thai and English.
pub fn sentences(closure: &Closure) -> (String, String) {
    let th = closure.text.th.as_str();
    let en = closure.text.en.as_deref().unwrap_or(th);
    let Some(until) = closure.until else { return (th.to_owned(), en.to_owned()) };
    let until = until.with_timezone(&clock::thailand());
    let year = until.year() + BUDDHIST_ERA_YEARS;
    (
        format!("{th} (เปิดอีกครั้ง {} น. วันที่ {}/{year})", until.format("%H:%M"), until.format("%-d/%-m")),
        format!("{en} (opens again at {} in Thailand)", until.format("%H:%M on %-d %B %Y")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_in_the_time_and_the_years_of_thailand() {
        let closure = Closure {
            from: "2026-11-23T03:00:00Z".parse().expect("an instant"),
            until: "2026-11-23T18:30:00Z".parse().ok(),
            text: LocalizedText::new("ปิดปรับปรุง <b>", "Closed"),
        };
        let (th, en) = sentences(&closure);
        assert_eq!(th, "ปิดปรับปรุง <b> (เปิดอีกครั้ง 01:30 น. วันที่ 24/11/2569)");
        assert_eq!(en, "Closed (opens again at 01:30 on 24 November 2026 in Thailand)");
        assert!(!note(&LocalizedText::new("ไทยดี", "ThaID"), &closure).contains("<b>"));
    }
}
