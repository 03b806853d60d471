//! What must hold of any bytes: they are refused, or say the same when written and read again.

use super::qr::{BillPayment, baht_text, checked_fields, fields_of, satang_of};

/// One input. Bytes that are no text stand for a payload whose checksum is made good.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    one(&text);
    // Behind a good checksum more of the reader can be reached.
    let signed = format!("{text}6304");
    one(&format!("{signed}{:04X}", checksum(signed.as_bytes())));
}

fn one(text: &str) {
    let _ = fields_of(text);
    for tag in ["63", "91"] {
        if let Ok(fields) = checked_fields(text, tag) {
            assert!(text.ends_with(&fields[tag]), "the checksum stands last");
        }
    }
    if let Some(satang) = satang_of(text) {
        let again = baht_text(satang).map(|text| satang_of(&text));
        assert!(satang >= 0 && again.is_none_or(|again| again == Some(satang)));
    }
    let Ok(bill) = BillPayment::decode(text) else { return };
    // A reader takes more than a writer: what can be written says the same.
    if let Ok(written) = bill.encode() {
        assert_eq!(BillPayment::decode(&written).as_ref(), Ok(&bill));
    }
}

/// CRC-16/CCITT-FALSE, bit by bit: not the codec's own.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
        })
    })
}
