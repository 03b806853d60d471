//! What can be told to go wrong, where, and for how long: types and rules.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::order::Behaviour;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    ProviderDown,
    AnswerLost,
    ProofingRefused,
    LoginCancelled,
    OrderRefused,
    PaymentDeclined,
    /// The bank behaves as the payer could choose on the payment page.
    Payment(Behaviour),
    RefundRefused,
}

/// What an effect is called and means.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub effect: Effect,
    pub code: &'static str,
    pub th: &'static str,
    pub en: &'static str,
}

impl Effect {
    /// All, in the order of a citizen's way.
    pub const ALL: [About; 13] = [
        about(
            Self::ProviderDown,
            "provider_down",
            "ระบบภายนอกไม่ตอบ (503)",
            "an outside system answers 503 to everything",
        ),
        about(
            Self::AnswerLost,
            "answer_lost",
            "ระบบภายนอกทำตามคำขอแล้ว แต่คำตอบหายไป (504)",
            "it does what it was asked, and its answer is lost (504)",
        ),
        about(
            Self::ProofingRefused,
            "proofing_refused",
            "ผู้ให้บริการยืนยันตัวตนปฏิเสธ",
            "the Digital ID provider refuses the person",
        ),
        about(Self::LoginCancelled, "login_cancelled", "ผู้ใช้ยกเลิกการเข้าสู่ระบบ", "the person cancels the login"),
        about(
            Self::OrderRefused,
            "order_refused",
            "ธนาคารไม่รับสร้างรายการชำระ",
            "the bank refuses to open a payment",
        ),
        about(Self::PaymentDeclined, "payment_declined", "การชำระถูกปฏิเสธ", "the payment is declined"),
        about(
            Self::Payment(Behaviour::Missing),
            "missing",
            "จ่ายแล้ว แต่ไม่มีผลแจ้งกลับ",
            "paid, and no confirmation is sent",
        ),
        about(
            Self::Payment(Behaviour::Duplicate),
            "duplicate",
            "ผลการชำระถูกแจ้งสองครั้ง",
            "paid, and the confirmation is sent twice",
        ),
        about(
            Self::Payment(Behaviour::Late),
            "late",
            "ผลการชำระมาช้า (หนึ่งนาที เลื่อนนาฬิกาได้)",
            "paid, and the confirmation comes a minute late (or when the clock is moved)",
        ),
        about(
            Self::Payment(Behaviour::Unsigned),
            "unsigned",
            "ผลการชำระไม่มีลายเซ็น",
            "paid, and the notification carries no signature",
        ),
        about(
            Self::Payment(Behaviour::WrongAmount),
            "wrong_amount",
            "จ่ายขาดไปหนึ่งบาท",
            "one baht less is paid than was asked",
        ),
        about(
            Self::Payment(Behaviour::AfterExpiry),
            "after_expiry",
            "รับเงินแม้หมดเวลาชำระ",
            "money is taken although the time to pay is over",
        ),
        about(
            Self::RefundRefused,
            "refund_refused",
            "ธนาคารไม่รับคืนเงิน",
            "the bank refuses to give money back",
        ),
    ];

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|about| about.code == code).map(|about| about.effect)
    }

    pub fn about(self) -> About {
        let found = Self::ALL.into_iter().find(|about| about.effect == self);
        found.unwrap_or(about(self, "normal", "ปกติ", "normal"))
    }

    /// The outside systems at which it can happen.
    pub fn places(self) -> &'static [Place] {
        match self {
            Self::ProviderDown | Self::AnswerLost => &Place::ALL,
            Self::ProofingRefused | Self::LoginCancelled => Place::PROVIDERS,
            _ => Place::BANKS,
        }
    }

    /// Whether it can be asked of one persona, and of one amount or reference.
    pub fn is_of_a_person(self) -> bool {
        matches!(self, Self::ProofingRefused | Self::LoginCancelled)
    }

    pub fn is_of_a_payment(self) -> bool {
        !self.is_of_a_person() && !matches!(self, Self::ProviderDown | Self::AnswerLost)
    }
}

const fn about(effect: Effect, code: &'static str, th: &'static str, en: &'static str) -> About {
    About { effect, code, th, en }
}

/// An outside system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Thaid,
    Dga,
    Registry,
    Bank,
    Kbank,
    Gwallet,
}

impl Place {
    pub const ALL: [Self; 6] =
        [Self::Thaid, Self::Dga, Self::Registry, Self::Bank, Self::Kbank, Self::Gwallet];
    const PROVIDERS: &'static [Self] = &[Self::Thaid, Self::Dga];
    const BANKS: &'static [Self] = &[Self::Bank, Self::Kbank, Self::Gwallet];

    pub fn code(self) -> &'static str {
        match self {
            Self::Thaid => "thaid",
            Self::Dga => "dga",
            Self::Registry => "registry",
            Self::Bank => "bank",
            Self::Kbank => "kbank",
            Self::Gwallet => "gwallet",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.code() == code)
    }

    /// In Thai and English.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Thaid => ("ThaiD", "ThaiD"),
            Self::Dga => ("ทางรัฐ (DGA)", "DGA Digital ID"),
            Self::Registry => ("ทะเบียนบริษัท", "company registry"),
            Self::Bank => ("ธนาคารแบบ SCB", "bank in the manner of SCB"),
            Self::Kbank => ("ธนาคารแบบ KBank", "bank in the manner of KBank"),
            Self::Gwallet => ("G-Wallet", "G-Wallet"),
        }
    }
}

/// How long a trigger holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// Until it was used.
    Once,
    UntilCleared,
    /// Until this instant by the movable clock.
    Until(DateTime<Utc>),
}

impl Lasts {
    pub const MINUTES: std::ops::RangeInclusive<i64> = 1..=10_080;

    pub fn code(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::UntilCleared => "until_cleared",
            Self::Until(_) => "minutes",
        }
    }

    pub fn parse(code: &str, minutes: Option<i64>, now: DateTime<Utc>) -> Option<Self> {
        match (code, minutes) {
            ("once", _) => Some(Self::Once),
            ("until_cleared", _) => Some(Self::UntilCleared),
            ("minutes", Some(minutes)) if Self::MINUTES.contains(&minutes) => {
                Some(Self::Until(now + Duration::minutes(minutes)))
            }
            _ => None,
        }
    }
}

/// What a trigger is asked to hold for; nothing named holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub place: Option<Place>,
    /// The code of a persona.
    pub persona: Option<String>,
    pub amount_satang: Option<i64>,
    /// The first reference of a payment.
    pub reference: Option<String>,
}

/// Something that was told to go wrong.
#[derive(Clone, Debug)]
pub struct Trigger {
    pub id: Uuid,
    pub effect: Effect,
    pub scope: Scope,
    pub lasts: Lasts,
    pub set_at: DateTime<Utc>,
    pub used_count: i64,
}

/// Amounts that always go wrong in one way, in satang. No public service costs as much.
pub const AMOUNTS: [(i64, Effect); 9] = [
    (9_000_100, Effect::PaymentDeclined),
    (9_000_200, Effect::Payment(Behaviour::Missing)),
    (9_000_300, Effect::Payment(Behaviour::Duplicate)),
    (9_000_400, Effect::Payment(Behaviour::Late)),
    (9_000_500, Effect::Payment(Behaviour::Unsigned)),
    (9_000_600, Effect::Payment(Behaviour::WrongAmount)),
    (9_000_700, Effect::Payment(Behaviour::AfterExpiry)),
    (9_000_800, Effect::RefundRefused),
    (9_000_900, Effect::OrderRefused),
];

/// What always goes wrong with an amount.
pub fn by_amount(amount_satang: i64) -> Option<Effect> {
    AMOUNTS.into_iter().find(|(amount, _)| *amount == amount_satang).map(|(_, effect)| effect)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_effect_has_a_name_of_its_own_and_is_read_back() {
        let codes: BTreeSet<&str> = Effect::ALL.into_iter().map(|about| about.code).collect();
        assert_eq!(codes.len(), Effect::ALL.len());
        for about in Effect::ALL {
            assert_eq!(Effect::parse(about.code), Some(about.effect));
            assert_eq!(about.effect.about().code, about.code);
        }
    }

    #[test]
    fn the_payment_page_and_the_triggers_use_the_same_words() {
        for (behaviour, name, ..) in Behaviour::ALL {
            let expected = (behaviour != Behaviour::Normal).then_some(Effect::Payment(behaviour));
            assert_eq!(Effect::parse(name), expected);
        }
    }

    #[test]
    fn minutes_are_counted_by_the_given_clock_and_bounded() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(Lasts::parse("minutes", Some(10), now), Some(Lasts::Until(now + Duration::minutes(10))));
        for minutes in [None, Some(0), Some(-1), Some(10_081)] {
            assert_eq!(Lasts::parse("minutes", minutes, now), None);
        }
        assert_eq!(Lasts::parse("forever", None, now), None);
    }

    #[test]
    fn an_ordinary_amount_goes_well() {
        assert_eq!(by_amount(50_500), None);
        assert_eq!(by_amount(9_000_100), Some(Effect::PaymentDeclined));
    }
}
