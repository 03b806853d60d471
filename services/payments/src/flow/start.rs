//! Starting a payment: recorded first, then asked of the provider, then shown.

use chrono::{DateTime, Duration, Utc};
use database::{Error, Tx};
use idempotency::{Begin, Key};
use outbox::Message;
use serde_json::json;
use switches::{Closure, Closures, Kind};
use uuid::Uuid;

use super::{back_off, intent_of, topic};
use crate::Service;
use crate::model::{BillStatus, PaymentEvent, PaymentMethod, PaymentStatus, reference_of};
use crate::provider::{Presented, ProviderError};
use crate::store::bill::{self, Bill, Reader};
use crate::store::payment::{self, Payment};

/// Tries at paying one bill; a person needs a handful.
const PAYMENTS_PER_BILL_MAX: i64 = 50;
/// An order that could be paid for less than this is not made any more, in seconds.
const PRESENTATION_S_MIN: i64 = 60;

/// Who wants to pay which bill, and how.
#[derive(Clone, Copy, Debug)]
pub struct PaymentOrder<'a> {
    /// Whose idempotency key it is.
    pub subject: &'a str,
    pub idempotency_key: &'a str,
    /// The bill must be of one of the parties the caller acts for.
    pub payer: &'a Reader,
    pub bill_id: Uuid,
    pub method: PaymentMethod,
}

/// What became of it.
#[derive(Debug)]
pub enum Started {
    Payment(Box<Payment>),
    /// No such bill, or not theirs.
    NotFound,
    /// Settled or cancelled already.
    NotPayable(BillStatus),
    /// The key was used for another order.
    Conflict,
    TooManyPayments,
    /// The method, or the provider behind it, is closed to new payments; what is open instead.
    Closed(Box<Closure>, Vec<PaymentMethod>),
}

enum Recorded {
    New(Box<Payment>, Box<Bill>),
    /// Its time is over, but nobody has asked the provider yet.
    Stale(Box<Payment>),
    Done(Started),
}

impl Service {
    /// Starts a payment, or returns the live one of this bill and method.
    pub(crate) async fn start_payment(&self, order: PaymentOrder<'_>) -> Result<Started, Error> {
        let started = self.begin_payment(order).await;
        let outcome = match &started {
            Ok(Started::Payment(payment)) if payment.presented_at.is_some() => "ok",
            // Nothing to show, so nothing to pay with: the provider's fault or ours.
            Ok(Started::Payment(_)) | Err(_) => "failed",
            Ok(_) => "refused",
        };
        let provider = self.providers.of_method(order.method).code().to_owned();
        metrics::counter!("payments_started_total", "provider" => provider, "outcome" => outcome)
            .increment(1);
        started
    }

    async fn begin_payment(&self, order: PaymentOrder<'_>) -> Result<Started, Error> {
        let closures = self.switches.closures().await?;
        let recorded = match self.record_payment(order, &closures, false).await? {
            Recorded::Stale(stale) => {
                // Ended only by the provider's word: it may have been paid in the last moment.
                self.ask_now(&stale).await?;
                self.record_payment(order, &closures, true).await?
            }
            recorded => recorded,
        };
        match recorded {
            Recorded::New(payment, bill) => {
                let payment = self.present(*payment, &bill.title_th).await?;
                Ok(Started::Payment(Box::new(payment)))
            }
            Recorded::Stale(payment) => Ok(Started::Payment(payment)),
            Recorded::Done(started) => Ok(started),
        }
    }

    /// The first transaction: the payment, its key and its timer. A citizen's bill only.
    async fn record_payment(
        &self,
        order: PaymentOrder<'_>,
        closures: &Closures,
        asked: bool,
    ) -> Result<Recorded, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let key = Key { subject: order.subject, operation: "startPayment", key: order.idempotency_key };
        match idempotency::begin(&mut tx, &key, &(order.bill_id, order.method.code()), now).await? {
            Begin::First => {}
            Begin::Conflict => return Ok(Recorded::Done(Started::Conflict)),
            Begin::Replay(made) => return self.replayed_payment(&mut tx, &made, order.payer).await,
        }
        let Some(bill) = bill::bill_for_locked(&mut tx, order.bill_id, order.payer).await? else {
            return Ok(Recorded::Done(Started::NotFound));
        };
        if bill.status != BillStatus::Open {
            return Ok(Recorded::Done(Started::NotPayable(bill.status)));
        }
        let live = payment::live_payment(&mut tx, bill.id, order.method).await?;
        if let Some(stale) = live.as_ref().filter(|live| live.expires_at <= now && !asked) {
            return Ok(Recorded::Stale(Box::new(stale.clone())));
        }
        if live.is_none() && payment::payment_count(&mut tx, bill.id).await? >= PAYMENTS_PER_BILL_MAX {
            return Ok(Recorded::Done(Started::TooManyPayments));
        }
        // Payments already begun go on to their end.
        if let Some(closure) = self.closure_of(closures, order.method).filter(|_| live.is_none()) {
            let open = self.open_methods(closures);
            return Ok(Recorded::Done(Started::Closed(Box::new(closure.clone()), open)));
        }
        let recorded = match live {
            Some(live) => Recorded::Done(Started::Payment(Box::new(live))),
            None => {
                let made = self.new_payment(&bill, order.method, now);
                payment::insert_payment(&mut tx, &made).await?;
                self.watch(&mut tx, made.id, 0, now + back_off(1)).await?;
                Recorded::New(Box::new(made), Box::new(bill))
            }
        };
        if let Recorded::New(made, _) | Recorded::Done(Started::Payment(made)) = &recorded {
            idempotency::complete(&mut tx, &key, json!({ "payment_id": made.id })).await?;
        }
        tx.commit().await?;
        Ok(recorded)
    }

    /// What must be open for new payments by a method: itself, and its provider.
    pub(crate) fn switches_of(&self, method: PaymentMethod) -> [(Kind, &str); 2] {
        let provider = self.providers.of_method(method).code();
        [(Kind::PaymentMethod, method.code()), (Kind::PaymentProvider, provider)]
    }

    fn closure_of<'a>(&self, closures: &'a Closures, method: PaymentMethod) -> Option<&'a Closure> {
        closures.of_any(&self.switches_of(method))
    }

    fn open_methods(&self, closures: &Closures) -> Vec<PaymentMethod> {
        let open = |method: &PaymentMethod| self.closure_of(closures, *method).is_none();
        PaymentMethod::ALL.iter().filter(|method| open(method)).copied().collect()
    }

    async fn replayed_payment(
        &self,
        tx: &mut Tx,
        made: &serde_json::Value,
        payer: &Reader,
    ) -> Result<Recorded, Error> {
        let id = made["payment_id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(Uuid::nil());
        // A mandate may have ended since.
        let found = payment::payment_for(tx, id, payer).await?;
        let started = found.map_or(Started::NotFound, |found| Started::Payment(Box::new(found)));
        Ok(Recorded::Done(started))
    }

    fn new_payment(&self, bill: &Bill, method: PaymentMethod, now: DateTime<Utc>) -> Payment {
        let id = self.clock.uuid();
        Payment {
            id,
            bill_id: bill.id,
            method,
            provider: self.providers.of_method(method).code().to_owned(),
            reference: reference_of(id),
            amount_satang: bill.amount_satang,
            status: PaymentStatus::Created,
            provider_ref: None,
            qr_payload: None,
            deep_link: None,
            wallet_reference: None,
            created_at: now,
            expires_at: now + Duration::seconds(self.config.payment_valid_s.clamp(120, 1_800).into()),
            presented_at: None,
            inquiry_due_at: None,
        }
    }

    /// Asks the provider for something to show, and records the answer. Safe to do again: the same
    /// reference makes one order, and what nobody has seen nobody has paid.
    pub(super) async fn present(&self, payment: Payment, description: &str) -> Result<Payment, Error> {
        let now = self.clock.now();
        if payment.expires_at - now < Duration::seconds(PRESENTATION_S_MIN) {
            return Ok(payment);
        }
        let provider = self.providers.of_payment(&payment);
        let answer = self.within(provider.create_intent(&intent_of(&payment, description), now)).await;
        let mut tx = self.database.begin().await?;
        let payment = self.record_presentation(&mut tx, payment, answer).await?;
        tx.commit().await?;
        Ok(payment)
    }

    async fn record_presentation(
        &self,
        tx: &mut Tx,
        asked: Payment,
        answer: Result<Presented, ProviderError>,
    ) -> Result<Payment, Error> {
        let now = self.clock.now();
        bill::bill_locked(tx, asked.bill_id).await?;
        let Some(payment) = payment::payment(tx, asked.id).await? else { return Ok(asked) };
        let (event, failure_code) = match answer {
            // Someone else was faster, or it ended meanwhile: what was made now is shown to nobody.
            _ if !payment.status.is_live() || payment.presented_at.is_some() => return Ok(payment),
            Ok(presented) => {
                payment::present_payment(tx, payment.id, &presented, now).await?;
                (PaymentEvent::Presented, None)
            }
            Err(ProviderError::Refused { code }) => {
                tracing::warn!(payment = %payment.id, provider = payment.provider, code, "order refused");
                (PaymentEvent::Refused, Some(code))
            }
            Err(error) => {
                tracing::warn!(payment = %payment.id, provider = payment.provider, %error, "order unanswered");
                (PaymentEvent::Unanswered, None)
            }
        };
        let status = payment.status.after(event);
        payment::move_payment(tx, payment.id, status, failure_code.as_deref(), now).await?;
        Ok(payment::payment(tx, payment.id).await?.unwrap_or(payment))
    }

    /// Sets the timer that asks what became of a payment.
    pub(super) async fn watch(
        &self,
        tx: &mut Tx,
        payment_id: Uuid,
        attempt: u32,
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let again = json!({ "payment_id": payment_id, "attempt": attempt });
        self.outbox.publish(tx, Message::new(topic::WATCH, again).not_before(at)).await.map(|_| ())
    }
}
