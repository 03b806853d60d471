//! Amounts as files write them: baht with two decimals, "505.00"; satang everywhere else.

/// No fee of a public service comes near it; a larger one is a slip of the pen.
pub const SATANG_MAX: i64 = 100_000_000;

/// Reads `505.00`; exactly two decimals, so that nobody wonders whether `505` is baht or satang.
pub fn satang(baht: &str) -> Option<i64> {
    let (whole, part) = baht.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() != 2 || whole.len() > 9 {
        return None;
    }
    let amount = whole.parse::<i64>().ok()? * 100 + part.parse::<i64>().ok()?;
    (amount <= SATANG_MAX).then_some(amount)
}

/// Serde of an optional amount of satang as a text in baht.
pub mod baht {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(satang: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        satang.map(|satang| format!("{}.{:02}", satang / 100, satang % 100)).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        let wrong = |text: String| {
            serde::de::Error::custom(format!(
                "\"{text}\" is not an amount in baht such as \"505.00\", at most 1000000.00"
            ))
        };
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::satang(&text).ok_or_else(|| wrong(text))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::satang;

    #[test]
    fn an_amount_has_two_decimals_and_no_sign() {
        assert_eq!(satang("505.00"), Some(50_500));
        assert_eq!(satang("0.05"), Some(5));
        for wrong in ["505", "505.0", "-1.00", "1,000.00", "1.000", ".50", "1.", "", "1000000.01", "๕.๐๐"]
        {
            assert_eq!(satang(wrong), None, "{wrong}");
        }
    }
}
