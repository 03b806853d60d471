//! What becomes of money that arrives: which bill it settles, and what of it goes back.

use super::{PaymentEvent, PaymentStatus};

/// Where a bill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum BillStatus {
    /// To be paid.
    Open,
    /// Paid in full; it has a receipt.
    Settled,
    /// No longer to be paid; money that still comes is given back.
    Cancelled,
}

super::codes!(BillStatus { Open = "OPEN", Settled = "SETTLED", Cancelled = "CANCELLED" });

/// What an amount that arrived was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
#[graphql(name = "SettlementClassification")]
pub enum Classification {
    /// The amount of an open bill, in time.
    Settles,
    /// Money for a bill that is settled already: all of it goes back.
    Duplicate,
    /// It came after the payment had ended. It still settles an open bill; on a cancelled one it goes back.
    Late,
    /// Less than the bill: it settles nothing and goes back.
    Under,
    /// More than the bill: it settles, and the rest goes back.
    Over,
}

super::codes!(Classification {
    Settles = "SETTLES",
    Duplicate = "DUPLICATE",
    Late = "LATE",
    Under = "UNDER",
    Over = "OVER",
});

/// What to do with an amount that arrived: `kept_satang + returned_satang` is what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What it was.
    pub classification: Classification,
    /// What happens to the payment it came by.
    pub payment_event: PaymentEvent,
    /// What goes to the payee: the bill's amount, or nothing.
    pub kept_satang: i64,
    /// What goes back to the payer.
    pub returned_satang: i64,
}

impl Arrival {
    /// Whether this money settles the bill.
    pub const fn settles(&self) -> bool {
        self.kept_satang > 0
    }
}

/// Classifies an amount that arrived by a payment for a bill; every case has its end here.
pub const fn arrival(
    bill: BillStatus,
    payment: PaymentStatus,
    expected_satang: i64,
    arrived_satang: i64,
) -> Arrival {
    let classification = match bill {
        BillStatus::Settled => Classification::Duplicate,
        BillStatus::Cancelled => Classification::Late,
        BillStatus::Open if arrived_satang < expected_satang => Classification::Under,
        BillStatus::Open if arrived_satang > expected_satang => Classification::Over,
        BillStatus::Open if payment.is_live() => Classification::Settles,
        BillStatus::Open => Classification::Late,
    };
    let settles = matches!(bill, BillStatus::Open) && !matches!(classification, Classification::Under);
    let kept_satang = if settles { expected_satang } else { 0 };
    Arrival {
        classification,
        payment_event: if settles { PaymentEvent::Settled } else { PaymentEvent::Returned },
        kept_satang,
        returned_satang: arrived_satang - kept_satang,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn money_is_never_made(bill in proptest::sample::select(BillStatus::ALL),
                               payment in proptest::sample::select(PaymentStatus::ALL),
                               expected in 1_i64..1_000_000, arrived in 1_i64..1_000_000) {
            let end = arrival(bill, payment, expected, arrived);
            prop_assert_eq!(end.kept_satang + end.returned_satang, arrived);
            prop_assert!(end.returned_satang >= 0);
            prop_assert!(end.kept_satang == 0 || end.kept_satang == expected);
        }

        #[test]
        fn a_bill_has_at_most_one_success(arrivals in proptest::collection::vec((0_usize..4, 1_i64..300), 0..12),
                                          cancelled_at in 0_usize..24) {
            let (mut bill, mut payments, mut successes) = (BillStatus::Open, [PaymentStatus::Pending; 4], 0);
            for (step, (payment, arrived)) in arrivals.into_iter().enumerate() {
                if step == cancelled_at && bill == BillStatus::Open {
                    bill = BillStatus::Cancelled;
                }
                let end = arrival(bill, payments[payment], 100, arrived);
                payments[payment] = payments[payment].after(end.payment_event);
                if end.settles() {
                    bill = BillStatus::Settled;
                    successes += 1;
                }
            }
            prop_assert!(successes <= 1);
            prop_assert!(payments.iter().filter(|p| **p == PaymentStatus::Succeeded).count() <= successes);
        }
    }

    #[test]
    fn each_class_has_its_end() {
        use BillStatus as B;
        use PaymentStatus as P;
        let case = |bill, payment, arrived| {
            let end = arrival(bill, payment, 100, arrived);
            (end.classification, end.kept_satang, end.returned_satang)
        };
        assert_eq!(case(B::Open, P::Pending, 100), (Classification::Settles, 100, 0));
        assert_eq!(case(B::Open, P::Expired, 100), (Classification::Late, 100, 0));
        assert_eq!(case(B::Cancelled, P::Cancelled, 100), (Classification::Late, 0, 100));
        assert_eq!(case(B::Settled, P::Pending, 100), (Classification::Duplicate, 0, 100));
        assert_eq!(case(B::Open, P::Pending, 99), (Classification::Under, 0, 99));
        assert_eq!(case(B::Open, P::Pending, 150), (Classification::Over, 100, 50));
    }
}
