//! Asking the provider what became of a payment, and acting on the answer.

use chrono::{DateTime, Duration, Utc};
use database::{Error, Tx};
use idempotency::{Begin, Key};
use serde_json::json;
use uuid::Uuid;

use super::finding::{Found, day_of};
use super::{back_off, intent_of, watched_until};
use crate::Service;
use crate::model::{FindingKind, PaymentEvent, PaymentStatus};
use crate::provider::{Inquiry, ProviderError};
use crate::store::bill::{self, Reader};
use crate::store::finding;
use crate::store::payment::{self, Payment};

/// A provider that was just asked is not asked again at once, in seconds.
const CHECK_GAP_S: i64 = 2;
/// The wait when a provider is still silent after a payment's time, in seconds.
const SILENCE_S: i64 = 600;
/// After such a silence people are told, and the provider is asked less often, in hours.
const UNRESOLVED_AFTER_H: i64 = 72;
const UNRESOLVED_GAP_H: i64 = 6;

/// What became of a wish to check a payment.
#[derive(Debug)]
pub enum Checked {
    Payment(Box<Payment>),
    NotFound,
    Conflict,
}

impl Service {
    /// The timer: asks, acts, and sets itself again until the payment's time is over and the provider
    /// has given an answer. Payments that ended are looked at once more at the end: a QR code that was
    /// paid twice, or after it was withdrawn, may never be confirmed to us.
    pub(crate) async fn watch_payment(
        &self,
        message_id: Uuid,
        payment_id: Uuid,
        attempt: u32,
    ) -> Result<(), Error> {
        let mut answered = true;
        if let Some(found) = payment::payment(&mut self.database.clone(), payment_id).await? {
            answered = self.ask_now(&found).await?;
        }
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        if !outbox::first_time(&mut tx, "payments", message_id, now).await? {
            return tx.commit().await;
        }
        if let Some(found) = payment::payment(&mut tx, payment_id).await? {
            let unresolved = self.tell_of_silence(&mut tx, &found, now).await?;
            let until = watched_until(&found);
            let next_at = match (now < until, found.status.is_live()) {
                (true, true) => Some((now + back_off(attempt + 1)).min(until)),
                (true, false) => Some(until),
                // An unknown payment stays unknown until its provider speaks, or people have found out.
                (false, true) if unresolved => Some(now + Duration::hours(UNRESOLVED_GAP_H)),
                (false, false) if !answered && now > until + Duration::hours(UNRESOLVED_AFTER_H) => None,
                (false, live) if live || !answered => Some(now + Duration::seconds(SILENCE_S)),
                (false, _) => None,
            };
            if let Some(next_at) = next_at {
                self.watch(&mut tx, payment_id, attempt + 1, next_at).await?;
            }
        }
        tx.commit().await
    }

    /// A provider that has been silent for days about a payment: people take it up. True when they have to.
    async fn tell_of_silence(&self, tx: &mut Tx, found: &Payment, now: DateTime<Utc>) -> Result<bool, Error> {
        let unresolved =
            found.status.is_live() && now > watched_until(found) + Duration::hours(UNRESOLVED_AFTER_H);
        let (kind, subject) = (FindingKind::PaymentUnresolved, found.id.hyphenated().to_string());
        if !unresolved {
            finding::heal(tx, kind, &found.provider, &subject, now).await?;
            return Ok(false);
        }
        let bill = bill::bill_locked(tx, found.bill_id).await?;
        let silence = Found {
            kind,
            provider: &found.provider,
            subject: &subject,
            day: day_of(found.created_at),
            bill: bill.as_ref(),
            payment: Some(found),
            ours_satang: Some(found.amount_satang),
            theirs_satang: None,
        };
        self.record_finding(tx, silence, None).await?;
        Ok(true)
    }

    /// Once and now, because someone said that money came. A silent provider means: deliver again.
    pub(crate) async fn ask_about(&self, message_id: Uuid, payment_id: Uuid) -> Result<bool, Error> {
        if let Some(found) = payment::payment(&mut self.database.clone(), payment_id).await?
            && !self.ask_now(&found).await?
        {
            return Ok(false);
        }
        let mut tx = self.database.begin().await?;
        outbox::first_time(&mut tx, "payments", message_id, self.clock.now()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A citizen asks us to ask.
    pub(crate) async fn check_payment(
        &self,
        subject: &str,
        idempotency_key: &str,
        payment_id: Uuid,
        reader: &Reader,
    ) -> Result<Checked, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let key = Key { subject, operation: "checkPayment", key: idempotency_key };
        let begin = idempotency::begin(&mut tx, &key, &payment_id, now).await?;
        if begin == Begin::Conflict {
            return Ok(Checked::Conflict);
        }
        let Some(found) = payment::payment_for(&mut tx, payment_id, reader).await? else {
            return Ok(Checked::NotFound);
        };
        let asked_lately =
            found.inquiry_due_at.is_some_and(|last| last + Duration::seconds(CHECK_GAP_S) > now);
        let ask = begin == Begin::First
            && !asked_lately
            && payment::reserve_inquiry(&mut tx, found.id, now).await?;
        if begin == Begin::First {
            idempotency::complete(&mut tx, &key, json!({ "payment_id": found.id })).await?;
        }
        tx.commit().await?;
        if ask {
            self.ask_now(&found).await?;
        }
        let current = payment::payment(&mut self.database.clone(), found.id).await?;
        Ok(Checked::Payment(Box::new(current.unwrap_or(found))))
    }

    /// Asks the provider and acts on the answer; false when there was none.
    pub(super) async fn ask_now(&self, asked: &Payment) -> Result<bool, Error> {
        let now = self.clock.now();
        let provider = self.providers.of_payment(asked);
        let answer = self.within(provider.inquire(&intent_of(asked, ""), now)).await;
        if let Err(error) = &answer {
            tracing::warn!(payment = %asked.id, provider = asked.provider, %error, "inquiry unanswered");
            metrics::counter!("payments_inquiry_unanswered_total", "provider" => provider.code())
                .increment(1);
        }
        let mut tx = self.database.begin().await?;
        let Some((payment, description)) = self.act_on(&mut tx, asked.id, &answer, now).await? else {
            tx.commit().await?;
            return Ok(answer.is_ok());
        };
        tx.commit().await?;
        // The provider never made, or never showed us, the order: it can be made (again) now.
        let unseen = payment.status.is_live() && payment.presented_at.is_none();
        if unseen && matches!(answer, Ok(Inquiry::NotFound | Inquiry::Pending)) {
            self.present(payment, &description).await?;
        }
        Ok(answer.is_ok())
    }

    async fn act_on(
        &self,
        tx: &mut Tx,
        payment_id: Uuid,
        answer: &Result<Inquiry, ProviderError>,
        now: DateTime<Utc>,
    ) -> Result<Option<(Payment, String)>, Error> {
        let Some(asked) = payment::payment(tx, payment_id).await? else { return Ok(None) };
        let Some(mut bill) = bill::bill_locked(tx, asked.bill_id).await? else { return Ok(None) };
        let Some(found) = payment::payment(tx, payment_id).await? else { return Ok(None) };
        let time_over = now >= found.expires_at;
        let event = match answer {
            Ok(Inquiry::Paid(transfers)) => {
                for evidence in transfers {
                    self.settle(tx, &mut bill, found.id, evidence).await?;
                }
                None
            }
            Ok(Inquiry::Cancelled | Inquiry::GivenBack(_)) => Some(PaymentEvent::Withdrawn),
            Ok(Inquiry::Expired) => Some(PaymentEvent::TimeOver),
            Ok(Inquiry::Pending | Inquiry::NotFound) if time_over => Some(PaymentEvent::TimeOver),
            Ok(Inquiry::Pending) if found.presented_at.is_some() => Some(PaymentEvent::Presented),
            Ok(Inquiry::Pending | Inquiry::NotFound) => None,
            Err(_) if found.status == PaymentStatus::Created => Some(PaymentEvent::Unanswered),
            Err(_) => None,
        };
        if let Some(status) = event.map(|event| found.status.after(event)).filter(|to| *to != found.status) {
            payment::move_payment(tx, found.id, status, None, now).await?;
        }
        let current = payment::payment(tx, payment_id).await?.unwrap_or(found);
        Ok(Some((current, bill.title_th)))
    }
}
