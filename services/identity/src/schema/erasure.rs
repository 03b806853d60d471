//! Forgetting a person (การลบข้อมูลส่วนบุคคล), as two officers do it.

use async_graphql::{Context, Enum, InputObject, SimpleObject, Union};
use auth::{Officer, Role};
use chrono::{DateTime, Utc};
use graphql::{
    ConflictProblem, ErasureId, ErrorCode, Failure, NotFoundProblem, Page, PageConnection, PartyId,
    StateProblem,
};

use super::inner;
use crate::model::erasure::{self as model, NotNow};
use crate::store::erasure::{Act, Outcome};

/// The erasure of one citizen's personal data (การลบข้อมูลส่วนบุคคล, PDPA B.E. 2562).
#[derive(SimpleObject)]
pub struct Erasure {
    /// Its id.
    id: ErasureId,
    /// Whose data it is.
    citizen_id: PartyId,
    /// Where it stands.
    status: ErasureStatus,
    /// What stands in its way, as far as the services have answered.
    obstacles: Vec<ErasureObstacle>,
    /// Whether every service has answered since it was last asked.
    answered: bool,
    /// When the first officer proposed it.
    proposed_at: DateTime<Utc>,
    /// When the second officer confirmed it.
    confirmed_at: Option<DateTime<Utc>>,
    /// When the person's key was shredded here; the other services follow within seconds.
    erased_at: Option<DateTime<Utc>>,
}

/// Where an erasure stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum ErasureStatus {
    /// One officer proposed it.
    Proposed,
    /// A second officer agreed. The person's sessions ended; the services are asked a last time.
    Confirmed,
    /// What was personal can be read by nobody any more.
    Erased,
}

/// What stands in the way of an erasure.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum ErasureObstacle {
    /// An application of theirs is not closed.
    OpenApplication,
    /// A bill of theirs is open, a payment under way, or a refund owed.
    UnsettledMoney,
}

/// What is needed to propose an erasure.
#[derive(InputObject)]
pub struct ProposeErasureInput {
    /// Made by the client, the same for each try of the same write; up to 255 characters.
    idempotency_key: String,
    /// Whose data it is: the id in the citizen's own profile, which stands in their request.
    citizen_id: PartyId,
}

/// What is needed to confirm an erasure.
#[derive(InputObject)]
pub struct ConfirmErasureInput {
    /// Made by the client, the same for each try of the same write; up to 255 characters.
    idempotency_key: String,
    /// Which erasure.
    erasure_id: ErasureId,
}

/// How proposing an erasure went.
#[derive(Union)]
pub enum ProposeErasurePayload {
    ErasureProposed(ErasureProposed),
    NotFoundProblem(NotFoundProblem),
    ConflictProblem(ConflictProblem),
}

/// How confirming an erasure went.
#[derive(Union)]
pub enum ConfirmErasurePayload {
    ErasureConfirmed(ErasureConfirmed),
    ErasureObstructedProblem(ErasureObstructedProblem),
    StateProblem(StateProblem),
    NotFoundProblem(NotFoundProblem),
    ConflictProblem(ConflictProblem),
}

/// The erasure is proposed; another officer has to confirm it.
#[derive(SimpleObject)]
pub struct ErasureProposed {
    /// The erasure as it stands now.
    erasure: Erasure,
}

/// The erasure is confirmed, and done as soon as every service has agreed.
#[derive(SimpleObject)]
pub struct ErasureConfirmed {
    /// The erasure as it stands now.
    erasure: Erasure,
}

/// Something stands in the way, and the services are being asked anew: try again when it is gone.
#[derive(SimpleObject)]
pub struct ErasureObstructedProblem {
    /// A stable code of the published catalogue.
    pub code: String,
    /// What happened, for developers.
    pub message: String,
    /// Whether the same request may succeed later, unchanged.
    pub retryable: bool,
    /// What stands in the way; empty while not every service has answered.
    obstacles: Vec<ErasureObstacle>,
}

/// Proposes to forget a citizen.
pub async fn propose(
    ctx: &Context<'_>,
    input: ProposeErasureInput,
) -> Result<ProposeErasurePayload, Failure> {
    let (officer, inner) = (data_protection(ctx)?, inner(ctx));
    let subject = auth::principal(ctx).subject();
    let act = Act { officer_id: officer.officer_id, subject: &subject, key: &input.idempotency_key };
    let citizen = input.citizen_id.uuid();
    let (fresh, now) = (inner.clock.uuid(), inner.clock.now());
    Ok(match inner.store.propose_erasure(&inner.outbox, act, citizen, fresh, now).await? {
        Outcome::Erasure(erasure) => ErasureProposed { erasure: Erasure::from(*erasure) }.into(),
        Outcome::NotFound | Outcome::NotNow(..) => not_found().into(),
        Outcome::Conflict => conflict().into(),
    })
}

/// Confirms it, as another officer.
pub async fn confirm(
    ctx: &Context<'_>,
    input: ConfirmErasureInput,
) -> Result<ConfirmErasurePayload, Failure> {
    let (officer, inner) = (data_protection(ctx)?, inner(ctx));
    let subject = auth::principal(ctx).subject();
    let act = Act { officer_id: officer.officer_id, subject: &subject, key: &input.idempotency_key };
    let id = input.erasure_id.uuid();
    let outcome = inner.store.confirm_erasure(&inner.outbox, act, id, inner.clock.now()).await?;
    Ok(match outcome {
        Outcome::Erasure(erasure) => {
            crate::Service { inner: inner.clone() }.hear_of_ends().await?;
            ErasureConfirmed { erasure: Erasure::from(*erasure) }.into()
        }
        Outcome::NotNow(NotNow::SameOfficer, _) => {
            StateProblem::new("Whoever proposed it cannot confirm it: it takes two officers.").into()
        }
        Outcome::NotNow(NotNow::NotProposed, _) => {
            StateProblem::new("It is confirmed or done already.").into()
        }
        Outcome::NotNow(NotNow::NotAnswered | NotNow::Obstructed, erasure) => ErasureObstructedProblem {
            code: ErrorCode::Conflict.as_str().to_owned(),
            message: "Something stands in the way, or not every service has answered yet.".to_owned(),
            retryable: true,
            obstacles: erasure.obstacles().into_iter().map(ErasureObstacle::from).collect(),
        }
        .into(),
        Outcome::NotFound => not_found().into(),
        Outcome::Conflict => conflict().into(),
    })
}

/// Erasures, newest first.
pub async fn list(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<String>,
) -> Result<PageConnection<Erasure>, Failure> {
    data_protection(ctx)?;
    let page = Page::parse(first, after)?;
    let beyond = page.after.as_ref().map(|after| after.parse()).transpose();
    let beyond = beyond.map_err(|_| Failure::new(ErrorCode::BadUserInput, "`after` is not a cursor."))?;
    let found = inner(ctx).store.erasures(beyond, page.limit()).await?;
    let found = found.into_iter().map(Erasure::from).collect();
    Ok(page.connection(found, |erasure: &Erasure| erasure.id.uuid().to_string()))
}

fn data_protection<'a>(ctx: &Context<'a>) -> Result<&'a Officer, Failure> {
    auth::principal(ctx).require_scope("people:erase")?;
    let officer = auth::officer(ctx)?;
    officer.require_role(Role::DataProtection)?;
    Ok(officer)
}

fn not_found() -> NotFoundProblem {
    NotFoundProblem::new("There is no such thing, or it is not yours.")
}

fn conflict() -> ConflictProblem {
    ConflictProblem::new("The idempotency key was used for something else, or is empty or too long.")
}

impl From<model::Erasure> for Erasure {
    fn from(erasure: model::Erasure) -> Self {
        Self {
            id: erasure.id.into(),
            citizen_id: erasure.citizen_id.into(),
            status: match erasure.status {
                model::Status::Proposed => ErasureStatus::Proposed,
                model::Status::Confirmed => ErasureStatus::Confirmed,
                model::Status::Erased => ErasureStatus::Erased,
            },
            obstacles: erasure.obstacles().into_iter().map(ErasureObstacle::from).collect(),
            answered: erasure.is_answered(),
            proposed_at: erasure.proposed_at,
            confirmed_at: erasure.confirmed_at,
            erased_at: erasure.erased_at,
        }
    }
}

impl From<model::Obstacle> for ErasureObstacle {
    fn from(obstacle: model::Obstacle) -> Self {
        match obstacle {
            model::Obstacle::OpenApplication => Self::OpenApplication,
            model::Obstacle::UnsettledMoney => Self::UnsettledMoney,
        }
    }
}
