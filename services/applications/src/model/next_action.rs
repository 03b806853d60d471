//! What is expected of whom next, in words a citizen understands.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use graphql::LocalizedText;

use super::ApplicationStatus;

/// Whose turn it is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "NextActor")]
pub enum Actor {
    /// The applicant.
    Applicant,
    /// The agency.
    Agency,
    /// Nobody: it has come to its end.
    Nobody,
}

/// What is to be done.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "NextActionKind")]
pub enum Action {
    /// Complete the form and submit it.
    Submit,
    /// Pay the bill.
    Pay,
    /// Send the documents asked for.
    SendDocuments,
    /// Take the case.
    Take,
    /// Examine and decide.
    Decide,
    /// Issue what was applied for.
    Issue,
    /// Nothing.
    None,
}

/// What is expected next.
#[derive(Clone, Debug)]
pub struct NextAction {
    pub actor: Actor,
    pub action: Action,
    pub description: LocalizedText,
    pub due_at: Option<DateTime<Utc>>,
}

/// The next step for a status; `decision_due_at` is the end of the legal days.
pub fn next_action(status: ApplicationStatus, decision_due_at: Option<DateTime<Utc>>) -> NextAction {
    use ApplicationStatus as S;
    let (actor, action, th, en) = match status {
        S::Draft => {
            (Actor::Applicant, Action::Submit, "กรอกแบบคำขอให้ครบแล้วยื่น", "Complete the form and submit it.")
        }
        S::Submitted => {
            (Actor::Agency, Action::Take, "รอเจ้าหน้าที่รับเรื่อง", "An officer of the agency will take your case.")
        }
        S::AwaitingPayment => (Actor::Applicant, Action::Pay, "ชำระค่าธรรมเนียม", "Pay the fee."),
        S::UnderReview => (
            Actor::Agency,
            Action::Decide,
            "หน่วยงานกำลังพิจารณาคำขอ",
            "The agency is examining your application.",
        ),
        S::Returned => (
            Actor::Applicant,
            Action::SendDocuments,
            "ส่งเอกสารเพิ่มเติมตามที่หน่วยงานแจ้ง แล้วยื่นอีกครั้ง",
            "Send the documents the agency asked for, then submit again.",
        ),
        S::Approved => (
            Actor::Agency,
            Action::Issue,
            "อนุมัติแล้ว หน่วยงานจะออกเอกสารให้",
            "Approved. The agency will issue the document.",
        ),
        S::Paid => (
            Actor::Agency,
            Action::Issue,
            "ชำระแล้ว หน่วยงานจะออกเอกสารให้",
            "Paid. The agency will issue the document.",
        ),
        S::Rejected => (Actor::Nobody, Action::None, "คำขอไม่ได้รับอนุมัติ", "The application was rejected."),
        S::Withdrawn => (Actor::Nobody, Action::None, "ถอนคำขอแล้ว", "The application was withdrawn."),
    };
    let due_at = if action == Action::Take || action == Action::Decide { decision_due_at } else { None };
    NextAction { actor, action, description: LocalizedText { th: th.into(), en: Some(en.into()) }, due_at }
}
