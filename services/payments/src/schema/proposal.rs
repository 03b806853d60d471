//! What officers do with money by hand, as the schema shows it: one proposes, another confirms.

use async_graphql::{Context, InputObject, Object, SimpleObject, Union};
use auth::{Officer, Principal, Role};
use chrono::{DateTime, Utc};
use graphql::{
    ConflictProblem, ErrorCode, Failure, FindingId, NotFoundProblem, ProposalId, RefundId, StateProblem,
};
use uuid::Uuid;

use crate::Service;
use crate::flow::{Hand, Handled};
use crate::loader::{Loads, ProposalsAbout};
use crate::model::{FindingResolution, ProposalStatus, RefundCompletion};
use crate::store::proposal;

/// The longest number of a transfer or document, in characters.
const REFERENCE_CHARS_MAX: usize = 64;

/// What an officer proposed to do with money by hand. It is kept, with who proposed and who decided.
#[derive(SimpleObject)]
pub struct Proposal {
    /// The proposal's id.
    id: ProposalId,
    /// What is proposed: a `RefundCompletion` or a `FindingResolution`.
    action: String,
    /// The number of the transfer or document that proves it.
    reference: String,
    /// Where it stands.
    status: ProposalStatus,
    /// The officer who proposed it, by an id.
    proposed_by: String,
    /// When.
    proposed_at: DateTime<Utc>,
    /// The officer who decided it.
    decided_by: Option<String>,
    /// When.
    decided_at: Option<DateTime<Utc>>,
}

impl From<proposal::Proposal> for Proposal {
    fn from(row: proposal::Proposal) -> Self {
        Self {
            id: row.id.into(),
            action: row.action,
            reference: row.reference,
            status: row.status,
            proposed_by: row.proposed_by,
            proposed_at: row.proposed_at,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
        }
    }
}

/// How a refund was brought to its end by hand.
#[derive(InputObject)]
pub struct ProposeRefundCompletionInput {
    /// Made by the client, anew for each intention; sent again, it gives the same proposal.
    idempotency_key: String,
    /// The refund: one that is `MANUAL`.
    refund_id: RefundId,
    /// How it ended.
    completion: RefundCompletion,
    /// The number of the transfer or document that proves it: letters, digits and `-_/.`, no names.
    reference: String,
}

/// How a finding ends.
#[derive(InputObject)]
pub struct ProposeFindingResolutionInput {
    /// Made by the client, anew for each intention; sent again, it gives the same proposal.
    idempotency_key: String,
    /// The finding: one that is `OPEN`.
    finding_id: FindingId,
    /// How it ends.
    resolution: FindingResolution,
    /// The number of the transfer or document that proves it: letters, digits and `-_/.`, no names.
    reference: String,
}

/// What a second person says to a proposal.
#[derive(InputObject)]
pub struct DecideProposalInput {
    /// Made by the client, anew for each intention; sent again, it gives the same decision.
    idempotency_key: String,
    /// The proposal.
    proposal_id: ProposalId,
    /// True confirms it, which only another person can; false turns it down.
    confirm: bool,
}

/// The proposal stands, or was decided.
#[derive(SimpleObject)]
pub struct ProposalRecorded {
    /// The proposal as it stands now.
    proposal: Proposal,
}

/// What became of proposing or deciding.
#[derive(Union)]
pub enum ProposalPayload {
    Recorded(ProposalRecorded),
    NotFound(NotFoundProblem),
    Conflict(ConflictProblem),
    State(StateProblem),
}

impl From<Handled> for ProposalPayload {
    fn from(handled: Handled) -> Self {
        match handled {
            Handled::Proposal(row) => Self::Recorded(ProposalRecorded { proposal: (*row).into() }),
            Handled::NotFound => Self::NotFound(NotFoundProblem::new("There is no such thing.")),
            Handled::Conflict => Self::Conflict(ConflictProblem::new(
                "The idempotency key is not valid, or was used for another input.",
            )),
            Handled::State(reason) => Self::State(StateProblem::new(reason)),
        }
    }
}

/// Work on the books by hand.
#[derive(Default)]
pub struct ProposalMutation;

#[Object]
impl ProposalMutation {
    /// Proposes how a refund that no provider makes was brought to its end. Another officer confirms it.
    #[graphql(requires_scopes = "books:write")]
    async fn propose_refund_completion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which refund, and how it ended.")] input: ProposeRefundCompletionInput,
    ) -> Result<Option<ProposalPayload>, Failure> {
        let (officer, subject) = officer(ctx, Role::Reviewer)?;
        let reference = checked_reference(&input.reference)?;
        let hand = hand(officer, &subject, &input.idempotency_key);
        let service = ctx.data_unchecked::<Service>();
        let id = input.refund_id.uuid();
        Ok(Some(service.propose_refund_completion(hand, id, input.completion, reference).await?.into()))
    }

    /// Proposes how a difference between our books and a provider's ends. Another officer confirms it.
    #[graphql(requires_scopes = "books:write")]
    async fn propose_finding_resolution(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which finding, and how it ends.")] input: ProposeFindingResolutionInput,
    ) -> Result<Option<ProposalPayload>, Failure> {
        let (officer, subject) = officer(ctx, Role::Reviewer)?;
        let reference = checked_reference(&input.reference)?;
        let hand = hand(officer, &subject, &input.idempotency_key);
        let service = ctx.data_unchecked::<Service>();
        let id = input.finding_id.uuid();
        Ok(Some(service.propose_finding_resolution(hand, id, input.resolution, reference).await?.into()))
    }

    /// Confirms a proposal, which does it, or turns it down.
    #[graphql(requires_scopes = "books:write")]
    async fn decide_proposal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which proposal, and whether it is confirmed.")] input: DecideProposalInput,
    ) -> Result<Option<ProposalPayload>, Failure> {
        let (officer, subject) = officer(ctx, Role::Approver)?;
        let hand = hand(officer, &subject, &input.idempotency_key);
        let service = ctx.data_unchecked::<Service>();
        Ok(Some(service.decide_proposal(hand, input.proposal_id.uuid(), input.confirm).await?.into()))
    }
}

/// The proposals about a refund or a finding.
pub(super) async fn proposals_about(ctx: &Context<'_>, id: Uuid) -> Result<Vec<Proposal>, Failure> {
    auth::principal(ctx).require_scope("books:read")?;
    let found = ctx.data_unchecked::<Loads>().load_one(ProposalsAbout(id)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Proposal::from).collect())
}

/// The officer who works on the books, in the role it needs; approvers may do what reviewers do.
fn officer<'a>(ctx: &'a Context<'_>, role: Role) -> Result<(&'a Officer, String), Failure> {
    let principal = auth::principal(ctx);
    principal.require_scope("books:write")?;
    let Principal::Officer(officer) = principal else {
        return Err(Failure::new(ErrorCode::Forbidden, "This is for officers."));
    };
    officer.require_role(role).or_else(|_| officer.require_role(Role::Approver))?;
    Ok((officer, principal.subject()))
}

fn hand<'a>(officer: &'a Officer, subject: &'a str, idempotency_key: &'a str) -> Hand<'a> {
    Hand { subject, agency_code: &officer.agency, idempotency_key }
}

fn checked_reference(reference: &str) -> Result<&str, Failure> {
    let fits = (1..=REFERENCE_CHARS_MAX).contains(&reference.chars().count())
        && reference.chars().all(|c| c.is_ascii_alphanumeric() || "-_/.".contains(c));
    let refusal = || Failure::new(ErrorCode::BadUserInput, "`reference` is 1 to 64 letters, digits and -_/.");
    fits.then_some(reference).ok_or_else(refusal)
}
