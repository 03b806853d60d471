//! What is told: each part with its state, and the whole.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use graphql::LocalizedText;
use serde::Serialize;

use super::probe::{Answer, Availability, Found};

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Operational,
    /// It works, but not all of it, or slowly.
    Degraded,
    /// Somebody closed it, and said why.
    Closed,
    Down,
}

/// Since when each part is as it is, as this process saw it.
pub type Since = HashMap<String, (State, DateTime<Utc>)>;

/// All there is to tell.
#[derive(Debug, Serialize)]
pub struct Report {
    pub overall: State,
    pub checked_at: DateTime<Utc>,
    pub components: Vec<Component>,
    /// Closures to come.
    pub planned: Vec<Planned>,
}

/// One thing that people use.
#[derive(Debug, Serialize)]
pub struct Component {
    /// `gateway`, `service.…`, `public_service.…`, `digital_id.…` or `payment.…`.
    pub id: String,
    pub name: LocalizedText,
    pub state: State,
    pub since: DateTime<Utc>,
    /// Why it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<LocalizedText>,
    /// When it opens again, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<DateTime<Utc>>,
}

/// A closure to come.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The component's.
    pub id: String,
    pub name: LocalizedText,
    pub closes_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<DateTime<Utc>>,
    pub text: Option<LocalizedText>,
}

/// What is gathered while the parts are gone through.
struct Gathering<'a> {
    now: DateTime<Utc>,
    since: &'a mut Since,
    components: Vec<Component>,
    planned: Vec<Planned>,
}

/// The report of what was found.
pub fn of(found: Found, now: DateTime<Utc>, since: &mut Since) -> Report {
    let mut all = Gathering { now, since, components: Vec::new(), planned: Vec::new() };
    all.add("gateway", LocalizedText::new("ประตู Pratu", "The Pratu portal"), State::Operational);
    let finding = state(found.finding.as_ref(), |()| State::Operational);
    let logging_in =
        state(found.logging_in.as_ref(), |all| of_all(all.iter().map(|one| one.availability.open)));
    // Those that are open are not in the list.
    let filing = state(found.filing.as_ref(), |listed| {
        of_all(listed.iter().map(|one| one.availability.open).chain([true]))
    });
    let paying = state(found.paying.as_ref(), |all| of_all(all.iter().map(|one| one.availability.open)));
    all.add("service.finding", LocalizedText::new("ค้นหาบริการ", "Finding services"), finding);
    all.add("service.login", LocalizedText::new("เข้าสู่ระบบ", "Logging in"), logging_in);
    all.add("service.filing", LocalizedText::new("ยื่นและติดตามคำขอ", "Filing and tracking"), filing);
    all.add("service.paying", LocalizedText::new("ชำระเงิน", "Paying"), paying);
    for closed in said(found.filing) {
        all.add_switched(format!("public_service.{}", closed.code), closed.title, &closed.availability);
    }
    for provider in said(found.logging_in) {
        all.add_switched(format!("digital_id.{}", provider.code), provider.name, &provider.availability);
    }
    for method in said(found.paying) {
        let id = format!("payment.{}", method.method.to_ascii_lowercase());
        all.add_switched(id, method_name(&method.method), &method.availability);
    }
    let services = [finding, logging_in, filing, paying];
    let overall = if services.iter().all(|state| *state == State::Down) {
        State::Down
    } else if services.iter().all(|state| *state == State::Operational) {
        State::Operational
    } else {
        State::Degraded
    };
    Report { overall, checked_at: now, components: all.components, planned: all.planned }
}

impl Gathering<'_> {
    fn add(&mut self, id: &str, name: LocalizedText, state: State) {
        let since = self.since_of(id, state);
        self.components.push(Component { id: id.to_owned(), name, state, since, text: None, opens_at: None });
    }

    /// Something that can be closed: as it is now, and what is to come. A public service that is only
    /// going to be closed is not a component yet.
    fn add_switched(&mut self, id: String, name: LocalizedText, availability: &Availability) {
        let instant = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        let (closes_at, opens_at) = (instant(&availability.closes_at), instant(&availability.opens_at));
        let text = availability.text.clone();
        if let (true, Some(closes_at)) = (availability.open, closes_at) {
            self.planned.push(Planned { id: id.clone(), name: name.clone(), closes_at, opens_at, text });
            if id.starts_with("public_service.") {
                return;
            }
            let since = self.since_of(&id, State::Operational);
            let state = State::Operational;
            self.components.push(Component { id, name, state, since, text: None, opens_at: None });
            return;
        }
        let state = if availability.open { State::Operational } else { State::Closed };
        let since = self.since_of(&id, state);
        let since = if state == State::Closed { closes_at.unwrap_or(since) } else { since };
        self.components.push(Component { id, name, state, since, text, opens_at });
    }

    fn since_of(&mut self, id: &str, state: State) -> DateTime<Utc> {
        let entry = self.since.entry(id.to_owned()).or_insert((state, self.now));
        if entry.0 != state {
            *entry = (state, self.now);
        }
        entry.1
    }
}

fn state<T>(answer: Option<&Answer<T>>, of: impl Fn(&T) -> State) -> State {
    let Some(Answer { said, slow }) = answer else { return State::Down };
    match of(said) {
        State::Operational if *slow => State::Degraded,
        state => state,
    }
}

/// A part of which people need any one.
fn of_all(mut open: impl Iterator<Item = bool> + Clone) -> State {
    match (open.clone().any(|open| open), open.any(|open| !open)) {
        (_, false) => State::Operational,
        (true, true) => State::Degraded,
        (false, true) => State::Closed,
    }
}

fn said<T>(answer: Option<Answer<Vec<T>>>) -> Vec<T> {
    answer.map(|answer| answer.said).unwrap_or_default()
}

fn method_name(method: &str) -> LocalizedText {
    match method {
        "G_WALLET" => LocalizedText::new("G-Wallet (เป๋าตัง)", "G-Wallet (Paotang)"),
        "MOBILE_BANKING" => LocalizedText::new("แอปธนาคาร", "Mobile banking"),
        "PROMPTPAY_QR" => LocalizedText::new("พร้อมเพย์ คิวอาร์", "PromptPay QR"),
        other => LocalizedText::new(other, other),
    }
}

#[cfg(test)]
mod tests;
