//! What subgraphs show of switches, and how an officer who runs this platform moves them.

use async_graphql::{Context, InputObject, SimpleObject, Union};
use auth::Role;
use chrono::{DateTime, Utc};
use graphql::{
    ConflictProblem, ErrorCode, Failure, InvalidInput, LocalizedText, NotFoundProblem, Page, PageConnection,
    cache_control,
};

use crate::{Change, Closures, Kind, Notice, Order, Ordered, Switches, Target};

/// The scope that moving switches and reading their record needs.
const SCOPE: &str = "switches:write";

/// Whether something can be used now (เปิดให้บริการหรือไม่), and what is known of a closure.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(shareable, directive = cache_control::apply(None, None, Some(true)))]
pub struct Availability {
    /// Whether it is open now.
    open: bool,
    /// Why it is closed, or is going to be, for people to read; null when neither.
    text: Option<LocalizedText>,
    /// When the closure began, or is going to begin.
    closes_at: Option<DateTime<Utc>>,
    /// When it opens again; null when that is not known.
    opens_at: Option<DateTime<Utc>>,
}

impl Availability {
    /// How one target stands.
    pub fn of(closures: &Closures, kind: Kind, name: &str) -> Self {
        Self::of_all(closures, &[(kind, name)])
    }

    /// How something stands that needs all of these open.
    pub fn of_all(closures: &Closures, targets: &[(Kind, &str)]) -> Self {
        let closed = closures.of_any(targets);
        let told = closed.or_else(|| closures.planned(targets));
        Self {
            open: closed.is_none(),
            text: told.map(|closure| closure.text.clone()),
            closes_at: told.map(|closure| closure.from),
            opens_at: told.and_then(|closure| closure.until),
        }
    }
}

/// One entry of the record of switches: something was closed or opened, by whom and why.
#[derive(SimpleObject)]
#[graphql(shareable)]
pub struct SwitchChange {
    /// Its number: the first is 1.
    number: i32,
    /// The code of what was closed or opened.
    code: String,
    /// Whether it was closed; otherwise it was opened.
    closed: bool,
    /// What citizens were told.
    text: Option<LocalizedText>,
    /// When the closure begins.
    closes_at: Option<DateTime<Utc>>,
    /// When it opens again by itself; null when that is not known.
    opens_at: Option<DateTime<Utc>>,
    /// Why, for the record.
    reason: String,
    /// Who did it: an officer by an id, or who typed at the command line.
    changed_by: String,
    /// When it was done.
    changed_at: DateTime<Utc>,
}

impl From<Change> for SwitchChange {
    fn from(change: Change) -> Self {
        let closure = change.closure;
        Self {
            number: i32::try_from(change.number).unwrap_or(i32::MAX),
            code: change.target.name,
            closed: closure.is_some(),
            closes_at: closure.as_ref().map(|closure| closure.from),
            opens_at: closure.as_ref().and_then(|closure| closure.until),
            text: closure.map(|closure| closure.text),
            reason: change.reason,
            changed_by: change.changed_by,
            changed_at: change.changed_at,
        }
    }
}

/// A closure, as it is ordered.
#[derive(InputObject)]
pub struct ClosureInput {
    /// What citizens read, in Thai (ภาษาไทย): at most 500 characters.
    text_th: String,
    /// The same in English.
    text_en: String,
    /// Why, for the record: at most 2,000 characters.
    reason: String,
    /// When it begins; at once when left out.
    from: Option<DateTime<Utc>>,
    /// When it opens again by itself; left out when nobody knows yet.
    until: Option<DateTime<Utc>>,
}

/// It was closed or opened, and recorded.
#[derive(SimpleObject)]
#[graphql(shareable)]
pub struct Switched {
    /// The entry in the record.
    change: SwitchChange,
}

/// What came of closing or opening something.
#[derive(Union)]
pub enum SwitchPayload {
    Switched(Switched),
    InvalidInput(InvalidInput),
    NotFoundProblem(NotFoundProblem),
    ConflictProblem(ConflictProblem),
}

/// The officer's id for the record, if they run this platform.
fn operator(ctx: &Context<'_>) -> Result<String, Failure> {
    let officer = auth::officer(ctx)?;
    let principal = auth::principal(ctx);
    principal.require_scope(SCOPE)?;
    officer.require_role(Role::Operator)?;
    Ok(principal.subject())
}

/// Closes a target; none is not found.
pub async fn close(
    ctx: &Context<'_>,
    switches: &Switches,
    target: Option<Target>,
    key: &str,
    closure: ClosureInput,
) -> Result<Option<SwitchPayload>, Failure> {
    let ClosureInput { text_th, text_en, reason, from, until } = closure;
    let notice = Notice { text_th, text_en, from, until };
    give(ctx, switches, target, key, Some(notice), &reason).await
}

/// Opens a target again; none is not found.
pub async fn open(
    ctx: &Context<'_>,
    switches: &Switches,
    target: Option<Target>,
    key: &str,
    reason: &str,
) -> Result<Option<SwitchPayload>, Failure> {
    give(ctx, switches, target, key, None, reason).await
}

async fn give(
    ctx: &Context<'_>,
    switches: &Switches,
    target: Option<Target>,
    key: &str,
    notice: Option<Notice>,
    reason: &str,
) -> Result<Option<SwitchPayload>, Failure> {
    let by = operator(ctx)?;
    let Some(target) = target else {
        let problem = NotFoundProblem::new("There is nothing with this code to close or open.");
        return Ok(Some(SwitchPayload::NotFoundProblem(problem)));
    };
    let ordered = switches.order(&Order { by: &by, key, target, notice, reason }).await?;
    Ok(Some(match ordered {
        Ordered::Done(change) => SwitchPayload::Switched(Switched { change: change.into() }),
        Ordered::Invalid(fields) => {
            SwitchPayload::InvalidInput(InvalidInput::new("Some parts were refused.", fields))
        }
        Ordered::KeyReused => SwitchPayload::ConflictProblem(ConflictProblem::new(
            "The idempotency key was used for something else, or is empty or too long.",
        )),
    }))
}

/// The record of one target, the latest first, for those who run this platform; none is empty.
pub async fn changes(
    ctx: &Context<'_>,
    switches: &Switches,
    target: Target,
    first: Option<i32>,
    after: Option<String>,
) -> Result<PageConnection<SwitchChange>, Failure> {
    operator(ctx)?;
    let page = Page::parse(first, after)?;
    let before = page.after.as_deref().map(str::parse).transpose();
    let before =
        before.map_err(|_| Failure::new(ErrorCode::BadUserInput, "`after` is not a cursor of this list."))?;
    let found = switches.changes(&target, before, page.limit()).await?;
    let found = found.into_iter().map(SwitchChange::from).collect();
    Ok(page.connection(found, |change: &SwitchChange| change.number.to_string()))
}
