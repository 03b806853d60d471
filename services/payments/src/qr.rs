//! The Thai QR code for bill payment (EMVCo merchant-presented mode, tag 30): written and read here.
//!
//! Lengths count characters, never bytes, and text is only cut where characters meet: a crafted Thai
//! merchant name must not bring a reader down.

use std::collections::BTreeMap;

use crc::{CRC_16_IBM_3740, Crc};

/// The longest payload that is read, in characters; the largest QR code holds more, a payment never does.
const PAYLOAD_CHARS_MAX: usize = 512;
/// The application id of domestic bill payment.
const BILL_PAYMENT_AID: &str = "A000000677010112";
/// CRC-16/CCITT-FALSE, under its name in the catalogue of CRCs.
const CHECKSUM: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);

/// Why a payload is not read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    #[error("the QR payload is longer than {PAYLOAD_CHARS_MAX} characters")]
    TooLong,
    #[error("the QR payload is not a sequence of tag, length and value")]
    Malformed,
    #[error("the QR payload's checksum does not match")]
    BadChecksum,
    #[error("the QR payload is no domestic bill payment")]
    NotBillPayment,
    #[error("a value does not fit its place in a QR payload")]
    BadValue,
}

/// A bill to be paid by QR code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillPayment {
    /// 13 digits of the payee's tax number and a 2-digit suffix.
    pub biller_id: String,
    /// Reference 1, `[A-Z0-9]`, at most 20 characters.
    pub reference1: String,
    /// Reference 2, likewise.
    pub reference2: Option<String>,
    /// Reference 3: the terminal label, tag 62.07.
    pub reference3: Option<String>,
    /// The amount; without one the payer types it.
    pub amount_satang: Option<i64>,
}

impl BillPayment {
    /// Writes the payload.
    pub fn encode(&self) -> Result<String, QrError> {
        let biller_ok = self.biller_id.len() == 15 && self.biller_id.bytes().all(|b| b.is_ascii_digit());
        let references = [Some(&self.reference1), self.reference2.as_ref(), self.reference3.as_ref()];
        if !biller_ok || references.into_iter().flatten().any(|text| !is_reference(text)) {
            return Err(QrError::BadValue);
        }
        let mut account = field("00", BILL_PAYMENT_AID)? + &field("01", &self.biller_id)?;
        account += &field("02", &self.reference1)?;
        if let Some(reference2) = &self.reference2 {
            account += &field("03", reference2)?;
        }
        let once = if self.amount_satang.is_some() { "12" } else { "11" };
        let mut payload = field("00", "01")? + &field("01", once)? + &field("30", &account)?;
        payload += &field("53", "764")?;
        if let Some(amount_satang) = self.amount_satang {
            payload += &field("54", &baht_text(amount_satang).ok_or(QrError::BadValue)?)?;
        }
        payload += &field("58", "TH")?;
        if let Some(reference3) = &self.reference3 {
            payload += &field("62", &field("07", reference3)?)?;
        }
        payload += "6304";
        let checksum = CHECKSUM.checksum(payload.as_bytes());
        Ok(format!("{payload}{checksum:04X}"))
    }

    /// Reads a payload whose checksum matches.
    pub fn decode(payload: &str) -> Result<Self, QrError> {
        let fields = checked_fields(payload, "63")?;
        // The version stands first. Another currency or country would be another amount.
        let thai = fields.get("53").is_none_or(|code| code == "764")
            && fields.get("58").is_none_or(|code| code == "TH");
        if !payload.starts_with("000201") || !thai {
            return Err(QrError::NotBillPayment);
        }
        let account = fields_of(fields.get("30").ok_or(QrError::NotBillPayment)?)?;
        if account.get("00").map(String::as_str) != Some(BILL_PAYMENT_AID) {
            return Err(QrError::NotBillPayment);
        }
        let label = fields.get("62").map(|text| fields_of(text)).transpose()?.unwrap_or_default();
        let amount_satang = match fields.get("54") {
            Some(text) => Some(satang_of(text).ok_or(QrError::BadValue)?),
            None => None,
        };
        Ok(Self {
            biller_id: account.get("01").cloned().ok_or(QrError::NotBillPayment)?,
            reference1: account.get("02").cloned().ok_or(QrError::NotBillPayment)?,
            reference2: account.get("03").cloned(),
            reference3: label.get("07").cloned(),
            amount_satang,
        })
    }
}

/// The fields of a payload by tag, once its checksum (in `checksum_tag`: 63, or 91 on a slip) matches.
pub fn checked_fields(payload: &str, checksum_tag: &str) -> Result<BTreeMap<String, String>, QrError> {
    let split = payload.len().checked_sub(4).ok_or(QrError::Malformed)?;
    let (signed, checksum) = payload.split_at_checked(split).ok_or(QrError::Malformed)?;
    if signed.strip_suffix("04").and_then(|before| before.strip_suffix(checksum_tag)).is_none() {
        return Err(QrError::Malformed);
    }
    if checksum != format!("{:04X}", CHECKSUM.checksum(signed.as_bytes())) {
        return Err(QrError::BadChecksum);
    }
    let fields = fields_of(payload)?;
    // A value may end like a checksum: it must be the field itself.
    if fields.get(checksum_tag).map(String::as_str) == Some(checksum) {
        Ok(fields)
    } else {
        Err(QrError::Malformed)
    }
}

/// The fields of a sequence of tag, length and value; a tag comes once.
pub fn fields_of(text: &str) -> Result<BTreeMap<String, String>, QrError> {
    if text.chars().nth(PAYLOAD_CHARS_MAX).is_some() {
        return Err(QrError::TooLong);
    }
    let mut fields = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (tag, after_tag) = take(rest, 2)?;
        let (length, after_length) = take(after_tag, 2)?;
        if !tag.bytes().chain(length.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(QrError::Malformed);
        }
        let (value, after_value) = take(after_length, length.parse().map_err(|_| QrError::Malformed)?)?;
        if fields.insert(tag.to_owned(), value.to_owned()).is_some() {
            return Err(QrError::Malformed);
        }
        rest = after_value;
    }
    Ok(fields)
}

/// `505.00` for 50,500 satang; at most 13 characters, as tag 54 holds.
pub fn baht_text(satang: i64) -> Option<String> {
    let text = (satang > 0).then(|| format!("{}.{:02}", satang / 100, satang % 100))?;
    (text.len() <= 13).then_some(text)
}

/// 50,500 satang for `505.00`, `505.0` or `505`: digits, and at most two behind one point.
pub fn satang_of(text: &str) -> Option<i64> {
    let (baht, satang) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, chars_max| {
        (1..=chars_max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(baht, 13) || !digits(satang, 2) {
        return None;
    }
    let tens = if satang.len() == 1 { 10 } else { 1 };
    Some(baht.parse::<i64>().ok()? * 100 + satang.parse::<i64>().ok()? * tens)
}

fn is_reference(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn field(tag: &str, value: &str) -> Result<String, QrError> {
    let chars = value.chars().count();
    if chars > 99 { Err(QrError::BadValue) } else { Ok(format!("{tag}{chars:02}{value}")) }
}

/// The first `chars` characters, and the rest.
fn take(text: &str, chars: usize) -> Result<(&str, &str), QrError> {
    let mut boundaries = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let at = boundaries.nth(chars).ok_or(QrError::Malformed)?;
    text.split_at_checked(at).ok_or(QrError::Malformed)
}

#[cfg(test)]
mod tests;
