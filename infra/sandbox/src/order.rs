//! An order at the bank or the wallet and what may happen to it: types and rules.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// How the payer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rail {
    Qr,
    Deeplink,
    Gwallet,
    /// The second bank, by Thai QR.
    Kbank,
}

impl Rail {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qr => "qr",
            Self::Deeplink => "deeplink",
            Self::Gwallet => "gwallet",
            Self::Kbank => "kbank",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Qr, Self::Deeplink, Self::Gwallet, Self::Kbank].into_iter().find(|rail| rail.as_str() == text)
    }

    /// Who runs it: refund ids are unique per provider.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Qr | Self::Deeplink => "bank",
            Self::Gwallet => "gwallet",
            Self::Kbank => "kbank",
        }
    }
}

/// What is stored of an order's fate. Expiry is not stored: it follows from the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Waiting,
    Paid,
    Declined,
    Cancelled,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Paid => "paid",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Waiting, Self::Paid, Self::Declined, Self::Cancelled];
        all.into_iter().find(|status| status.as_str() == text)
    }
}

/// How an order stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Waiting,
    Paid,
    Declined,
    Cancelled,
    Expired,
}

impl Standing {
    /// The word both APIs use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Paid => "PAID",
            Self::Declined => "DECLINED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// How the payer and the bank behave: a trigger for whoever tests a merchant's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Behaviour {
    #[default]
    Normal,
    /// The confirmation is never sent.
    Missing,
    /// The confirmation is sent twice.
    Duplicate,
    /// The confirmation is sent long after the payment.
    Late,
    /// The wallet's notification carries no signature (the bank's never does).
    Unsigned,
    /// The payer pays another amount than was asked.
    WrongAmount,
    /// The money is taken although the order has expired.
    AfterExpiry,
}

impl Behaviour {
    /// All, with what the payer reads on the page in Thai and English.
    pub const ALL: [(Self, &'static str, &'static str, &'static str); 7] = [
        (Self::Normal, "normal", "ปกติ", "normal"),
        (Self::Missing, "missing", "ไม่ส่งผลการชำระ", "no confirmation is sent"),
        (Self::Duplicate, "duplicate", "ส่งผลการชำระสองครั้ง", "confirmation is sent twice"),
        (Self::Late, "late", "ส่งผลการชำระช้า", "confirmation comes late"),
        (Self::Unsigned, "unsigned", "ผลการชำระไม่มีลายเซ็น", "notification without signature"),
        (Self::WrongAmount, "wrong_amount", "จ่ายผิดจำนวน", "another amount is paid"),
        (Self::AfterExpiry, "after_expiry", "รับเงินแม้หมดอายุ", "money is taken after expiry"),
    ];

    /// The behaviour of that name; an unknown name is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name, ..)| *name == text).map(|(behaviour, ..)| behaviour)
    }
}

/// Somebody asked to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: Uuid,
    pub rail: Rail,
    pub reference1: String,
    pub reference2: Option<String>,
    pub reference3: Option<String>,
    pub description: Option<String>,
    pub amount_satang: i64,
    /// Where the payer goes back to.
    pub return_url: Option<String>,
    /// Where the confirmation is sent.
    pub callback_url: String,
    pub status: Status,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Present exactly when paid.
    pub paid: Option<Paid>,
}

/// The money that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    pub satang: i64,
    pub at: DateTime<Utc>,
    /// The day in Thailand, which inquiries ask by.
    pub on: NaiveDate,
    pub bank_transaction_id: String,
}

/// Money given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub refund_id: String,
    pub order_id: Uuid,
    pub amount_satang: i64,
    pub created_at: DateTime<Utc>,
}

/// Why an order does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the order is {}", .0.word())]
    Standing(Standing),
    #[error("more than was paid and not yet refunded")]
    MoreThanPaid,
    /// A trigger says so.
    #[error("the bank does not do this")]
    Trigger,
}

impl Order {
    /// How the order stands at `now`.
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        match self.status {
            Status::Paid => Standing::Paid,
            Status::Declined => Standing::Declined,
            Status::Cancelled => Standing::Cancelled,
            Status::Waiting if now >= self.expires_at => Standing::Expired,
            Status::Waiting => Standing::Waiting,
        }
    }

    /// The payer pays. `bank_transaction_id` becomes the bank's number of this payment.
    pub fn pay(
        &mut self,
        behaviour: Behaviour,
        now: DateTime<Utc>,
        bank_transaction_id: String,
    ) -> Result<(), Refused> {
        match self.standing(now) {
            Standing::Waiting => {}
            Standing::Expired if behaviour == Behaviour::AfterExpiry => {}
            standing => return Err(Refused::Standing(standing)),
        }
        let on = now.with_timezone(&clock::thailand()).date_naive();
        let satang = match behaviour {
            Behaviour::WrongAmount if self.amount_satang > 100 => self.amount_satang - 100,
            Behaviour::WrongAmount => self.amount_satang + 100,
            _ => self.amount_satang,
        };
        self.status = Status::Paid;
        self.paid = Some(Paid { satang, at: now, on, bank_transaction_id });
        Ok(())
    }

    /// The payer declines. Declining twice is the same as once.
    pub fn decline(&mut self, now: DateTime<Utc>) -> Result<(), Refused> {
        self.end(Status::Declined, Standing::Declined, now)
    }

    /// The merchant cancels: nobody can pay any more. Cancelling twice is the same as once.
    pub fn cancel(&mut self, now: DateTime<Utc>) -> Result<(), Refused> {
        self.end(Status::Cancelled, Standing::Cancelled, now)
    }

    /// Whether `amount_satang` can still be given back after `refunded_satang` was.
    pub fn may_refund(
        &self,
        amount_satang: i64,
        refunded_satang: i64,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let paid = self.paid.as_ref().ok_or_else(|| Refused::Standing(self.standing(now)))?;
        if amount_satang > paid.satang - refunded_satang {
            return Err(Refused::MoreThanPaid);
        }
        Ok(())
    }

    fn end(&mut self, status: Status, same: Standing, now: DateTime<Utc>) -> Result<(), Refused> {
        match self.standing(now) {
            standing if standing == same => Ok(()),
            Standing::Waiting | Standing::Expired => {
                self.status = status;
                Ok(())
            }
            standing => Err(Refused::Standing(standing)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use proptest::prelude::*;

    use super::*;

    fn order() -> Order {
        Order {
            id: Uuid::nil(),
            rail: Rail::Qr,
            reference1: "PAY1".into(),
            reference2: None,
            reference3: None,
            description: None,
            amount_satang: 50_500,
            return_url: None,
            callback_url: "http://127.0.0.1/".into(),
            status: Status::Waiting,
            created_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH + Duration::minutes(15),
            paid: None,
        }
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::minutes(minute)
    }

    #[test]
    fn an_expired_order_is_paid_only_when_the_bank_is_told_to() {
        let mut order = order();
        let refused = order.pay(Behaviour::Normal, at(15), "T1".into());
        assert_eq!(refused, Err(Refused::Standing(Standing::Expired)));
        assert_eq!(order.pay(Behaviour::AfterExpiry, at(15), "T1".into()), Ok(()));
    }

    #[test]
    fn a_cancelled_order_is_never_paid() {
        let mut order = order();
        order.cancel(at(1)).unwrap();
        order.cancel(at(2)).unwrap();
        let refused = order.pay(Behaviour::AfterExpiry, at(20), "T1".into());
        assert_eq!(refused, Err(Refused::Standing(Standing::Cancelled)));
    }

    proptest! {
        #[test]
        fn a_paid_order_stays_paid_with_the_first_payment(steps in prop::collection::vec((0..3u8, 0..30i64), 0..20)) {
            let mut order = order();
            let mut first = None;
            for (index, (step, minute)) in steps.into_iter().enumerate() {
                let _ = match step {
                    0 => order.pay(Behaviour::Normal, at(minute), format!("T{index}")),
                    1 => order.decline(at(minute)),
                    _ => order.cancel(at(minute)),
                };
                first = first.or_else(|| order.paid.clone());
                prop_assert_eq!(&order.paid, &first);
                prop_assert_eq!(order.status == Status::Paid, order.paid.is_some());
            }
        }

        #[test]
        fn refunds_never_exceed_the_payment(amounts in prop::collection::vec(1..40_000i64, 0..10)) {
            let mut order = order();
            order.pay(Behaviour::Normal, at(1), "T1".into()).unwrap();
            let mut refunded = 0;
            for amount in amounts {
                if order.may_refund(amount, refunded, at(2)).is_ok() {
                    refunded += amount;
                }
            }
            prop_assert!(refunded <= 50_500);
        }
    }
}
