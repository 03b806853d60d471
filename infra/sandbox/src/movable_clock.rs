//! The clock everyone shares: shown to all, moved forward to see legal clocks and expiry without waiting.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Redirect, Response};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::form::{Answered, Fields};
use crate::{Sandbox, page, store, working_day};

/// At most a (leap) year at a time.
const ADVANCE_S_MAX: i64 = 366 * 86_400;

/// `GET /clock`.
pub async fn show(State(sandbox): State<Sandbox>) -> Response {
    page::private(Json(reading(&sandbox)))
}

/// `POST /clock` with JSON, or a form from the start page: `advance_s`, or `hours` and `days`, or
/// `to=next_working_day`.
pub async fn advance(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let answered = Answered::of(&headers);
    let fields = Fields::read(&headers, &body);
    let span = fields.as_ref().and_then(|fields| span(fields, sandbox.clock().now()));
    let (Some(fields), Some(span)) = (fields, span) else {
        let en = "advance_s, or hours and days, or to=next_working_day; 0 to 31622400 seconds in all, forward only.";
        let th = "เลื่อนนาฬิกาไปข้างหน้าได้ครั้งละไม่เกิน 366 วัน";
        return answered.refusal(StatusCode::BAD_REQUEST, th, en);
    };
    sandbox.clock().advance(span);
    if let Err(error) =
        store::clock_offset::keep_clock_offset(sandbox.database(), sandbox.clock().offset()).await
    {
        tracing::warn!(%error, "sandbox: the clock was moved, but not for the next start");
    }
    tracing::info!(advance_s = span.num_seconds(), "sandbox: the clock was moved");
    match answered {
        Answered::Page => page::private(Redirect::to(&fields.back(sandbox.base_url(), "moved", "clock"))),
        Answered::Json => page::private(Json(reading(&sandbox))),
    }
}

/// How far to move. Named fields that cannot be read move nothing.
fn span(fields: &Fields, now: DateTime<Utc>) -> Option<Duration> {
    if fields.get("to").is_some() {
        return (fields.get("to") == Some("next_working_day")).then(|| working_day::until_next(now));
    }
    let number = |name: &str| fields.get(name).map_or(Some(0), |text| text.parse::<i64>().ok());
    let named = ["advance_s", "hours", "days"].iter().any(|name| fields.get(name).is_some());
    let (advance_s, hours, days) = (number("advance_s")?, number("hours")?, number("days")?);
    let bounded = |count: i64| (0..=ADVANCE_S_MAX).contains(&count);
    if !named || ![advance_s, hours, days].into_iter().all(bounded) {
        return None;
    }
    let total_s = advance_s + hours * 3_600 + days * 86_400;
    bounded(total_s).then(|| Duration::seconds(total_s))
}

fn reading(sandbox: &Sandbox) -> Value {
    let now = sandbox.clock().now();
    let local = now.with_timezone(&clock::thailand());
    json!({
        "now": now,
        "moved_s": sandbox.clock().offset().num_seconds(),
        "in_thailand": local.to_rfc3339_opts(SecondsFormat::Secs, false),
        "working_day": working_day::is_working_day(local.date_naive()),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn moved(body: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())]);
        span(&Fields::read(&headers, body.as_bytes())?, "2026-11-23T03:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_clock_is_moved_by_seconds_hours_days_or_to_the_next_working_day() {
        assert_eq!(moved(r#"{"advance_s": 60}"#), Some(Duration::minutes(1)));
        assert_eq!(moved(r#"{"hours": "2", "days": 1}"#), Some(Duration::hours(26)));
        assert_eq!(moved(r#"{"to": "next_working_day"}"#), Some(Duration::minutes(22 * 60 + 30)));
    }

    #[test]
    fn what_cannot_be_read_moves_nothing() {
        for body in [
            "",
            "{}",
            "null",
            "[1]",
            r#"{"hours": -1}"#,
            r#"{"days": 367}"#,
            r#"{"days": 1e3}"#,
            r#"{"hours": 9223372036854775807}"#,
            r#"{"to": "yesterday"}"#,
            r#"{"advance_s": "soon"}"#,
        ] {
            assert_eq!(moved(body), None, "{body}");
        }
    }
}
