//! The codec against vectors that independent libraries made, and against anything at all.

use proptest::prelude::*;

use super::*;
use crate::qr;

/// What the fuzzer runs.
#[path = "../../fuzz/src/target.rs"]
mod target;

/// Made by npm `promptpay-qr` and `promptparse`, and checked with a CRC written from scratch.
const VECTORS: [&str; 5] = [
    "00020101021129370016A000000677010111011300668012345675802TH530376463046197",
    "00020101021229370016A000000677010111011300668012345675802TH530376454044.22630444FE",
    "00020101021129370016A000000677010111021311111111111115802TH530376463047B5A",
    "00020101021230650016A00000067701011201150999999999999900212111222333444030667042953037645802TH5406364.2262070703SCB63047EAF",
    "00020101021230650016A00000067701011201150994000165811000212123456789012030667042953037645802TH54073649.226304B853",
];
const SLIP: &str = "004000060000010103002021900021231231212000115102TH91049C30";

fn bill_364_22() -> BillPayment {
    BillPayment {
        biller_id: "099999999999990".into(),
        reference1: "111222333444".into(),
        reference2: Some("670429".into()),
        reference3: Some("SCB".into()),
        amount_satang: Some(36_422),
    }
}

#[test]
fn every_vector_has_a_good_checksum() {
    for vector in VECTORS {
        assert!(checked_fields(vector, "63").is_ok(), "{vector}");
    }
    let slip = checked_fields(SLIP, "91").unwrap();
    assert_eq!(fields_of(&slip["00"]).unwrap()["02"], "0002123123121200011");
}

#[test]
fn a_bill_is_read_as_the_library_wrote_it() {
    assert_eq!(BillPayment::decode(VECTORS[3]).unwrap(), bill_364_22());
    assert_eq!(BillPayment::decode(VECTORS[4]).unwrap().amount_satang, Some(364_922));
    assert_eq!(BillPayment::decode(VECTORS[0]), Err(QrError::NotBillPayment));
}

#[test]
fn a_bill_is_written_with_the_fields_the_library_writes() {
    // The order of the fields is free, so checksum and text differ between writers: compare fields.
    let strip = |payload: &str| {
        let mut fields = checked_fields(payload, "63").unwrap();
        fields.remove("63");
        fields
    };
    assert_eq!(strip(&bill_364_22().encode().unwrap()), strip(VECTORS[3]));
}

/// The bars under a paper bill, after a bar: biller, references and satang, parted by returns.
fn of_barcode(barcode: &str) -> BillPayment {
    let parts: Vec<&str> = barcode.strip_prefix('|').unwrap().split('\r').collect();
    let amount_satang = Some(parts[3].parse().unwrap()).filter(|satang| *satang > 0);
    BillPayment {
        biller_id: parts[0].into(),
        reference1: parts[1].into(),
        reference2: Some(parts[2].into()).filter(|text: &String| !text.is_empty()),
        reference3: None,
        amount_satang,
    }
}

#[test]
fn a_paper_bill_s_barcode_says_the_same_as_its_qr_code() {
    let bill = of_barcode("|099400016581100\r123456789012\r670429\r364922");
    assert_eq!(BillPayment::decode(VECTORS[4]).unwrap(), bill);
    assert_eq!(BillPayment::decode(&bill.encode().unwrap()).unwrap(), bill);
}

#[test]
fn every_single_changed_character_of_a_vector_is_noticed() {
    for vector in VECTORS {
        for at in 0..vector.len() {
            for other in ["0", "9", "A", "ก", ""] {
                let changed = format!("{}{other}{}", &vector[..at], &vector[at + 1..]);
                assert!(changed == vector || checked_fields(&changed, "63").is_err(), "{changed}");
            }
        }
    }
}

#[test]
fn a_value_that_ends_like_a_checksum_is_none() {
    // The last field is 59, of eight characters: its value only looks like tag, length and checksum.
    let signed = "00020159086304";
    let payload = format!("{signed}{:04X}", CHECKSUM.checksum(signed.as_bytes()));
    assert_eq!(checked_fields(&payload, "63"), Err(QrError::Malformed));
}

#[test]
fn another_currency_country_or_version_is_no_bill_of_ours() {
    for (ours, other) in [("5303764", "5303840"), ("5802TH", "5802SG"), ("000201", "000202")] {
        let text = VECTORS[3].replacen(ours, other, 1);
        let signed = &text[..text.len() - 4];
        let changed = format!("{signed}{:04X}", CHECKSUM.checksum(signed.as_bytes()));
        assert_eq!(BillPayment::decode(&changed), Err(QrError::NotBillPayment), "{other}");
    }
}

/// The fuzzer's inputs, run again without it.
#[test]
fn every_kept_input_of_the_fuzzer_is_read_or_refused() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/qr");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().map(|seed| seed.unwrap().path()).collect();
    assert!(seeds.len() > 8);
    for seed in seeds {
        println!("{}", seed.display());
        target::run(&std::fs::read(&seed).unwrap());
    }
}

#[test]
fn the_checksum_is_the_catalogued_one() {
    assert_eq!(CHECKSUM.checksum(b"123456789"), 0x29B1);
}

#[test]
fn a_bad_checksum_is_refused() {
    let broken = VECTORS[3].replace("364.22", "364.23");
    assert_eq!(BillPayment::decode(&broken), Err(QrError::BadChecksum));
}

#[test]
fn thai_text_at_odd_places_is_read_or_refused_never_a_panic() {
    let with = |body: &str| {
        let signed = format!("{body}6304");
        format!("{signed}{:04X}", CHECKSUM.checksum(signed.as_bytes()))
    };
    let named = with("0002015908ร้านก๋วย"); // eight characters, many more bytes
    assert_eq!(checked_fields(&named, "63").unwrap()["59"], "ร้านก๋วย");
    assert!(checked_fields(&with("00ก2"), "63").is_err());
    assert!(checked_fields("กขค", "63").is_err());
}

#[test]
fn amounts_are_exact() {
    assert_eq!(satang_of("505"), Some(50_500));
    assert_eq!(satang_of("4.2"), Some(420));
    assert_eq!(satang_of("4.22"), Some(422));
    for bad in ["", ".", "4.", ".5", "4.222", "-4", "+4", "4,00", "1e3", "๔.๒๒", "99999999999999"] {
        assert_eq!(satang_of(bad), None, "{bad}");
    }
    assert_eq!(baht_text(50_500).as_deref(), Some("505.00"));
    assert_eq!(baht_text(0), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = BillPayment::decode(&text);
        let _ = fields_of(&text);
    }

    #[test]
    fn any_text_with_a_good_checksum_is_read_or_refused(text in "(?:[0-9]{4}|[ก-๙A-Z.]){0,60}") {
        let signed = format!("{text}6304");
        let _ = BillPayment::decode(&format!("{signed}{:04X}", CHECKSUM.checksum(signed.as_bytes())));
    }

    #[test]
    fn what_is_written_is_read_again(biller_id in "[0-9]{15}", reference1 in "[A-Z0-9]{1,20}",
                                     reference2 in proptest::option::of("[A-Z0-9]{1,20}"),
                                     reference3 in proptest::option::of("[A-Z0-9]{1,20}"),
                                     amount_satang in proptest::option::of(1_i64..100_000_000_000)) {
        let bill = BillPayment { biller_id, reference1, reference2, reference3, amount_satang };
        prop_assert_eq!(BillPayment::decode(&bill.encode().unwrap()).unwrap(), bill);
    }
}
