//! What is told of parts that answer, are closed, or are away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::super::page;
use super::super::probe::{Closed, Method, Provider};
use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    "2026-11-23T03:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::Duration::minutes(minute)
}

fn open() -> Availability {
    Availability { open: true, text: None, closes_at: None, opens_at: None }
}

fn closed(from: i64, open_now: bool) -> Availability {
    Availability {
        open: open_now,
        text: Some(LocalizedText::new("ปิด <script>", "Closed & mended")),
        closes_at: Some(at(from).to_rfc3339()),
        opens_at: Some(at(from + 60).to_rfc3339()),
    }
}

fn answer<T>(said: T) -> Option<Answer<T>> {
    Some(Answer { said, slow: false })
}

fn found(provider: Availability) -> Found {
    let name = LocalizedText::new("ไทยดี", "ThaID");
    Found {
        finding: answer(()),
        logging_in: answer(vec![Provider { code: "thaid".into(), name, availability: provider }]),
        filing: answer(Vec::new()),
        paying: answer(vec![Method { method: "G_WALLET".into(), availability: open() }]),
    }
}

fn component<'a>(report: &'a Report, id: &str) -> &'a Component {
    report.components.iter().find(|component| component.id == id).unwrap()
}

#[test]
fn when_all_answer_all_is_operational_since_it_was_first_seen() {
    let mut since = Since::new();
    assert_eq!(of(found(open()), at(0), &mut since).overall, State::Operational);
    let later = of(found(open()), at(5), &mut since);
    assert_eq!(component(&later, "service.paying").since, at(0));
    assert_eq!(later.components.len(), 7);
}

#[test]
fn a_closed_provider_is_told_with_why_and_until_when_and_logging_in_is_closed_with_it() {
    let report = of(found(closed(-10, false)), at(0), &mut Since::new());
    let provider = component(&report, "digital_id.thaid");
    assert_eq!((provider.state, provider.since, provider.opens_at), (State::Closed, at(-10), Some(at(50))));
    assert_eq!(component(&report, "service.login").state, State::Closed, "there is no other");
    assert_eq!(report.overall, State::Degraded);
}

#[test]
fn while_another_provider_is_open_logging_in_works_in_part() {
    let mut parts = found(closed(-10, false));
    let name = LocalizedText::new("ทางรัฐ", "Tang Rat");
    parts.logging_in.as_mut().unwrap().said.push(Provider { code: "dga".into(), name, availability: open() });
    assert_eq!(component(&of(parts, at(0), &mut Since::new()), "service.login").state, State::Degraded);
}

#[test]
fn one_closed_service_does_not_close_filing() {
    let mut parts = found(open());
    let title = LocalizedText::new("ใบอนุญาต", "A licence");
    parts.filing = answer(vec![Closed { code: "LAO-01".into(), title, availability: closed(-10, false) }]);
    assert_eq!(component(&of(parts, at(0), &mut Since::new()), "service.filing").state, State::Degraded);
}

#[test]
fn what_is_planned_is_told_and_closes_nothing_yet() {
    let mut parts = found(closed(30, true));
    let title = LocalizedText::new("ใบอนุญาต", "A licence");
    parts.filing = answer(vec![Closed { code: "LAO-01".into(), title, availability: closed(30, true) }]);
    let report = of(parts, at(0), &mut Since::new());
    assert_eq!(report.overall, State::Operational);
    let planned: Vec<_> = report.planned.iter().map(|one| (one.id.as_str(), one.closes_at)).collect();
    assert_eq!(planned, [("public_service.LAO-01", at(30)), ("digital_id.thaid", at(30))]);
}

#[test]
fn a_part_that_does_not_answer_is_down_from_then_on() {
    let mut since = Since::new();
    of(found(open()), at(0), &mut since);
    let away = Found { finding: None, logging_in: None, filing: None, paying: None };
    let report = of(away, at(5), &mut since);
    assert_eq!(report.overall, State::Down);
    assert_eq!(component(&report, "gateway").state, State::Operational, "it answers, after all");
    let finding = component(&report, "service.finding");
    assert_eq!((finding.state, finding.since), (State::Down, at(5)));
}

#[test]
fn the_page_and_the_json_say_the_same_in_both_languages_and_take_no_markup_from_outside() {
    let report = of(found(closed(-10, false)), at(0), &mut Since::new());
    let html = page::html(&report);
    for part in
        ["<html lang=\"th\">", "lang=\"en\">Closed", "ไทยดี", "ThaID", "&lt;script&gt;", "&amp; mended"]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("<script"), "{html}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["overall"], "degraded");
    let provider = json["components"].as_array().unwrap().iter().find(|one| one["id"] == "digital_id.thaid");
    assert_eq!(provider.unwrap()["text"]["en"], "Closed & mended");
}
