//! Each night: what a provider says of the day before is collected, kept, and compared with our books.
//!
//! One chain of timers per provider: each look at a day first sets the timer of the next, so that a day
//! that does not end holds up no other, and a process that was away catches up.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use database::{Error, Tx};
use futures::future::join_all;
use outbox::Message;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::finding::{Found, day_of};
use super::{intent_of, topic};
use crate::Service;
use crate::model::{Evidence, FindingKind, LineKind, StatementLine};
use crate::provider::{Inquiry, PaymentProvider};
use crate::store::payment::{self, Payment};
use crate::store::{finding, refund, settlement, statement};

/// When a day is looked at: this long after midnight in Thailand, in hours. Banks close their day first.
const LOOK_AFTER_H: i64 = 2;
/// The wait before a provider is asked for a day again, in seconds.
const AGAIN_S: i64 = 3_600;
/// Hours after a day's end before people hear that its account is missing. The attempts go on.
const MISSING_AFTER_H: i64 = 72;
/// Payments asked about under one message, and at the same time.
const PAYMENTS_PER_PAGE: i64 = 20;
const ASKED_AT_ONCE: usize = 5;
/// Lines written by one statement: each binds six values.
const LINES_PER_TX: usize = 500;

/// A day of a provider to look at.
#[derive(Debug, Deserialize)]
pub struct DayDue {
    provider: String,
    day: NaiveDate,
    /// Where asking about payments one by one goes on.
    #[serde(default)]
    after: Option<Uuid>,
}

impl Service {
    /// Begins the chains, once: from the day on which a provider is first in use.
    pub(crate) async fn begin_reconciliation(&self) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        for provider in self.providers.all() {
            self.look_at_day(&mut tx, provider.code(), self.clock.today_in_thailand()).await?;
        }
        tx.commit().await
    }

    /// The timer of one day.
    pub(crate) async fn reconcile(&self, message_id: Uuid, due: DayDue) -> Result<(), Error> {
        let Some(provider) = self.providers.with_code(&due.provider) else {
            return self.forget(message_id).await;
        };
        if let Some(next) = due.day.succ_opt() {
            let mut tx = self.database.begin().await?;
            self.look_at_day(&mut tx, &due.provider, next).await?;
            tx.commit().await?;
        }
        let collected = self.collect(provider.as_ref(), &due).await?;
        if matches!(collected, Collected::All) {
            self.compare(&due.provider, due.day, span_of(due.day)).await?;
        }
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        if !outbox::first_time(&mut tx, "payments", message_id, now).await? {
            return tx.commit().await;
        }
        match collected {
            Collected::All => {
                statement::close_day(&mut tx, &due.provider, due.day, now).await?;
                let subject = due.day.to_string();
                finding::heal(&mut tx, FindingKind::StatementMissing, &due.provider, &subject, now).await?;
            }
            Collected::UpTo(after) => {
                let on = json!({ "provider": due.provider, "day": due.day, "after": after });
                self.outbox.publish(&mut tx, Message::new(topic::RECONCILE, on)).await?;
            }
            Collected::Silence => self.look_again(&mut tx, &due, now).await?,
        }
        tx.commit().await
    }

    async fn look_at_day(&self, tx: &mut Tx, provider: &str, day: NaiveDate) -> Result<(), Error> {
        if !statement::insert_day(tx, provider, day).await? {
            return Ok(());
        }
        let look_at = span_of(day).1 + Duration::hours(LOOK_AFTER_H);
        let due = json!({ "provider": provider, "day": day });
        self.outbox.publish(tx, Message::new(topic::RECONCILE, due).not_before(look_at)).await.map(|_| ())
    }

    async fn look_again(&self, tx: &mut Tx, due: &DayDue, now: DateTime<Utc>) -> Result<(), Error> {
        if now > span_of(due.day).1 + Duration::hours(MISSING_AFTER_H) {
            let subject = due.day.to_string();
            let found = Found {
                kind: FindingKind::StatementMissing,
                provider: &due.provider,
                subject: &subject,
                day: due.day,
                bill: None,
                payment: None,
                ours_satang: None,
                theirs_satang: None,
            };
            self.record_finding(tx, found, None).await?;
        }
        let again = json!({ "provider": due.provider, "day": due.day, "after": due.after });
        let again = Message::new(topic::RECONCILE, again).not_before(now + Duration::seconds(AGAIN_S));
        self.outbox.publish(tx, again).await.map(|_| ())
    }

    async fn collect(&self, provider: &dyn PaymentProvider, due: &DayDue) -> Result<Collected, Error> {
        match provider.statement(due.day, self.clock.now()).await {
            Ok(Some(lines)) => {
                self.keep_lines(&due.provider, due.day, &lines).await?;
                Ok(Collected::All)
            }
            Ok(None) => self.ask_one_by_one(provider, due).await,
            Err(error) => {
                tracing::warn!(provider = due.provider, day = %due.day, %error, "no account of the day");
                Ok(Collected::Silence)
            }
        }
    }

    /// A provider without an account of the day is asked about each payment of it.
    async fn ask_one_by_one(&self, provider: &dyn PaymentProvider, due: &DayDue) -> Result<Collected, Error> {
        let (span, after) = (span_of(due.day), due.after.unwrap_or(Uuid::nil()));
        let page =
            payment::payments_to_reconcile(&self.database, &due.provider, span, after, PAYMENTS_PER_PAGE)
                .await?;
        let mut lines = Vec::new();
        for some in page.chunks(ASKED_AT_ONCE) {
            let answers = join_all(some.iter().map(|payment| {
                let intent = intent_of(payment, "");
                async move { self.within(provider.inquire(&intent, self.clock.now())).await }
            }));
            for (payment, answer) in some.iter().zip(answers.await) {
                match answer {
                    Ok(Inquiry::Paid(transfers)) => lines.extend(transfers.into_iter().map(line_of)),
                    Ok(Inquiry::GivenBack(transfer)) => {
                        lines.extend(self.lines_given_back(payment, transfer).await?);
                    }
                    Ok(Inquiry::Pending | Inquiry::Expired | Inquiry::Cancelled | Inquiry::NotFound) => {}
                    Err(error) => {
                        tracing::warn!(provider = due.provider, %error, "reconciliation unanswered");
                        return Ok(Collected::Silence);
                    }
                }
            }
        }
        lines.retain(|line| day_of(line.occurred_at) == due.day);
        self.keep_lines(&due.provider, due.day, &lines).await?;
        let full = i64::try_from(page.len()).is_ok_and(|count| count == PAYMENTS_PER_PAGE);
        Ok(match page.last() {
            Some(last) if full => Collected::UpTo(last.id),
            _ => Collected::All,
        })
    }

    /// Money that came and went, as an account of the day would tell it: where we counted it. Elsewhere
    /// it is not counted now.
    async fn lines_given_back(
        &self,
        payment: &Payment,
        transfer: Evidence,
    ) -> Result<Vec<StatementLine>, Error> {
        let counted = settlement::settlements_of(&self.database, &[payment.id]).await?;
        let counted = counted.iter().find(|counted| counted.provider_txn_id == transfer.provider_txn_id);
        let Some(counted) = counted else { return Ok(Vec::new()) };
        let refunds = refund::refunds_of(&self.database, &[payment.bill_id]).await?;
        let ours = refunds.iter().find(|refund| {
            refund.settlement_id == counted.id && refund.amount_satang == transfer.amount_satang
        });
        let came = line_of(transfer);
        let went = StatementLine {
            kind: LineKind::Refund,
            // One that nobody here ordered goes by the transfer's number.
            line_id: ours.map_or_else(|| came.line_id.clone(), |refund| refund.id.hyphenated().to_string()),
            reference: String::new(),
            ..came.clone()
        };
        Ok(vec![came, went])
    }

    async fn keep_lines(&self, provider: &str, day: NaiveDate, lines: &[StatementLine]) -> Result<(), Error> {
        let now = self.clock.now();
        for some in lines.chunks(LINES_PER_TX) {
            let mut tx = self.database.begin().await?;
            statement::insert_lines(&mut tx, provider, day, some, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// How far collecting came.
enum Collected {
    All,
    /// Up to this payment; there are more.
    UpTo(Uuid),
    /// The provider did not answer.
    Silence,
}

/// What an inquiry tells, as a line of an account.
fn line_of(evidence: Evidence) -> StatementLine {
    StatementLine {
        kind: LineKind::Payment,
        line_id: evidence.provider_txn_id.clone(),
        provider_txn_id: evidence.provider_txn_id,
        reference: evidence.reference,
        amount_satang: evidence.amount_satang,
        occurred_at: evidence.occurred_at,
    }
}

/// A day in Thailand: its first instant, and the next day's.
fn span_of(day: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    let midnight = day.and_time(NaiveTime::MIN).and_utc();
    let begins_at = midnight - Duration::seconds(i64::from(clock::thailand().local_minus_utc()));
    (begins_at, begins_at + Duration::days(1))
}
