//! What officers do with money by hand: one proposes, another confirms, and both are kept.

use database::{Error, Tx};
use idempotency::{Begin, Key};
use serde_json::json;
use uuid::Uuid;

use super::settle::Posting;
use crate::Service;
use crate::model::{
    Account, FindingKind, FindingResolution, FindingStatus, PaymentEvent, ProposalStatus, RefundCompletion,
    RefundEvent, SubjectKind, TransferKind,
};
use crate::store::bill::{self, Reader};
use crate::store::finding::{self, Desk};
use crate::store::proposal::{self, Proposal};
use crate::store::{payment, refund, settlement};

/// Which officer does what, under which key.
#[derive(Clone, Copy, Debug)]
pub struct Hand<'a> {
    /// The officer, as the audit and the idempotency key name them.
    pub subject: &'a str,
    pub agency_code: &'a str,
    pub idempotency_key: &'a str,
}

/// What became of it.
#[derive(Debug)]
pub enum Handled {
    Proposal(Box<Proposal>),
    /// No such thing, or another agency's.
    NotFound,
    Conflict,
    /// It cannot be done now, for this reason.
    State(&'static str),
}

impl Service {
    /// Proposes how a refund that no provider makes was brought to its end.
    pub(crate) async fn propose_refund_completion(
        &self,
        hand: Hand<'_>,
        refund_id: Uuid,
        completion: RefundCompletion,
        reference: &str,
    ) -> Result<Handled, Error> {
        let mut tx = self.database.begin().await?;
        let input = (refund_id, completion.code(), reference);
        let key = match self.begin_by_hand(&mut tx, hand, "proposeRefundCompletion", &input).await? {
            Ok(key) => key,
            Err(handled) => return Ok(handled),
        };
        let reader = Reader::Agency(hand.agency_code.to_owned());
        if refund::refund_for(&mut tx, refund_id, &reader).await?.is_none() {
            return Ok(Handled::NotFound);
        }
        let Some(refund) = refund::refund_locked(&mut tx, refund_id).await? else {
            return Ok(Handled::NotFound);
        };
        if !completion.is_open_to(refund.status, refund.reason) {
            return Ok(Handled::State("This refund cannot be completed this way by hand."));
        }
        let subject = (SubjectKind::Refund, refund_id);
        self.propose(tx, hand, &key, subject, (completion.code(), reference)).await
    }

    /// Proposes how a finding ends.
    pub(crate) async fn propose_finding_resolution(
        &self,
        hand: Hand<'_>,
        finding_id: Uuid,
        resolution: FindingResolution,
        reference: &str,
    ) -> Result<Handled, Error> {
        let mut tx = self.database.begin().await?;
        let input = (finding_id, resolution.code(), reference);
        let key = match self.begin_by_hand(&mut tx, hand, "proposeFindingResolution", &input).await? {
            Ok(key) => key,
            Err(handled) => return Ok(handled),
        };
        let desk = self.desk_of(hand.agency_code);
        let Some(finding) = finding::finding_locked(&mut tx, finding_id, &desk).await? else {
            return Ok(Handled::NotFound);
        };
        if finding.status != FindingStatus::Open || !resolution.is_open_to(finding.kind) {
            return Ok(Handled::State("This finding cannot end this way."));
        }
        let subject = (SubjectKind::Finding, finding_id);
        self.propose(tx, hand, &key, subject, (resolution.code(), reference)).await
    }

    /// Decides a proposal: done when a second person confirms it, dropped when anyone turns it down.
    pub(crate) async fn decide_proposal(
        &self,
        hand: Hand<'_>,
        proposal_id: Uuid,
        confirm: bool,
    ) -> Result<Handled, Error> {
        let mut tx = self.database.begin().await?;
        let key = match self.begin_by_hand(&mut tx, hand, "decideProposal", &(proposal_id, confirm)).await? {
            Ok(key) => key,
            Err(handled) => return Ok(handled),
        };
        let found = proposal::proposal_locked(&mut tx, proposal_id, hand.agency_code).await?;
        let Some(found) = found else { return Ok(Handled::NotFound) };
        if found.status != ProposalStatus::Open {
            return Ok(Handled::State("This proposal is decided."));
        }
        if confirm && found.proposed_by == hand.subject {
            return Ok(Handled::State("Another person has to confirm it."));
        }
        if confirm && let Some(reason) = self.carry_out(&mut tx, &found).await? {
            return Ok(Handled::State(reason));
        }
        let status = if confirm { ProposalStatus::Confirmed } else { ProposalStatus::Rejected };
        proposal::decide_proposal(&mut tx, found.id, status, hand.subject, self.clock.now()).await?;
        self.end_by_hand(tx, hand, &key, found.id).await
    }

    /// The desk of an agency's officers.
    pub(crate) fn desk_of(&self, agency_code: &str) -> Desk {
        let operator = agency_code == self.config.operator_agency;
        Desk { agency_code: agency_code.to_owned(), operator }
    }

    /// Does what was confirmed; a reason when it cannot be done any more.
    async fn carry_out(&self, tx: &mut Tx, proposal: &Proposal) -> Result<Option<&'static str>, Error> {
        match proposal.subject_kind {
            SubjectKind::Refund => self.complete_refund(tx, proposal).await,
            SubjectKind::Finding => self.resolve_finding(tx, proposal).await,
        }
    }

    async fn complete_refund(&self, tx: &mut Tx, proposal: &Proposal) -> Result<Option<&'static str>, Error> {
        const GONE: Option<&str> = Some("This refund has ended meanwhile.");
        let now = self.clock.now();
        let Some(refund) = refund::refund_locked(tx, proposal.subject_id).await? else { return Ok(GONE) };
        let completion = RefundCompletion::parse(&proposal.action)
            .filter(|completion| completion.is_open_to(refund.status, refund.reason));
        let settlement = settlement::settlement_in(tx, refund.settlement_id).await?;
        let (Some(completion), Some(settlement)) = (completion, settlement) else { return Ok(GONE) };
        let agency_code = proposal.agency_code.clone();
        let paid_from = match completion {
            RefundCompletion::PaidByTransfer => Account::ByHand { agency_code },
            RefundCompletion::PaidAtProvider => Account::Clearing { provider: settlement.provider.clone() },
            RefundCompletion::NotOwed => {
                let status = refund.status.after(RefundEvent::NotOwed);
                refund::move_refund(tx, refund.id, status, None, now).await?;
                let posting = Posting {
                    settlement: &settlement,
                    refund_id: Some(refund.id),
                    kind: TransferKind::RefundNotOwed,
                    debit: Account::Refundable,
                    credit: Account::Payable { agency_code },
                    amount_satang: refund.amount_satang,
                };
                self.post(tx, posting).await?;
                return Ok(None);
            }
        };
        let status = refund.status.after(RefundEvent::Done);
        refund::move_refund(tx, refund.id, status, None, now).await?;
        self.record_refunded(tx, &refund, &settlement, paid_from).await?;
        Ok(None)
    }

    async fn resolve_finding(&self, tx: &mut Tx, proposal: &Proposal) -> Result<Option<&'static str>, Error> {
        const GONE: Option<&str> = Some("This finding has ended meanwhile.");
        let now = self.clock.now();
        let desk = self.desk_of(&proposal.agency_code);
        let found = finding::finding_locked(tx, proposal.subject_id, &desk).await?;
        let Some(found) = found.filter(|found| found.status == FindingStatus::Open) else { return Ok(GONE) };
        let resolution =
            FindingResolution::parse(&proposal.action).filter(|resolution| resolution.is_open_to(found.kind));
        let Some(resolution) = resolution else { return Ok(GONE) };
        if found.kind == FindingKind::PaymentUnresolved
            && let Some(bill_id) = found.bill_id
            && let Some(payment_id) = found.payment_id
        {
            bill::bill_locked(tx, bill_id).await?;
            let payment = payment::payment(tx, payment_id).await?;
            let Some(payment) = payment.filter(|payment| payment.status.is_live()) else { return Ok(GONE) };
            let status = payment.status.after(PaymentEvent::TimeOver);
            payment::move_payment(tx, payment_id, status, None, now).await?;
        }
        finding::settle_finding(tx, found.id, resolution, now).await?;
        Ok(None)
    }

    async fn propose(
        &self,
        mut tx: Tx,
        hand: Hand<'_>,
        key: &Key<'_>,
        (subject_kind, subject_id): (SubjectKind, Uuid),
        (action, reference): (&str, &str),
    ) -> Result<Handled, Error> {
        let made = Proposal {
            id: self.clock.uuid(),
            subject_kind,
            subject_id,
            agency_code: hand.agency_code.to_owned(),
            action: action.to_owned(),
            reference: reference.to_owned(),
            status: ProposalStatus::Open,
            proposed_by: hand.subject.to_owned(),
            proposed_at: self.clock.now(),
            decided_by: None,
            decided_at: None,
        };
        if !proposal::insert_proposal(&mut tx, &made).await? {
            return Ok(Handled::State("There is an open proposal already: decide it first."));
        }
        self.end_by_hand(tx, hand, key, made.id).await
    }

    async fn begin_by_hand<'a>(
        &self,
        tx: &mut Tx,
        hand: Hand<'a>,
        operation: &'static str,
        input: &impl serde::Serialize,
    ) -> Result<Result<Key<'a>, Handled>, Error> {
        let key = Key { subject: hand.subject, operation, key: hand.idempotency_key };
        Ok(match idempotency::begin(tx, &key, input, self.clock.now()).await? {
            Begin::First => Ok(key),
            Begin::Conflict => Err(Handled::Conflict),
            Begin::Replay(made) => {
                let id = made["proposal_id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(Uuid::nil());
                // An officer who changed agencies does not see it any more.
                let found = proposal::proposal(tx, id, hand.agency_code).await?;
                Err(found.map_or(Handled::NotFound, |found| Handled::Proposal(Box::new(found))))
            }
        })
    }

    async fn end_by_hand(
        &self,
        mut tx: Tx,
        hand: Hand<'_>,
        key: &Key<'_>,
        proposal_id: Uuid,
    ) -> Result<Handled, Error> {
        idempotency::complete(&mut tx, key, json!({ "proposal_id": proposal_id })).await?;
        let found = proposal::proposal(&mut tx, proposal_id, hand.agency_code).await?;
        tx.commit().await?;
        Ok(found.map_or(Handled::NotFound, |found| Handled::Proposal(Box::new(found))))
    }
}
