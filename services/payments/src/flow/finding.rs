//! Writing down where our books and a provider's differ, for people to look at.

use chrono::{DateTime, NaiveDate, Utc};
use database::{Error, Tx};

use crate::Service;
use crate::model::{Evidence, FindingKind, FindingResolution, FindingStatus};
use crate::store::bill::Bill;
use crate::store::finding::{self, Finding};
use crate::store::payment::Payment;
use crate::store::settlement::{self, Settlement};

/// What was found.
pub(super) struct Found<'a> {
    pub kind: FindingKind,
    pub provider: &'a str,
    /// Names what it is about: the same thing is found once.
    pub subject: &'a str,
    pub day: NaiveDate,
    pub bill: Option<&'a Bill>,
    pub payment: Option<&'a Payment>,
    pub ours_satang: Option<i64>,
    pub theirs_satang: Option<i64>,
}

impl Service {
    /// Records a finding, once; one with a resolution needs nobody any more.
    pub(super) async fn record_finding(
        &self,
        tx: &mut Tx,
        found: Found<'_>,
        resolution: Option<FindingResolution>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let finding = Finding {
            id: self.clock.uuid(),
            kind: found.kind,
            provider: found.provider.to_owned(),
            subject: found.subject.to_owned(),
            day: found.day,
            agency_code: found.bill.map(|bill| bill.agency_code.clone()),
            bill_id: found.bill.map(|bill| bill.id),
            payment_id: found.payment.map(|payment| payment.id),
            ours_satang: found.ours_satang,
            theirs_satang: found.theirs_satang,
            status: if resolution.is_some() { FindingStatus::Settled } else { FindingStatus::Open },
            resolution,
            found_at: now,
            settled_at: resolution.map(|_| now),
        };
        if finding::insert_finding(tx, &finding).await? {
            metrics::counter!("payments_finding_total", "kind" => found.kind.code()).increment(1);
            if resolution.is_none() {
                tracing::error!(
                    kind = found.kind.code(),
                    provider = found.provider,
                    "our books and a provider's differ"
                );
            }
        }
        Ok(())
    }

    /// A transfer that is known already is told of again: with the same amount for the same payment it
    /// changes nothing, otherwise people have to look.
    pub(super) async fn compare_with_known(
        &self,
        tx: &mut Tx,
        bill: &Bill,
        payment: &Payment,
        told: &Evidence,
    ) -> Result<(), Error> {
        let (provider, id) = (&payment.provider, &told.provider_txn_id);
        let Some(known) = settlement::settlement_of_transfer(tx, provider, id).await? else { return Ok(()) };
        if known.amount_satang == told.amount_satang && known.payment_id == payment.id {
            return Ok(());
        }
        let found = Found {
            kind: FindingKind::AmountDiff,
            provider,
            subject: id,
            day: day_of(told.occurred_at),
            bill: Some(bill),
            payment: Some(payment),
            ours_satang: Some(known.amount_satang),
            theirs_satang: Some(told.amount_satang),
        };
        self.record_finding(tx, found, None).await
    }
}

/// The finding about a settlement, without what the provider says of it.
pub(super) fn about_settlement<'a>(
    kind: FindingKind,
    settlement: &'a Settlement,
    bill: Option<&'a Bill>,
    payment: Option<&'a Payment>,
) -> Found<'a> {
    Found {
        kind,
        provider: &settlement.provider,
        subject: &settlement.provider_txn_id,
        day: day_of(settlement.occurred_at),
        bill,
        payment,
        ours_satang: Some(settlement.amount_satang),
        theirs_satang: None,
    }
}

/// The day in Thailand.
pub(super) fn day_of(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&clock::thailand()).date_naive()
}
