//! The 13-digit national number (เลขประจำตัวประชาชน): read once, shown masked, never logged.

use std::fmt;

/// Which numbers an environment accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Real ones: the check digit must be right.
    Real,
    /// Test persons: the check digit must be wrong, so that no real person's number can appear.
    Invalid,
}

/// A natural person's number. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct NationalId(String);

impl NationalId {
    /// Reads a number as a provider sends it; `None` when it cannot be a person's number here.
    pub fn parse(text: &str, accepted: Numbers) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        // 0 begins a juristic person's registration number.
        let formed =
            digits.len() == 13 && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        let checked =
            formed && (check_digit(&digits) == digits.as_bytes()[12] - b'0') == (accepted == Numbers::Real);
        checked.then_some(Self(digits))
    }

    /// The digits, for the blind index, for sealing, and for asking a registry.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// A form that tells its owner which number is meant, and a stranger little: `x-xxxx-xxxxx-12-3`.
    pub fn masked(&self) -> String {
        format!("x-xxxx-xxxxx-{}-{}", &self.0[10..12], &self.0[12..])
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalId(…)")
    }
}

/// `c = (11 − Σ dᵢ·(14−i) mod 11) mod 10` over the first twelve digits.
fn check_digit(digits: &str) -> u8 {
    let sum: u32 = digits
        .bytes()
        .take(12)
        .zip((2..=13_u32).rev())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    u8::try_from((11 - sum % 11) % 10).expect("below ten")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_known_registration_numbers() {
        for number in ["0107544000108", "0107542000011", "0107545000161", "0107535000265"] {
            assert_eq!(check_digit(number), number.as_bytes()[12] - b'0', "{number}");
        }
    }

    #[test]
    fn a_test_persons_number_is_refused_where_real_ones_are_accepted() {
        assert!(NationalId::parse("1100100001015", Numbers::Invalid).is_some());
        assert!(NationalId::parse("1100100001015", Numbers::Real).is_none());
    }

    #[test]
    fn a_companys_number_is_no_persons() {
        assert!(NationalId::parse("0105550000113", Numbers::Invalid).is_none());
        assert!(NationalId::parse("0107544000108", Numbers::Real).is_none());
    }

    #[test]
    fn the_masked_form_keeps_three_digits_and_debug_none() {
        let id = NationalId::parse("1-1001-00001-01-5", Numbers::Invalid).unwrap();
        assert_eq!(id.masked(), "x-xxxx-xxxxx-01-5");
        assert!(!format!("{id:?}").contains('1'));
    }
}
