//! What an application is and how it may move: types and rules, without database, clock or network.

pub mod answers;
pub mod calendar;
pub mod evidence;
pub mod file_type;
pub mod next_action;
pub mod offering;
pub mod prefill;
pub mod rules;
pub mod timeline;

use async_graphql::Enum;

/// Where an application (คำขอ) stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApplicationStatus {
    /// Being written; only the applicant sees it (ร่าง).
    Draft,
    /// Received, with a receipt number; the agency has not taken it yet (ยื่นแล้ว).
    Submitted,
    /// A fee is due before the next step (รอชำระค่าธรรมเนียม).
    AwaitingPayment,
    /// The agency examines it (อยู่ระหว่างพิจารณา).
    UnderReview,
    /// The agency asked for more documents: the applicant's turn, once (ขอเอกสารเพิ่มเติม).
    Returned,
    /// Approved (อนุมัติแล้ว).
    Approved,
    /// Approved and the fee is settled; what was applied for can be issued (ชำระแล้ว).
    Paid,
    /// Rejected, with a reason (ไม่อนุมัติ).
    Rejected,
    /// Withdrawn by the applicant (ถอนคำขอแล้ว).
    Withdrawn,
    /// Closed because the applicant did not act in time: a draft that ran out, or documents that did
    /// not come by the day named and the application was given back (คืนคำขอ).
    Lapsed,
}

/// What can happen to an application; each is kept as an event that never changes.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(name = "ApplicationEventKind")]
pub enum EventKind {
    /// The draft was begun.
    Started,
    /// The application was submitted and has a receipt number.
    Submitted,
    /// A fee fell due.
    FeeFellDue,
    /// The bill was issued.
    BillIssued,
    /// The fee was paid in full.
    FeeSettled,
    /// The fee was paid back.
    FeeRefunded,
    /// Money that was paid twice, too late or not as billed was paid back; the fee itself stands.
    PaymentReturned,
    /// An officer took the case.
    Taken,
    /// The agency asked for more documents: possible once.
    DocumentsRequested,
    /// The applicant sent what was asked for.
    Resubmitted,
    /// An officer approved.
    Approved,
    /// The rules approved, without an officer.
    ApprovedAutomatically,
    /// An officer rejected, with a reason.
    Rejected,
    /// The applicant withdrew.
    Withdrawn,
    /// The applicant did not act in time.
    Lapsed,
    /// The legal time is over: a notice went to the applicant and to the supervising body.
    LatenessNotified,
    /// The agency said why it takes longer; the next notice of lateness carries it.
    DelayExplained,
}

/// When an offering's fee falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeeDue {
    None,
    Submission,
    Approval,
}

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionMode {
    Officer,
    Automatic,
}

/// What the rules need to know of an application besides its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub fee_due: FeeDue,
    pub fee_settled: bool,
    pub decision: DecisionMode,
    pub taken: bool,
    /// How often the agency asked for documents so far, and may ask by the rule set pinned.
    pub document_requests: i64,
    pub document_requests_max: i64,
}

/// Why a move was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// Licensing Act 2558 section 8: documents are asked for once.
    #[error("documents may be asked for only once (Licensing Facilitation Act B.E. 2558, section 8)")]
    AskedBefore,
    #[error("an officer must take the case first")]
    NotTaken,
    #[error("the case is already taken")]
    AlreadyTaken,
    #[error("the application is closed")]
    Closed,
    /// The day named in the request for documents is over; the timer closes the case.
    #[error("the day by which the documents had to come is over")]
    TooLate,
    #[error("not possible in the application's present status")]
    WrongStatus,
}

impl ApplicationStatus {
    /// Where an application stands after `event`: every move there is, and no other.
    pub fn after(self, event: EventKind, facts: Facts) -> Result<Self, NotAllowed> {
        use ApplicationStatus as S;
        use EventKind as E;
        match (self, event) {
            (S::Draft, E::Started) => Ok(S::Draft),
            (S::Draft, E::Submitted) => Ok(S::Submitted),

            (S::Submitted, E::FeeFellDue) if facts.owes(FeeDue::Submission) => Ok(S::AwaitingPayment),
            (S::Approved, E::FeeFellDue) if facts.owes(FeeDue::Approval) => Ok(S::AwaitingPayment),
            (S::AwaitingPayment, E::FeeSettled) if facts.fee_due == FeeDue::Submission => Ok(S::UnderReview),
            (S::AwaitingPayment, E::FeeSettled) => Ok(S::Paid),

            (S::Submitted | S::UnderReview, E::Taken) if facts.taken => Err(NotAllowed::AlreadyTaken),
            (S::Submitted | S::UnderReview, E::Taken) => Ok(S::UnderReview),
            (S::UnderReview, E::DocumentsRequested | E::Approved | E::Rejected | E::DelayExplained)
                if !facts.taken =>
            {
                Err(NotAllowed::NotTaken)
            }
            (S::Submitted, E::DocumentsRequested | E::Approved | E::Rejected | E::DelayExplained) => {
                Err(NotAllowed::NotTaken)
            }
            (S::UnderReview, E::DocumentsRequested)
                if facts.document_requests >= facts.document_requests_max =>
            {
                Err(NotAllowed::AskedBefore)
            }
            (S::UnderReview, E::DocumentsRequested) => Ok(S::Returned),
            (S::Returned, E::Resubmitted) => Ok(S::UnderReview),

            (S::Submitted | S::UnderReview, E::ApprovedAutomatically) if facts.decides_itself() => {
                Ok(S::Approved)
            }
            (S::UnderReview, E::DelayExplained) => Ok(S::UnderReview),
            (S::UnderReview, E::Approved) => Ok(S::Approved),
            (S::UnderReview, E::Rejected) => Ok(S::Rejected),

            (S::Draft | S::Submitted | S::AwaitingPayment | S::UnderReview | S::Returned, E::Withdrawn) => {
                Ok(S::Withdrawn)
            }
            // Licensing Act 2558 section 9: what was asked for did not come, and the application is given back.
            (S::Draft | S::Returned, E::Lapsed) => Ok(S::Lapsed),
            (status, E::LatenessNotified) if status.clock_runs() => Ok(status),

            // News from payments: the timeline shows it, nothing moves. Money may arrive late.
            (status, E::BillIssued | E::FeeRefunded | E::PaymentReturned) if status != S::Draft => Ok(status),
            (status, E::FeeSettled) if status.is_terminal() => Ok(status),

            (status, _) if status.is_terminal() => Err(NotAllowed::Closed),
            _ => Err(NotAllowed::WrongStatus),
        }
    }

    /// What happens by itself next, without waiting for anyone.
    pub fn follow_up(self, facts: Facts) -> Option<EventKind> {
        match self {
            Self::Submitted if facts.owes(FeeDue::Submission) => Some(EventKind::FeeFellDue),
            Self::Submitted | Self::UnderReview if facts.decides_itself() => {
                Some(EventKind::ApprovedAutomatically)
            }
            Self::Approved if facts.owes(FeeDue::Approval) => Some(EventKind::FeeFellDue),
            _ => None,
        }
    }

    /// Whether nothing moves any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Rejected | Self::Withdrawn | Self::Lapsed)
    }

    /// Whether the agency's legal time runs: it is the agency's turn and nothing is decided.
    pub fn clock_runs(self) -> bool {
        matches!(self, Self::Submitted | Self::UnderReview)
    }

    /// Whether the applicant may change answers and evidence.
    pub fn is_editable(self) -> bool {
        matches!(self, Self::Draft | Self::Returned)
    }
}

impl Facts {
    fn owes(self, due: FeeDue) -> bool {
        self.fee_due == due && !self.fee_settled
    }

    /// An officer who took the case decides, even where the rules would have.
    fn decides_itself(self) -> bool {
        self.decision == DecisionMode::Automatic && !self.taken && !self.owes(FeeDue::Submission)
    }
}

/// A value as it stands in the database: a word in capitals, the same as in the schema.
macro_rules! stored_as_word {
    ($type:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// All values there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word kept in the database.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value of a word kept in the database.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use stored_as_word;

stored_as_word!(ApplicationStatus {
    Draft = "DRAFT",
    Submitted = "SUBMITTED",
    AwaitingPayment = "AWAITING_PAYMENT",
    UnderReview = "UNDER_REVIEW",
    Returned = "RETURNED",
    Approved = "APPROVED",
    Paid = "PAID",
    Rejected = "REJECTED",
    Withdrawn = "WITHDRAWN",
    Lapsed = "LAPSED",
});

stored_as_word!(EventKind {
    Started = "STARTED",
    Submitted = "SUBMITTED",
    FeeFellDue = "FEE_FELL_DUE",
    BillIssued = "BILL_ISSUED",
    FeeSettled = "FEE_SETTLED",
    FeeRefunded = "FEE_REFUNDED",
    PaymentReturned = "PAYMENT_RETURNED",
    Taken = "TAKEN",
    DocumentsRequested = "DOCUMENTS_REQUESTED",
    Resubmitted = "RESUBMITTED",
    Approved = "APPROVED",
    ApprovedAutomatically = "APPROVED_AUTOMATICALLY",
    Rejected = "REJECTED",
    Withdrawn = "WITHDRAWN",
    Lapsed = "LAPSED",
    LatenessNotified = "LATENESS_NOTIFIED",
    DelayExplained = "DELAY_EXPLAINED",
});

#[cfg(test)]
mod tests;
