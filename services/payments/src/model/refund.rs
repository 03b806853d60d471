//! Money that goes back, and the moves of a refund.

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum RefundStatus {
    /// Owed to the payer; not yet asked of the provider.
    Created,
    /// Asked of the provider.
    Submitted,
    /// The payer has the money back.
    Refunded,
    /// The provider cannot do it: an officer pays it back by hand.
    Manual,
    /// Found not to be owed.
    Failed,
}

super::codes!(RefundStatus {
    Created = "CREATED",
    Submitted = "SUBMITTED",
    Refunded = "REFUNDED",
    Manual = "MANUAL",
    Failed = "FAILED",
});

/// Why money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum RefundReason {
    /// The bill was paid already.
    Duplicate,
    /// The bill was no longer to be paid when the money came.
    Late,
    /// Less came than was owed.
    Under,
    /// The part that was too much.
    Over,
    /// The application was rejected or withdrawn, and its fee is returned.
    ApplicationClosed,
}

super::codes!(RefundReason {
    Duplicate = "DUPLICATE",
    Late = "LATE",
    Under = "UNDER",
    Over = "OVER",
    ApplicationClosed = "APPLICATION_CLOSED",
});

/// What can happen to a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundEvent {
    /// It is about to be asked of the provider.
    Sent,
    /// The provider says that the money is back.
    Done,
    /// The provider cannot do it, refuses it, or was asked often enough.
    NeedsOperator,
    /// An operator found that it is not owed.
    NotOwed,
}

impl RefundStatus {
    /// The status after an event; what an event cannot change stays as it is.
    pub const fn after(self, event: RefundEvent) -> Self {
        use RefundEvent as E;
        match (self, event) {
            (Self::Refunded | Self::Failed, _) => self,
            (Self::Created | Self::Submitted, E::Sent) => Self::Submitted,
            (Self::Manual, E::Sent | E::NeedsOperator) => Self::Manual,
            (Self::Created | Self::Submitted | Self::Manual, E::Done) => Self::Refunded,
            (Self::Created | Self::Submitted, E::NeedsOperator) => Self::Manual,
            (Self::Manual, E::NotOwed) => Self::Failed,
            // What was sent may have been paid: only an operator, who has looked, may drop it.
            (Self::Created | Self::Submitted, E::NotOwed) => self,
        }
    }

    /// Whether a provider still has to be asked.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Submitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVENTS: [RefundEvent; 4] =
        [RefundEvent::Sent, RefundEvent::Done, RefundEvent::NeedsOperator, RefundEvent::NotOwed];

    proptest! {
        #[test]
        fn a_refund_that_ended_stays_ended(start in proptest::sample::select(RefundStatus::ALL),
                                           events in proptest::collection::vec(proptest::sample::select(&EVENTS[..]), 0..12)) {
            let mut status = start;
            for event in events {
                let next = status.after(event);
                if matches!(status, RefundStatus::Refunded | RefundStatus::Failed) {
                    prop_assert_eq!(next, status);
                }
                status = next;
            }
        }
    }

    #[test]
    fn a_refund_that_may_have_been_paid_is_not_dropped_unseen() {
        assert_eq!(RefundStatus::Submitted.after(RefundEvent::NotOwed), RefundStatus::Submitted);
    }
}
