//! The 13-digit number of an applicant, as officers look for it: taken in, and never shown.

use std::fmt;

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// A person's national number (เลขประจำตัวประชาชน) or a company's registration number: 13 digits, with or
/// without hyphens. It is only looked for by its blind index, never kept in the clear, never shown.
pub struct NationalId(String);

#[Scalar(name = "NationalId")]
impl ScalarType for NationalId {
    fn parse(value: Value) -> InputValueResult<Self> {
        // What was sent is not repeated: errors are logged and shown.
        let refused = || InputValueError::custom("not a number of 13 digits");
        let Value::String(text) = value else { return Err(refused()) };
        let digits: String = text.chars().filter(|letter| !matches!(letter, '-' | ' ')).collect();
        let formed = digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if formed { Ok(Self(digits)) } else { Err(refused()) }
    }

    fn to_value(&self) -> Value {
        Value::Null
    }
}

impl NationalId {
    /// The digits, for the blind index alone.
    pub fn digits(self) -> String {
        self.0
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalId(…)")
    }
}
