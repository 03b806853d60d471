//! Money: satang inside, a decimal string outside; never a floating-point number.

use async_graphql::{Enum, SimpleObject};
use serde::{Deserialize, Serialize};

use crate::cache_control;

/// The currency of an amount (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
pub enum Currency {
    /// Thai baht (บาท), 100 satang.
    #[graphql(name = "THB")]
    Thb,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
#[graphql(shareable, directive = cache_control::apply(None, None, Some(true)))]
pub struct Money {
    /// The amount in baht as a decimal string with two places, `"505.00"`.
    pub amount: String,
    /// Its currency.
    pub currency: Currency,
}

impl Money {
    /// An amount given in satang (สตางค์), a hundredth of a baht.
    pub fn from_satang(satang: i64) -> Self {
        let sign = if satang < 0 { "-" } else { "" };
        let absolute = satang.unsigned_abs();
        Self { amount: format!("{sign}{}.{:02}", absolute / 100, absolute % 100), currency: Currency::Thb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satang_are_shown_as_two_decimal_places() {
        for (satang, text) in [(0, "0.00"), (5, "0.05"), (50_500, "505.00"), (-1, "-0.01")] {
            assert_eq!(Money::from_satang(satang).amount, text);
        }
        assert_eq!(Money::from_satang(i64::MIN).amount, "-92233720368547758.08");
    }
}
