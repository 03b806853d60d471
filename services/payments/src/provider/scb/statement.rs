//! The bank's account of one day: a file of lines, counted and summed at its end. ASSUMED: banks agree on
//! its form with each biller; this one parts fields by a bar.

use chrono::{DateTime, NaiveDate, Utc};

use super::super::ProviderError;
use crate::model::{LineKind, StatementLine};
use crate::qr::satang_of;

/// The longest number or reference that is taken, in characters.
const TEXT_CHARS_MAX: usize = 64;

/// Reads a whole account of a day. One that is cut short, or does not sum up, is not believed at all.
pub fn lines_of(text: &str, biller_id: &str, day: NaiveDate) -> Result<Vec<StatementLine>, ProviderError> {
    let mut rows = text.lines();
    if rows.next() != Some(format!("H|{biller_id}|{day}").as_str()) {
        return Err(ProviderError::Malformed("an account of another day or biller"));
    }
    let mut lines = Vec::new();
    let (mut paid_satang, mut refunded_satang) = (0_i64, 0_i64);
    for row in rows {
        let fields: Vec<&str> = row.split('|').collect();
        let line = match fields[..] {
            ["P", id, reference, amount, at] => line(LineKind::Payment, (id, id, reference), amount, at),
            ["R", id, transfer, amount, at] => line(LineKind::Refund, (id, transfer, ""), amount, at),
            ["T", count, paid, refunded] => {
                let whole = count.parse() == Ok(lines.len())
                    && total_of(paid) == Some(paid_satang)
                    && total_of(refunded) == Some(refunded_satang);
                let wrong = ProviderError::Malformed("an account that does not sum up");
                return if whole { Ok(lines) } else { Err(wrong) };
            }
            _ => None,
        };
        let line = line.ok_or(ProviderError::Malformed("a line of the account cannot be read"))?;
        let sum = match line.kind {
            LineKind::Payment => &mut paid_satang,
            LineKind::Refund => &mut refunded_satang,
        };
        *sum = sum.saturating_add(line.amount_satang);
        lines.push(line);
    }
    Err(ProviderError::Malformed("an account that is cut short"))
}

fn line(
    kind: LineKind,
    (line_id, provider_txn_id, reference): (&str, &str, &str),
    amount: &str,
    at: &str,
) -> Option<StatementLine> {
    let fits = |text: &str| text.chars().count() <= TEXT_CHARS_MAX;
    if line_id.is_empty() || ![line_id, provider_txn_id, reference].into_iter().all(fits) {
        return None;
    }
    Some(StatementLine {
        kind,
        line_id: line_id.to_owned(),
        provider_txn_id: provider_txn_id.to_owned(),
        reference: reference.to_owned(),
        amount_satang: satang_of(amount).filter(|satang| *satang > 0)?,
        occurred_at: DateTime::parse_from_rfc3339(at).ok()?.with_timezone(&Utc),
    })
}

/// A sum may be zero.
fn total_of(text: &str) -> Option<i64> {
    satang_of(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BILLER: &str = "099400000010401";
    const TEXT: &str = "H|099400000010401|2026-11-23\n\
        P|t1|REF1|505.00|2026-11-23T10:00:00.000+07:00\n\
        R|r1|t1|5.00|2026-11-23T11:00:00.000+07:00\n\
        T|2|505.00|5.00\n";

    fn read(text: &str) -> Result<Vec<StatementLine>, ProviderError> {
        lines_of(text, BILLER, "2026-11-23".parse().unwrap())
    }

    #[test]
    fn an_account_is_read_whole() {
        let lines = read(TEXT).unwrap();
        assert_eq!((lines[0].kind, lines[0].amount_satang), (LineKind::Payment, 50_500));
        assert_eq!((lines[1].line_id.as_str(), lines[1].provider_txn_id.as_str()), ("r1", "t1"));
        assert_eq!(read("H|099400000010401|2026-11-23\nT|0|0.00|0.00\n").unwrap(), Vec::new());
    }

    #[test]
    fn an_account_that_is_cut_or_does_not_sum_up_is_not_believed() {
        let cut = TEXT.split_once("T|").unwrap().0;
        for wrong in [
            "",
            cut,
            &TEXT.replace("T|2", "T|3"),
            &TEXT.replace("T|2|505.00", "T|2|504.00"),
            &TEXT.replace("2026-11-23\n", "2026-11-24\n"),
            &TEXT.replace("R|r1|", "R|"),
            &TEXT.replace("P|t1", "P|"),
            &TEXT.replace("505.00|2026", "ก|2026"),
            &TEXT.replace("H|0994", "H|0995"),
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(rows in "(?:[PRTH|0-9.ก\n]{0,12}){0,20}") {
            let _ = read(&format!("H|{BILLER}|2026-11-23\n{rows}"));
        }
    }
}
