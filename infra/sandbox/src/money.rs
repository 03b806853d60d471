//! Amounts as the outside writes them ("505.00") and as we keep them (satang).

/// The largest single payment the rails take: two million baht.
pub const AMOUNT_SATANG_MAX: i64 = 200_000_000;

/// Reads a positive amount of baht with at most two decimals.
pub fn satang(baht: &str) -> Option<i64> {
    let (whole, part) = baht.split_once('.').unwrap_or((baht, "0"));
    let digits = |text: &str, length_max: usize| {
        (1..=length_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 9) || !digits(part, 2) {
        return None;
    }
    let part_satang = part.parse::<i64>().ok()? * if part.len() == 1 { 10 } else { 1 };
    let satang = whole.parse::<i64>().ok()? * 100 + part_satang;
    (1..=AMOUNT_SATANG_MAX).contains(&satang).then_some(satang)
}

/// Writes satang as baht with two decimals.
pub fn baht(satang: i64) -> String {
    format!("{}.{:02}", satang / 100, satang % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_satang() {
        assert_eq!(satang("505.00"), Some(50_500));
        assert_eq!(satang("505"), Some(50_500));
        assert_eq!(satang("0.5"), Some(50));
        assert_eq!(baht(364_922), "3649.22");
        assert_eq!(baht(5), "0.05");
    }

    #[test]
    fn odd_amounts_are_refused() {
        for text in ["", "0", "0.00", "-1", "1.234", "1.", ".5", "1e3", "๑๐", "9999999999", "2000000.01"]
        {
            assert_eq!(satang(text), None, "{text}");
        }
    }
}
