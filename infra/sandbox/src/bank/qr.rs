//! Thai QR for bill payment (EMVCo merchant-presented, tag 30): written and read by the bank itself.

use crate::money;

/// A payload longer than this is not a payment QR.
const PAYLOAD_BYTES_MAX: usize = 512;
const BILL_PAYMENT_AID: &str = "A000000677010112";
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_IBM_3740);

/// What a bill-payment QR says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillPayment {
    /// 13-digit tax id and two-digit suffix.
    pub biller_id: String,
    pub reference1: String,
    pub reference2: Option<String>,
    pub reference3: Option<String>,
    pub amount_satang: Option<i64>,
}

/// Why a payload is not a bill-payment QR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("not a sequence of tag, length and value")]
    Shape,
    #[error("the check sum does not fit")]
    CheckSum,
    #[error("not a Thai bill payment in baht")]
    NotABill,
}

/// Writes the payload.
pub fn encode(bill: &BillPayment) -> String {
    let references = [("02", Some(&bill.reference1)), ("03", bill.reference2.as_ref())];
    let mut merchant = field("00", BILL_PAYMENT_AID) + &field("01", &bill.biller_id);
    for (tag, value) in references {
        merchant += &value.map(|value| field(tag, value)).unwrap_or_default();
    }
    // 12 = for one payment; 11 would be a QR without an amount, paid any number of times.
    let method = if bill.amount_satang.is_some() { "12" } else { "11" };
    let mut payload =
        field("00", "01") + &field("01", method) + &field("30", &merchant) + &field("53", "764");
    if let Some(satang) = bill.amount_satang {
        payload += &field("54", &money::baht(satang));
    }
    payload += &field("58", "TH");
    if let Some(reference3) = &bill.reference3 {
        payload += &field("62", &field("07", reference3));
    }
    payload += "6304";
    let sum = CRC.checksum(payload.as_bytes());
    format!("{payload}{sum:04X}")
}

/// Reads a payload; a wrong check sum is refused before anything else is believed.
pub fn decode(payload: &str) -> Result<BillPayment, Unreadable> {
    let fields = checked_fields(payload)?;
    let merchant = tlv(value(&fields, "30").ok_or(Unreadable::NotABill)?)?;
    let baht = value(&fields, "53") == Some("764") && value(&fields, "58") == Some("TH");
    if value(&merchant, "00") != Some(BILL_PAYMENT_AID) || !baht {
        return Err(Unreadable::NotABill);
    }
    let amount_satang = match value(&fields, "54") {
        Some(text) => Some(money::satang(text).ok_or(Unreadable::NotABill)?),
        None => None,
    };
    let additional = value(&fields, "62").map(tlv).transpose()?.unwrap_or_default();
    let owned = |text: &str| text.to_owned();
    Ok(BillPayment {
        biller_id: value(&merchant, "01").map(owned).ok_or(Unreadable::NotABill)?,
        reference1: value(&merchant, "02").map(owned).ok_or(Unreadable::NotABill)?,
        reference2: value(&merchant, "03").map(owned),
        reference3: value(&additional, "07").map(owned),
        amount_satang,
    })
}

type Field<'a> = (&'a str, &'a str);

fn field(tag: &str, value: &str) -> String {
    format!("{tag}{:02}{value}", value.len())
}

fn value<'a>(fields: &[Field<'a>], tag: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| *known == tag).map(|(_, value)| *value)
}

fn checked_fields(payload: &str) -> Result<Vec<Field<'_>>, Unreadable> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Unreadable::Shape);
    }
    let fields = tlv(payload)?;
    let (Some(("00", "01")), Some(("63", given))) = (fields.first(), fields.last()) else {
        return Err(Unreadable::Shape);
    };
    let covered = &payload[..payload.len() - given.len()];
    if format!("{:04X}", CRC.checksum(covered.as_bytes())) != given.to_ascii_uppercase() {
        return Err(Unreadable::CheckSum);
    }
    Ok(fields)
}

/// Splits into tags and values. Only ASCII is taken, so that cutting by bytes is safe.
fn tlv(text: &str) -> Result<Vec<Field<'_>>, Unreadable> {
    if !text.is_ascii() {
        return Err(Unreadable::Shape);
    }
    let mut fields = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at_checked(4).ok_or(Unreadable::Shape)?;
        let (tag, length) = head.split_at(2);
        if !head.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Unreadable::Shape);
        }
        let length: usize = length.parse().map_err(|_| Unreadable::Shape)?;
        let (value, tail) = tail.split_at_checked(length).ok_or(Unreadable::Shape)?;
        fields.push((tag, value));
        rest = tail;
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    // Each accepted by the npm packages promptpay-qr or promptparse.
    const CREDIT_TRANSFERS: [&str; 3] = [
        "00020101021129370016A000000677010111011300668012345675802TH530376463046197",
        "00020101021229370016A000000677010111011300668012345675802TH530376454044.22630444FE",
        "00020101021129370016A000000677010111021311111111111115802TH530376463047B5A",
    ];
    const BILLS: [&str; 2] = [
        "00020101021230650016A00000067701011201150999999999999900212111222333444030667042953037645802TH5406364.2262070703SCB63047EAF",
        "00020101021230650016A00000067701011201150994000165811000212123456789012030667042953037645802TH54073649.226304B853",
    ];

    fn map(payload: &str) -> BTreeMap<&str, &str> {
        let mut fields: BTreeMap<_, _> = checked_fields(payload).unwrap().into_iter().collect();
        fields.remove("63");
        fields
    }

    #[test]
    fn the_check_sum_is_that_of_the_standard() {
        assert_eq!(CRC.checksum(b"123456789"), 0x29B1);
    }

    #[test]
    fn credit_transfers_are_read_and_are_no_bills() {
        for vector in CREDIT_TRANSFERS {
            assert_eq!(map(vector)["58"], "TH");
            assert_eq!(decode(vector), Err(Unreadable::NotABill));
        }
    }

    #[test]
    fn bills_are_read_and_written_again_with_the_same_fields() {
        for vector in BILLS {
            let bill = decode(vector).unwrap();
            assert_eq!(map(&encode(&bill)), map(vector));
        }
        let bill = decode(BILLS[0]).unwrap();
        assert_eq!((bill.biller_id.as_str(), bill.reference1.as_str()), ("099999999999990", "111222333444"));
        assert_eq!((bill.reference2.as_deref(), bill.reference3.as_deref()), (Some("670429"), Some("SCB")));
        assert_eq!(bill.amount_satang, Some(36_422));
        assert_eq!(decode(BILLS[1]).unwrap().amount_satang, Some(364_922));
    }

    #[test]
    fn a_wrong_check_sum_is_refused() {
        assert_eq!(decode(&BILLS[0].replace("364.22", "364.23")), Err(Unreadable::CheckSum));
        assert_eq!(decode(&BILLS[0].replace("7EAF", "7EAE")), Err(Unreadable::CheckSum));
    }

    #[test]
    fn the_slip_qr_is_not_a_payment() {
        let slip = "004000060000010103002021900021231231212000115102TH91049C30";
        assert_eq!(decode(slip), Err(Unreadable::Shape));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fail(text in "\\PC*", at in 0..100usize, odd in "[ก-๙]{1,3}") {
            let _ = decode(&text);
            let mut vector = BILLS[0].to_owned();
            vector.insert_str(at, &odd);
            prop_assert!(decode(&vector).is_err());
        }

        #[test]
        fn what_is_written_is_read_back(
            reference1 in "[A-Z0-9]{1,20}",
            reference2 in proptest::option::of("[A-Z0-9]{1,20}"),
            reference3 in proptest::option::of("[A-Z0-9]{1,20}"),
            amount_satang in proptest::option::of(1..=money::AMOUNT_SATANG_MAX),
        ) {
            let biller_id = "099400000010401".to_owned();
            let bill = BillPayment { biller_id, reference1, reference2, reference3, amount_satang };
            prop_assert_eq!(decode(&encode(&bill)), Ok(bill));
        }
    }
}
