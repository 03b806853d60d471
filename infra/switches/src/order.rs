//! Moving a switch: checked, once per key, recorded with who and why.

use chrono::{DateTime, Duration, Utc};
use database::{Error, Tx};
use graphql::{FieldProblem, LocalizedText};
use idempotency::{Begin, Key};
use serde_json::json;

use crate::record::{self, Change};
use crate::{Closure, Switches, Target};

/// Characters of a text for citizens, and of a reason for the record.
const TEXT_CHARS_MAX: usize = 500;
const REASON_CHARS_MAX: usize = 2_000;
/// How far from now the times of a closure may be, in days.
const AWAY_DAYS_MAX: i64 = 400;
/// Others who may move the same switch at the same time, each of whom takes a number.
const AT_ONCE_MAX: usize = 100;

/// What citizens are told of a closure, and for when.
#[derive(Clone, Debug)]
pub struct Notice {
    pub text_th: String,
    pub text_en: String,
    /// At once when none.
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// Somebody's order to close, or without a notice to open.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    pub by: &'a str,
    /// The client's idempotency key.
    pub key: &'a str,
    pub target: Target,
    pub notice: Option<Notice>,
    pub reason: &'a str,
}

/// What became of an order.
#[derive(Debug)]
pub enum Ordered {
    Done(Change),
    Invalid(Vec<FieldProblem>),
    /// The key was used for another order, or is empty or too long.
    KeyReused,
}

impl Switches {
    /// Does as ordered, in one transaction with its record, its key and its messages.
    pub async fn order(&self, order: &Order<'_>) -> Result<Ordered, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let key = Key { subject: order.by, operation: "switch", key: order.key };
        match idempotency::begin(&mut tx, &key, &fingerprint(order), now).await? {
            Begin::First => {}
            Begin::Conflict => return Ok(Ordered::KeyReused),
            Begin::Replay(made) => {
                let number = made["number"].as_i64().unwrap_or_default();
                let change = record::change(&mut tx, &order.target, number).await?;
                return change.map(Ordered::Done).ok_or_else(record::lost);
            }
        }
        // Only now: what was done is told again also when its times are over.
        let faults = faults(order, now);
        if !faults.is_empty() {
            return Ok(Ordered::Invalid(faults));
        }
        let change = match add(&mut tx, order, now).await? {
            Ok(change) => change,
            Err(fault) => return Ok(Ordered::Invalid(vec![fault])),
        };
        self.tell(&mut tx, &change).await?;
        idempotency::complete(&mut tx, &key, json!({ "number": change.number })).await?;
        tx.commit().await?;
        tracing::warn!(
            kind = order.target.kind.as_str(),
            name = order.target.name,
            closed = change.closure.is_some(),
            by = order.by,
            "a switch was moved"
        );
        Ok(Ordered::Done(change))
    }
}

/// Adds the next change of the target; refused where a plan would open what is closed now.
async fn add(
    tx: &mut Tx,
    order: &Order<'_>,
    now: DateTime<Utc>,
) -> Result<Result<Change, FieldProblem>, Error> {
    let closure = order.notice.as_ref().map(|notice| Closure {
        from: notice.from.unwrap_or(now),
        until: notice.until,
        text: LocalizedText::new(notice.text_th.trim(), notice.text_en.trim()),
    });
    let mut change = Change {
        target: order.target.clone(),
        number: 1,
        closure,
        reason: order.reason.trim().to_owned(),
        changed_by: order.by.to_owned(),
        changed_at: now,
    };
    for _ in 0..AT_ONCE_MAX {
        let last = record::last(tx, &order.target).await?;
        let closed_now = last.iter().flat_map(|last| &last.closure).any(|closure| closure.in_force(now));
        if closed_now && change.closure.as_ref().is_some_and(|closure| closure.from > now) {
            let (th, en) = (
                "ขณะนี้ปิดอยู่ แผนนี้จะทำให้เปิดทันที โปรดเปิดก่อนแล้วจึงวางแผน",
                "It is closed now, and this plan would open it: open it first.",
            );
            return Ok(Err(fault("/from", th.to_owned(), en.to_owned())));
        }
        change.number = last.map_or(1, |last| last.number + 1);
        // Of two at once one has the number; the other looks again how it stands.
        if record::keep(tx, &change).await? {
            return Ok(Ok(change));
        }
    }
    Err(record::lost())
}

fn fingerprint(order: &Order<'_>) -> serde_json::Value {
    let notice = order.notice.as_ref().map(|n| (&n.text_th, &n.text_en, n.from, n.until));
    json!({ "target": order.target, "notice": notice, "reason": order.reason })
}

fn faults(order: &Order<'_>, now: DateTime<Utc>) -> Vec<FieldProblem> {
    let mut faults = Vec::new();
    let mut within = |pointer: &str, text: &str, chars_max: usize| {
        if text.trim().is_empty() || text.chars().count() > chars_max {
            let th = format!("ระบุ 1 ถึง {chars_max} ตัวอักษร");
            faults.push(fault(pointer, th, format!("Must have 1 to {chars_max} characters.")));
        }
    };
    within("/reason", order.reason, REASON_CHARS_MAX);
    let Some(notice) = &order.notice else { return faults };
    within("/textTh", &notice.text_th, TEXT_CHARS_MAX);
    within("/textEn", &notice.text_en, TEXT_CHARS_MAX);
    let from = notice.from.unwrap_or(now).max(now);
    for (pointer, at) in [("/from", notice.from), ("/until", notice.until)] {
        if at.is_some_and(|at| (at - now).abs() > Duration::days(AWAY_DAYS_MAX)) {
            let th = format!("ต้องห่างจากวันนี้ไม่เกิน {AWAY_DAYS_MAX} วัน");
            faults.push(fault(pointer, th, format!("At most {AWAY_DAYS_MAX} days from now.")));
        }
    }
    if notice.until.is_some_and(|until| until <= from) {
        let (th, en) = ("ต้องอยู่หลังเวลาเริ่มปิดและหลังเวลาปัจจุบัน", "Must be after the beginning, and to come.");
        faults.push(fault("/until", th.to_owned(), en.to_owned()));
    }
    faults
}

fn fault(pointer: &str, th: String, en: String) -> FieldProblem {
    FieldProblem { pointer: pointer.to_owned(), message: LocalizedText::new(th, en) }
}
