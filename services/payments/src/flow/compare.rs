//! A provider's account of a day against our books. Safe to do again: money is counted once, and the same
//! difference is found once.

use chrono::{DateTime, NaiveDate, Utc};
use database::Error;
use uuid::Uuid;

use super::finding::{Found, about_settlement};
use crate::Service;
use crate::model::{
    Account, Evidence, FindingKind, FindingResolution, RefundEvent, RefundStatus, StatementLine, Trust,
};
use crate::store::bill::{self, Bill};
use crate::store::payment::{self, Payment};
use crate::store::settlement::{self, Settlement};
use crate::store::{finding, refund, statement};

type Span = (DateTime<Utc>, DateTime<Utc>);

impl Service {
    /// Compares a day whose account is collected.
    pub(super) async fn compare(&self, provider: &str, day: NaiveDate, span: Span) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        finding::heal_told(&mut tx, provider, self.clock.now()).await?;
        tx.commit().await?;
        self.take_in_unknown_money(provider, day).await?;
        self.find_other_amounts(provider, day).await?;
        self.find_money_untold(provider, span).await?;
        self.take_in_refunds(provider, day).await?;
        self.find_refunds_untold(provider, day, span).await
    }

    /// Money that we had not heard of is counted now; money of no payment of ours is for people.
    async fn take_in_unknown_money(&self, provider: &str, day: NaiveDate) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let lines = statement::lines_without_settlement(&self.database, provider, day, &after).await?;
            let Some(last) = lines.last() else { return Ok(()) };
            after.clone_from(&last.line_id);
            for line in &lines {
                self.take_in_line(provider, day, line).await?;
            }
        }
    }

    async fn take_in_line(&self, provider: &str, day: NaiveDate, line: &StatementLine) -> Result<(), Error> {
        let known = payment::payment_by_reference(&self.database, provider, &line.reference).await?;
        let mut tx = self.database.begin().await?;
        let mut bill = match &known {
            Some(payment) => bill::bill_locked(&mut tx, payment.bill_id).await?,
            None => None,
        };
        let mut resolution = None;
        if let (Some(payment), Some(bill)) = (&known, &mut bill) {
            // Asked for by us, over the provider's own door.
            let evidence = Evidence {
                trust: Trust::Inquired,
                provider_txn_id: line.provider_txn_id.clone(),
                reference: line.reference.clone(),
                amount_satang: line.amount_satang,
                occurred_at: line.occurred_at,
            };
            self.settle(&mut tx, bill, payment.id, &evidence).await?;
            resolution = Some(FindingResolution::Healed);
        }
        let found = Found {
            kind: FindingKind::MissingUs,
            provider,
            subject: &line.line_id,
            day,
            bill: bill.as_ref(),
            payment: known.as_ref(),
            ours_satang: None,
            theirs_satang: Some(line.amount_satang),
        };
        self.record_finding(&mut tx, found, resolution).await?;
        tx.commit().await
    }

    async fn find_other_amounts(&self, provider: &str, day: NaiveDate) -> Result<(), Error> {
        let mut after = Uuid::nil();
        loop {
            let differing =
                statement::settlements_told_otherwise(&self.database, provider, day, after).await?;
            let Some((last, _)) = differing.last() else { return Ok(()) };
            after = last.id;
            for (settlement, told_satang) in &differing {
                let (bill, payment) = self.origin_of(settlement).await?;
                let found = Found {
                    theirs_satang: Some(*told_satang),
                    ..about_settlement(FindingKind::AmountDiff, settlement, bill.as_ref(), payment.as_ref())
                };
                let mut tx = self.database.begin().await?;
                self.record_finding(&mut tx, found, None).await?;
                tx.commit().await?;
            }
        }
    }

    async fn find_money_untold(&self, provider: &str, span: Span) -> Result<(), Error> {
        let mut after = Uuid::nil();
        loop {
            let untold = statement::settlements_without_line(&self.database, provider, span, after).await?;
            let Some(last) = untold.last() else { return Ok(()) };
            after = last.id;
            for settlement in &untold {
                let (bill, payment) = self.origin_of(settlement).await?;
                let found =
                    about_settlement(FindingKind::MissingBank, settlement, bill.as_ref(), payment.as_ref());
                let mut tx = self.database.begin().await?;
                self.record_finding(&mut tx, found, None).await?;
                tx.commit().await?;
            }
        }
    }

    async fn take_in_refunds(&self, provider: &str, day: NaiveDate) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let lines = statement::refund_lines(&self.database, provider, day, &after).await?;
            let Some(last) = lines.last() else { return Ok(()) };
            after.clone_from(&last.line_id);
            for line in &lines {
                self.take_in_refund(provider, day, line).await?;
            }
        }
    }

    /// A refund that the provider made: one that we still waited for ends here.
    async fn take_in_refund(
        &self,
        provider: &str,
        day: NaiveDate,
        line: &StatementLine,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let known = match Uuid::try_parse(&line.line_id) {
            Ok(id) => refund::refund_locked(&mut tx, id).await?,
            Err(_) => None,
        };
        let transfer = settlement::settlement_of_transfer(&mut tx, provider, &line.provider_txn_id).await?;
        let bill = match &transfer {
            Some(settlement) => bill::bill_locked(&mut tx, settlement.bill_id).await?,
            None => None,
        };
        let mut found = Found {
            kind: FindingKind::RefundMissingUs,
            provider,
            subject: &line.line_id,
            day,
            bill: bill.as_ref(),
            payment: None,
            ours_satang: known.as_ref().map(|refund| refund.amount_satang),
            theirs_satang: Some(line.amount_satang),
        };
        let same = |refund: &&refund::Refund| {
            refund.amount_satang == line.amount_satang
                && transfer.as_ref().is_some_and(|settlement| settlement.id == refund.settlement_id)
        };
        let (Some(refund), Some(settlement)) = (known.as_ref().filter(same), &transfer) else {
            self.record_finding(&mut tx, found, None).await?;
            return tx.commit().await;
        };
        match refund.status {
            RefundStatus::Refunded => {
                if refund::paid_by_transfer(&mut tx, refund.id).await? {
                    found.kind = FindingKind::RefundTwice;
                    self.record_finding(&mut tx, found, None).await?;
                }
            }
            RefundStatus::Failed => self.record_finding(&mut tx, found, None).await?,
            RefundStatus::Created | RefundStatus::Submitted | RefundStatus::Manual => {
                let status = refund.status.after(RefundEvent::Done);
                refund::move_refund(&mut tx, refund.id, status, None, now).await?;
                let paid_from = Account::Clearing { provider: provider.to_owned() };
                self.record_refunded(&mut tx, refund, settlement, paid_from).await?;
                self.record_finding(&mut tx, found, Some(FindingResolution::Healed)).await?;
            }
        }
        tx.commit().await
    }

    async fn find_refunds_untold(&self, provider: &str, day: NaiveDate, span: Span) -> Result<(), Error> {
        let tells_refunds =
            self.providers.with_code(provider).is_some_and(|provider| provider.tells_refunds());
        if !tells_refunds {
            return Ok(());
        }
        let mut after = Uuid::nil();
        loop {
            let untold = statement::refunds_without_line(&self.database, provider, span, after).await?;
            let Some(last) = untold.last() else { return Ok(()) };
            after = *last;
            for id in untold {
                let mut tx = self.database.begin().await?;
                let Some(refund) = refund::refund(&mut tx, id).await? else { continue };
                let bill = bill::bill_locked(&mut tx, refund.bill_id).await?;
                let found = Found {
                    kind: FindingKind::RefundMissingBank,
                    provider,
                    subject: &id.hyphenated().to_string(),
                    day,
                    bill: bill.as_ref(),
                    payment: None,
                    ours_satang: Some(refund.amount_satang),
                    theirs_satang: None,
                };
                self.record_finding(&mut tx, found, None).await?;
                tx.commit().await?;
            }
        }
    }

    async fn origin_of(&self, settlement: &Settlement) -> Result<(Option<Bill>, Option<Payment>), Error> {
        let mut database = self.database.clone();
        let bill = bill::bill(&mut database, settlement.bill_id).await?;
        Ok((bill, payment::payment(&mut database, settlement.payment_id).await?))
    }
}
