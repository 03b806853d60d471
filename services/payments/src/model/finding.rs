//! Differences between our books and a provider's, and how each can end.

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum FindingKind {
    /// The provider tells of money that we did not know of.
    MissingUs,
    /// We counted money that the provider does not tell of.
    MissingBank,
    /// The same transfer, with two amounts or for two payments.
    AmountDiff,
    /// The provider paid something back that we do not know of.
    RefundMissingUs,
    /// We hold a refund for paid that the provider does not tell of.
    RefundMissingBank,
    /// A refund was paid by the provider and by hand: the payer has it twice.
    RefundTwice,
    /// A provider has not said for days what became of a payment.
    PaymentUnresolved,
    /// A provider has not given its account of a day for days.
    StatementMissing,
}

super::codes!(FindingKind {
    MissingUs = "MISSING_US",
    MissingBank = "MISSING_BANK",
    AmountDiff = "AMOUNT_DIFF",
    RefundMissingUs = "REFUND_MISSING_US",
    RefundMissingBank = "REFUND_MISSING_BANK",
    RefundTwice = "REFUND_TWICE",
    PaymentUnresolved = "PAYMENT_UNRESOLVED",
    StatementMissing = "STATEMENT_MISSING",
});

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum FindingStatus {
    /// Somebody has to look at it.
    Open,
    /// It has its end.
    Settled,
}

super::codes!(FindingStatus { Open = "OPEN", Settled = "SETTLED" });

/// How a finding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum FindingResolution {
    /// The difference went away: the money was counted, or the provider told of it later. Only we do this.
    Healed,
    /// People looked into it, and a document says why it is as it is.
    Explained,
    /// Money that belongs to no payment was paid back by hand.
    PaidBack,
    /// The provider's staff confirmed that nothing was paid; the payment expires.
    NeverPaid,
}

super::codes!(FindingResolution {
    Healed = "HEALED",
    Explained = "EXPLAINED",
    PaidBack = "PAID_BACK",
    NeverPaid = "NEVER_PAID",
});

impl FindingResolution {
    /// Whether people may end a finding of this kind this way.
    pub const fn is_open_to(self, kind: FindingKind) -> bool {
        match self {
            Self::Healed => false,
            // A payment is not explained away: it was paid, or never.
            Self::Explained => !matches!(kind, FindingKind::PaymentUnresolved),
            Self::PaidBack => matches!(kind, FindingKind::MissingUs),
            Self::NeverPaid => matches!(kind, FindingKind::PaymentUnresolved),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_finding_has_an_end_that_people_can_give_it() {
        for kind in FindingKind::ALL {
            assert!(FindingResolution::ALL.iter().any(|resolution| resolution.is_open_to(*kind)), "{kind:?}");
        }
    }

    #[test]
    fn codes_are_those_of_graphql() {
        for kind in FindingKind::ALL {
            assert_eq!(async_graphql::Value::from(*kind).to_string(), kind.code());
        }
    }
}
