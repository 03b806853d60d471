//! One try at paying a bill: its methods, its statuses and the moves between them.

use uuid::Uuid;

/// How a citizen pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum PaymentMethod {
    /// The state's wallet in the Paotang app (เป๋าตัง G-Wallet).
    #[graphql(name = "G_WALLET")]
    GWallet,
    /// A bank's own app, opened by a link.
    MobileBanking,
    /// A Thai QR code for bill payment (พร้อมเพย์), paid from any bank's app.
    PromptpayQr,
}

super::codes!(PaymentMethod { GWallet = "G_WALLET", MobileBanking = "MOBILE_BANKING", PromptpayQr = "PROMPTPAY_QR" });

/// Where one try at paying stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum PaymentStatus {
    /// Recorded here; the provider is being asked.
    Created,
    /// Shown to the citizen, who can pay now.
    Pending,
    /// The provider did not answer; it is being asked again. Nothing has to be paid again.
    Unknown,
    /// Paid: this payment settled its bill.
    Succeeded,
    /// It did not settle the bill; money that came in through it is given back.
    Failed,
    /// Not paid in time.
    Expired,
    /// Withdrawn before it was paid.
    Cancelled,
}

super::codes!(PaymentStatus {
    Created = "CREATED",
    Pending = "PENDING",
    Unknown = "UNKNOWN",
    Succeeded = "SUCCEEDED",
    Failed = "FAILED",
    Expired = "EXPIRED",
    Cancelled = "CANCELLED",
});

/// What can happen to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentEvent {
    /// The provider took the order and gave something to show.
    Presented,
    /// The provider did not answer in time, or not in a way that can be read.
    Unanswered,
    /// The provider refused the order.
    Refused,
    /// Money came that settles the bill.
    Settled,
    /// Money came that does not settle the bill; it goes back.
    Returned,
    /// The time to pay is over, and the provider has seen no money.
    TimeOver,
    /// The payment was withdrawn.
    Withdrawn,
}

impl PaymentStatus {
    /// The status after an event; what an event cannot change stays as it is.
    pub const fn after(self, event: PaymentEvent) -> Self {
        use PaymentEvent as E;
        match (self, event) {
            (Self::Succeeded | Self::Failed | Self::Expired | Self::Cancelled, _) => self,
            (_, E::Settled) => Self::Succeeded,
            (_, E::Returned) => Self::Failed,
            (_, E::TimeOver) => Self::Expired,
            (_, E::Withdrawn) => Self::Cancelled,
            (_, E::Presented) => Self::Pending,
            (Self::Pending, E::Unanswered | E::Refused) => Self::Pending,
            (Self::Created | Self::Unknown, E::Unanswered) => Self::Unknown,
            (Self::Created | Self::Unknown, E::Refused) => Self::Failed,
        }
    }

    /// Whether money may still be expected by this payment.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Created | Self::Pending | Self::Unknown)
    }
}

/// The reference that travels through the bank: 20 characters of `[A-Z0-9]`, from the payment's id.
///
/// A Thai QR's reference 1 holds 20 characters, a uuid needs 26: the 48 bits of time and the last 52
/// random ones are kept. The database refuses the one in 4·10¹⁵ that would meet another of its millisecond.
pub fn reference_of(payment_id: Uuid) -> String {
    const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let id = payment_id.as_u128();
    let kept = ((id >> 80) << 52) | (id & ((1 << 52) - 1));
    (0..20).rev().map(|place| char::from(CROCKFORD[((kept >> (5 * place)) & 31) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVENTS: [PaymentEvent; 7] = [
        PaymentEvent::Presented,
        PaymentEvent::Unanswered,
        PaymentEvent::Refused,
        PaymentEvent::Settled,
        PaymentEvent::Returned,
        PaymentEvent::TimeOver,
        PaymentEvent::Withdrawn,
    ];

    proptest! {
        #[test]
        fn terminal_stays_terminal(start in proptest::sample::select(PaymentStatus::ALL),
                                   events in proptest::collection::vec(proptest::sample::select(&EVENTS[..]), 0..20)) {
            let mut status = start;
            for event in events {
                let next = status.after(event);
                prop_assert!(status.is_live() || next == status);
                status = next;
            }
        }

        #[test]
        fn a_reference_has_twenty_characters_a_qr_code_may_hold(id in any::<u128>()) {
            let reference = reference_of(Uuid::from_u128(id));
            prop_assert_eq!(reference.len(), 20);
            prop_assert!(reference.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        }
    }

    #[test]
    fn an_unanswered_order_is_unknown_until_the_provider_says() {
        assert_eq!(PaymentStatus::Created.after(PaymentEvent::Unanswered), PaymentStatus::Unknown);
        assert_eq!(PaymentStatus::Unknown.after(PaymentEvent::Settled), PaymentStatus::Succeeded);
        assert_eq!(PaymentStatus::Unknown.after(PaymentEvent::Presented), PaymentStatus::Pending);
        assert_eq!(PaymentStatus::Pending.after(PaymentEvent::Unanswered), PaymentStatus::Pending);
    }

    #[test]
    fn codes_are_those_of_graphql() {
        for method in PaymentMethod::ALL {
            assert_eq!(async_graphql::Value::from(*method).to_string(), method.code());
        }
        for status in PaymentStatus::ALL {
            assert_eq!(async_graphql::Value::from(*status).to_string(), status.code());
        }
    }
}
