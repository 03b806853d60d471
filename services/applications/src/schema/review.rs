//! The officer's moves: take, ask once for documents, approve, reject.

use async_graphql::{Context, InputObject, Object};
use auth::{Officer, Role};
use graphql::{ApplicationId, ConflictProblem, Date, Failure, InvalidInput, NotFoundProblem, StateProblem};

use super::application::Application;
use super::problem::payload;
use super::service;
use crate::model::answers::fault;
use crate::store::Refusal;
use crate::store::event::{RequestedDocument, Words};
use crate::store::review::Review;

/// The longest message or reason, in characters.
const WORDS_CHARS_MAX: usize = 4_000;
/// Documents asked for at once.
const ITEMS_MAX: usize = 50;

/// Which case to take.
#[derive(InputObject)]
pub struct TakeApplicationInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
}

payload! {
    /// The case is the officer's.
    ApplicationTaken {
        /// The application.
        application: Application
    }
    /// What came of `takeApplication`.
    TakeApplicationPayload = StateProblem | NotFoundProblem | ConflictProblem
}

/// What to ask the applicant for.
#[derive(InputObject)]
pub struct RequestMoreDocumentsInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
    /// The documents that are missing or wrong, at most 50.
    items: Vec<RequestedDocumentInput>,
    /// A message to the applicant, at most 4,000 characters.
    message: Option<String>,
    /// The last day for the documents: a working day. When left out, as many working days as the legal
    /// rules give. What has not come by its close is given back, and the application is closed.
    due_on: Option<Date>,
}

/// A document to ask for.
#[derive(InputObject)]
pub struct RequestedDocumentInput {
    /// Its code among the service's evidence.
    evidence_code: String,
    /// What is missing or wrong.
    message: Option<String>,
}

payload! {
    /// The applicant was asked; it is the applicant's turn.
    DocumentsRequested {
        /// The application.
        application: Application
    }
    /// What came of `requestMoreDocuments`.
    RequestMoreDocumentsPayload = InvalidInput | StateProblem | NotFoundProblem | ConflictProblem
}

/// Why a case takes longer.
#[derive(InputObject)]
pub struct ExplainDelayInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
    /// Why, for the applicant to read; at most 4,000 characters.
    reason: String,
}

payload! {
    /// The reason is on the timeline, and goes with each notice of lateness from here on.
    DelayExplained {
        /// The application.
        application: Application
    }
    /// What came of `explainDelay`.
    ExplainDelayPayload = InvalidInput | StateProblem | NotFoundProblem | ConflictProblem
}

/// Which case to approve.
#[derive(InputObject)]
pub struct ApproveApplicationInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
    /// Why, for the applicant to read; at most 4,000 characters.
    reason: Option<String>,
}

payload! {
    /// It was approved.
    ApplicationApproved {
        /// The application.
        application: Application
    }
    /// What came of `approveApplication`.
    ApproveApplicationPayload = InvalidInput | StateProblem | NotFoundProblem | ConflictProblem
}

/// Which case to reject, and why.
#[derive(InputObject)]
pub struct RejectApplicationInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
    /// Why, for the applicant to read; at most 4,000 characters.
    reason: String,
}

payload! {
    /// It was rejected.
    ApplicationRejected {
        /// The application.
        application: Application
    }
    /// What came of `rejectApplication`.
    RejectApplicationPayload = InvalidInput | StateProblem | NotFoundProblem | ConflictProblem
}

/// The officer's writes.
#[derive(Default)]
pub struct ReviewMutation;

#[Object]
impl ReviewMutation {
    /// Takes a case of the officer's agency (รับเรื่อง).
    #[graphql(requires_scopes = "cases:write")]
    async fn take_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which case.")] input: TakeApplicationInput,
    ) -> Result<Option<TakeApplicationPayload>, Failure> {
        let officer = reviewer(ctx)?;
        let (key, id) = (&input.idempotency_key, input.application_id.uuid());
        TakeApplicationPayload::answer(service(ctx).store.review(officer, key, id, &Review::Take).await)
    }

    /// Asks the applicant for documents. The law lets an agency ask once: a second request is refused.
    /// The legal time stands still until they come.
    #[graphql(requires_scopes = "cases:write")]
    async fn request_more_documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which case, and what for.")] input: RequestMoreDocumentsInput,
    ) -> Result<Option<RequestMoreDocumentsPayload>, Failure> {
        let officer = reviewer(ctx)?;
        let (key, id) = (&input.idempotency_key, input.application_id.uuid());
        let asked = async {
            let words = request(input.items, input.message)?;
            let review = Review::RequestDocuments { words, due_on: input.due_on.map(|day| day.0) };
            service(ctx).store.review(officer, key, id, &review).await
        };
        RequestMoreDocumentsPayload::answer(asked.await)
    }

    /// Says why a case takes longer (เหตุแห่งความล่าช้า): each notice of lateness has to carry a reason
    /// (Licensing Facilitation Act B.E. 2558, section 10).
    #[graphql(requires_scopes = "cases:write")]
    async fn explain_delay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which case, and why.")] input: ExplainDelayInput,
    ) -> Result<Option<ExplainDelayPayload>, Failure> {
        let officer = reviewer(ctx)?;
        let (key, id) = (&input.idempotency_key, input.application_id.uuid());
        let explained = async {
            let reason = words("/reason", &input.reason)?;
            service(ctx).store.review(officer, key, id, &Review::ExplainDelay { reason }).await
        };
        ExplainDelayPayload::answer(explained.await)
    }

    /// Approves a case that was taken (อนุมัติ).
    #[graphql(requires_scopes = "cases:write")]
    async fn approve_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which case.")] input: ApproveApplicationInput,
    ) -> Result<Option<ApproveApplicationPayload>, Failure> {
        let officer = approver(ctx)?;
        let (key, id) = (&input.idempotency_key, input.application_id.uuid());
        let approved = async {
            let reason = input.reason.map(|reason| words("/reason", &reason)).transpose()?;
            service(ctx).store.review(officer, key, id, &Review::Approve { reason }).await
        };
        ApproveApplicationPayload::answer(approved.await)
    }

    /// Rejects a case that was taken, with a reason (ไม่อนุมัติ).
    #[graphql(requires_scopes = "cases:write")]
    async fn reject_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which case, and why.")] input: RejectApplicationInput,
    ) -> Result<Option<RejectApplicationPayload>, Failure> {
        let officer = approver(ctx)?;
        let (key, id) = (&input.idempotency_key, input.application_id.uuid());
        let rejected = async {
            let reason = words("/reason", &input.reason)?;
            service(ctx).store.review(officer, key, id, &Review::Reject { reason }).await
        };
        RejectApplicationPayload::answer(rejected.await)
    }
}

/// Who examines cases; who decides them may do that too.
fn reviewer<'a>(ctx: &Context<'a>) -> Result<&'a Officer, Failure> {
    let officer = auth::officer(ctx)?;
    auth::principal(ctx).require_scope("cases:write")?;
    if !officer.roles.contains(&Role::Approver) {
        officer.require_role(Role::Reviewer)?;
    }
    Ok(officer)
}

fn approver<'a>(ctx: &Context<'a>) -> Result<&'a Officer, Failure> {
    let officer = auth::officer(ctx)?;
    auth::principal(ctx).require_scope("cases:write")?;
    officer.require_role(Role::Approver)?;
    Ok(officer)
}

/// A request for documents: at least one document or a message.
fn request(items: Vec<RequestedDocumentInput>, message: Option<String>) -> Result<Words, Refusal> {
    if items.len() > ITEMS_MAX || (items.is_empty() && message.is_none()) {
        let th = format!("ระบุเอกสาร 1 ถึง {ITEMS_MAX} รายการ หรือข้อความถึงผู้ยื่น");
        let en = format!("Name 1 to {ITEMS_MAX} documents, or write a message.");
        return Err(Refusal::Invalid(vec![fault("/items", th, en)]));
    }
    let message = message.map(|message| words("/message", &message)).transpose()?;
    let documents = items.into_iter().enumerate().map(|(index, item)| {
        let at = format!("/items/{index}/message");
        let message = item.message.map(|message| words(&at, &message)).transpose()?;
        Ok(RequestedDocument { evidence_code: item.evidence_code, message })
    });
    Ok(Words { message, documents: documents.collect::<Result<_, Refusal>>()? })
}

/// What an officer writes: something, and not too much.
fn words(pointer: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > WORDS_CHARS_MAX {
        let th = format!("ต้องมี 1 ถึง {WORDS_CHARS_MAX} ตัวอักษร");
        let en = format!("Must have 1 to {WORDS_CHARS_MAX} characters.");
        return Err(Refusal::Invalid(vec![fault(pointer, th, en)]));
    }
    Ok(text.to_owned())
}
