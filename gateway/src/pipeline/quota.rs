//! How much one caller may ask for in a minute: counted in cost, over whatever transport it comes.
//!
//! The fields are those of draft-ietf-httpapi-ratelimit-headers-10 (`RateLimit-Policy` and `RateLimit`) and, for
//! clients that know only these, the three of its drafts up to 06 (`RateLimit-Limit`, `-Remaining`, `-Reset`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth::Principal;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use federation::Prepared;
use graphql::ErrorCode;
use quota::{Quotas, Rate, Verdict};

use super::classify::Wish;
use super::events::Holder;
use super::{Asker, Door, Refusal};

/// What is to be told of quotas with the answer: nothing where nothing is counted.
#[derive(Clone, Default)]
pub struct Standing(Option<Arc<Mutex<Option<Shown>>>>);

/// The quota that is nearest to its end.
struct Shown {
    kind: &'static str,
    rate: Rate,
    verdict: Verdict,
}

impl Standing {
    pub fn new(counted: bool) -> Self {
        Self(counted.then(Arc::default))
    }

    fn note(&self, shown: Shown) {
        let Some(noted) = &self.0 else { return };
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        let share = |shown: &Shown| {
            u64::from(shown.verdict.remaining) * 1_000 / u64::from(shown.verdict.limit.max(1))
        };
        let nearer = |noted: &Shown| !shown.verdict.allowed || share(&shown) < share(noted);
        if noted.as_ref().is_none_or(nearer) {
            *noted = Some(shown);
        }
    }

    /// Puts it into the headers of an answer, unless caches on the way may keep that: they would show it to others.
    pub fn show(&self, wish: &Wish, response: &mut Response<Body>) {
        let Some(noted) = self.0.as_ref().filter(|_| !wish.may_be_kept(response)) else { return };
        let noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Shown { kind, rate, verdict }) = &*noted else { return };
        let reset_s = seconds(verdict.reset);
        for (name, value) in [
            ("ratelimit-policy", format!("\"{kind}\";q={};w={}", rate.units, rate.per_s)),
            ("ratelimit", format!("\"{kind}\";r={};t={reset_s}", verdict.remaining)),
            ("ratelimit-limit", verdict.limit.to_string()),
            ("ratelimit-remaining", verdict.remaining.to_string()),
            ("ratelimit-reset", reset_s.to_string()),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Takes what the operation costs from what its caller may still ask for, or refuses it. What is the same for
/// everyone costs one, and the rest only him for whom it is made.
pub async fn take(door: &Door, asker: &Asker, prepared: &Prepared) -> Result<(), Refusal> {
    let Some(counted) = &door.guards.quotas else { return Ok(()) };
    let (kind, who) = holder(asker);
    let rate = counted.rate(kind);
    let sensitive = prepared.root_fields().filter(|field| counted.sensitive.contains(*field)).count();
    if sensitive > 0 {
        let (counts, who) = (counted.counts(false), format!("{kind}:{who}"));
        one(counts, asker, ("sensitive", &who), units(sensitive as u64), counted.sensitive_rate).await?;
    }
    if prepared.cache_policy().public {
        return one(counted.counts(true), asker, (kind, &who), 1, rate).await;
    }
    let counts = counted.counts(false);
    let cost = units(prepared.cost());
    // What costs more than all there is would never pass: it takes all.
    one(counts, asker, (kind, &who), cost.min(rate.units), rate).await?;
    match (client(&asker.caller.principal), counted.client_rate) {
        (Some(client), Some(rate)) => {
            one(counts, asker, ("client", client), cost.min(rate.units), rate).await
        }
        _ => Ok(()),
    }
}

/// Counts a document that has to be judged first, or refuses to: texts without end that are no documents, or
/// that differ in a letter, would cost their sender nothing.
pub async fn take_new(door: &Door, asker: &Asker) -> Result<(), Refusal> {
    let Some(counted) = &door.guards.quotas else { return Ok(()) };
    let (kind, who) = holder(asker);
    let who = format!("{kind}:{who}");
    // Judged by this process, so counted by it.
    one(counted.counts(true), asker, ("documents", &who), 1, counted.new_documents_rate).await
}

/// Charges what it costs to make an answer that is then the same for everyone. It is not refused any more, for
/// others may wait for it; who has nothing left is refused next time.
pub async fn charge_made(door: &Door, asker: &Asker, prepared: &Prepared) {
    let Some(counted) = door.guards.quotas.as_ref().filter(|_| prepared.cache_policy().public) else {
        return;
    };
    let (kind, who) = holder(asker);
    let (counts, rate) = (counted.counts(true), counted.rate(kind));
    let rest = units(prepared.cost()) - 1;
    let verdict = counts.take(kind, &who, rest, &rate).await;
    if !verdict.allowed {
        counts.take(kind, &who, verdict.remaining, &rate).await;
    }
}

/// Whose allowance it is: a person's, or that of all strangers at one address.
fn holder(asker: &Asker) -> (&'static str, String) {
    match Holder::of(&asker.caller, asker.address) {
        Holder::Person(subject) => ("subject", subject),
        Holder::Address(address) => ("address", address.to_string()),
    }
}

/// Even what costs nothing is asked for.
fn units(cost: u64) -> u32 {
    u32::try_from(cost).unwrap_or(u32::MAX).max(1)
}

fn client(principal: &Principal) -> Option<&str> {
    match principal {
        Principal::Nobody => None,
        Principal::Citizen(citizen) => Some(&citizen.client_id),
        Principal::Officer(officer) => Some(&officer.client_id),
    }
}

async fn one(
    counts: &Quotas,
    asker: &Asker,
    (kind, who): (&'static str, &str),
    units: u32,
    rate: Rate,
) -> Result<(), Refusal> {
    let verdict = counts.take(kind, who, units, &rate).await;
    asker.standing.note(Shown { kind, rate, verdict });
    if verdict.allowed {
        return Ok(());
    }
    let message = "You have asked for more than you may in a minute; try again a little later.";
    let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, message);
    Err(refusal.retry_after(seconds(verdict.retry_after.unwrap_or(verdict.reset)).max(1)))
}

/// Whole seconds, none too few.
fn seconds(span: Duration) -> u64 {
    span.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
}
