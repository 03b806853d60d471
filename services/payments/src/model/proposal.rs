//! What an officer does by hand with money: proposed by one person, confirmed by another.

use super::{RefundReason, RefundStatus};

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum ProposalStatus {
    /// It waits for a second person.
    Open,
    /// A second person confirmed it: it was done.
    Confirmed,
    /// It was turned down, and nothing was done.
    Rejected,
}

super::codes!(ProposalStatus { Open = "OPEN", Confirmed = "CONFIRMED", Rejected = "REJECTED" });

/// What a proposal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    Refund,
    Finding,
}

super::codes!(SubjectKind { Refund = "REFUND", Finding = "FINDING" });

/// How a refund that no provider makes was brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum RefundCompletion {
    /// The agency paid it back by a transfer of its own (โอนคืนโดยหน่วยงาน).
    PaidByTransfer,
    /// The provider has paid it back after all, or its staff did so by hand.
    PaidAtProvider,
    /// It was not owed. Only for the fee of a closed application: other money is the payer's.
    NotOwed,
}

super::codes!(RefundCompletion {
    PaidByTransfer = "PAID_BY_TRANSFER",
    PaidAtProvider = "PAID_AT_PROVIDER",
    NotOwed = "NOT_OWED",
});

impl RefundCompletion {
    /// Whether a refund that stands there can end this way.
    pub const fn is_open_to(self, status: RefundStatus, reason: RefundReason) -> bool {
        matches!(status, RefundStatus::Manual)
            && (!matches!(self, Self::NotOwed) || matches!(reason, RefundReason::ApplicationClosed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fee_of_a_closed_application_can_turn_out_not_to_be_owed() {
        for reason in RefundReason::ALL {
            let not_owed = RefundCompletion::NotOwed.is_open_to(RefundStatus::Manual, *reason);
            assert_eq!(not_owed, *reason == RefundReason::ApplicationClosed);
            assert!(RefundCompletion::PaidByTransfer.is_open_to(RefundStatus::Manual, *reason));
        }
    }

    #[test]
    fn nobody_completes_by_hand_what_a_provider_is_still_asked_for() {
        for status in RefundStatus::ALL.iter().filter(|status| **status != RefundStatus::Manual) {
            for completion in RefundCompletion::ALL {
                assert!(!completion.is_open_to(*status, RefundReason::ApplicationClosed));
            }
        }
    }
}
