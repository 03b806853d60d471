//! What is expected of whom next and by when, in words a citizen understands.

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
    pub overdue: bool,
}

/// The ends of the times that may run for an application.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deadlines {
    /// Of a draft that nobody touches.
    pub draft: Option<DateTime<Utc>>,
    /// Of the check of what was filed.
    pub check: Option<DateTime<Utc>>,
    /// Of the legal days.
    pub decision: Option<DateTime<Utc>>,
    /// Of the time for documents asked for.
    pub documents: Option<DateTime<Utc>>,
}

/// The next step for a status, as things stand `now`.
pub fn next_action(status: ApplicationStatus, deadlines: Deadlines, now: DateTime<Utc>) -> NextAction {
    use ApplicationStatus as S;
    let (actor, action) = match status {
        S::Draft => (Actor::Applicant, Action::Submit),
        S::Submitted => (Actor::Agency, Action::Take),
        S::AwaitingPayment => (Actor::Applicant, Action::Pay),
        S::UnderReview => (Actor::Agency, Action::Decide),
        S::Returned => (Actor::Applicant, Action::SendDocuments),
        S::Approved | S::Paid => (Actor::Agency, Action::Issue),
        S::Rejected | S::Withdrawn | S::Lapsed => (Actor::Nobody, Action::None),
    };
    let due_at = match action {
        Action::Submit => deadlines.draft,
        Action::Take => deadlines.check,
        Action::Decide => deadlines.decision,
        Action::SendDocuments => deadlines.documents,
        Action::Pay | Action::Issue | Action::None => None,
    };
    let past = |deadline: Option<DateTime<Utc>>| deadline.is_some_and(|deadline| deadline <= now);
    let late = status.clock_runs() && past(deadlines.decision);
    let (th, en) = if late { LATE } else { words(status) };
    NextAction {
        actor,
        action,
        description: LocalizedText::new(th, en),
        due_at,
        overdue: late || past(due_at),
    }
}

const LATE: (&str, &str) = (
    "หน่วยงานพิจารณาเกินกำหนดตามกฎหมาย ต้องแจ้งเหตุล่าช้าให้ท่านทราบทุก 7 วันจนกว่าจะแล้วเสร็จ",
    "The agency is past its legal time: it must decide, and write to you every seven days until it does.",
);

fn words(status: ApplicationStatus) -> (&'static str, &'static str) {
    use ApplicationStatus as S;
    match status {
        S::Draft => ("กรอกแบบคำขอให้ครบแล้วยื่น", "Complete the form and submit it."),
        S::Submitted => ("รอเจ้าหน้าที่รับเรื่อง", "An officer of the agency will take your case."),
        S::AwaitingPayment => ("ชำระค่าธรรมเนียม", "Pay the fee."),
        S::UnderReview => ("หน่วยงานกำลังพิจารณาคำขอ", "The agency is examining your application."),
        S::Returned => (
            "ส่งเอกสารเพิ่มเติมตามที่หน่วยงานแจ้ง แล้วยื่นอีกครั้งภายในกำหนด มิฉะนั้นหน่วยงานจะคืนคำขอ",
            "Send the documents the agency asked for and submit again in time, or the application is given back.",
        ),
        S::Approved => ("อนุมัติแล้ว หน่วยงานจะออกเอกสารให้", "Approved. The agency will issue the document."),
        S::Paid => ("ชำระแล้ว หน่วยงานจะออกเอกสารให้", "Paid. The agency will issue the document."),
        S::Rejected => ("คำขอไม่ได้รับอนุมัติ", "The application was rejected."),
        S::Withdrawn => ("ถอนคำขอแล้ว", "The application was withdrawn."),
        S::Lapsed => (
            "พ้นกำหนดแล้ว คำขอสิ้นสุด ท่านยื่นคำขอใหม่ได้",
            "The time is over and the application is closed; you may apply anew.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn whose_turn_it_is_and_by_when_is_said_in_every_status() {
        let deadlines = Deadlines {
            draft: Some(at("2027-01-01T00:00:00Z")),
            check: Some(at("2026-11-24T09:30:00Z")),
            decision: Some(at("2026-12-02T09:30:00Z")),
            documents: Some(at("2026-12-09T09:30:00Z")),
        };
        let now = at("2026-11-23T03:00:00Z");
        for (status, due_at) in [
            (ApplicationStatus::Draft, deadlines.draft),
            (ApplicationStatus::Submitted, deadlines.check),
            (ApplicationStatus::UnderReview, deadlines.decision),
            (ApplicationStatus::Returned, deadlines.documents),
            (ApplicationStatus::AwaitingPayment, None),
            (ApplicationStatus::Lapsed, None),
        ] {
            let next = next_action(status, deadlines, now);
            assert_eq!((next.due_at, next.overdue), (due_at, false), "{status:?}");
        }
        let late = at("2026-12-02T09:30:00Z");
        let next = next_action(ApplicationStatus::UnderReview, deadlines, late);
        assert!(next.overdue && next.description.th.contains("เกินกำหนด"));
        assert!(!next_action(ApplicationStatus::Returned, deadlines, late).overdue, "the clock stands still");
    }
}
