//! What an officer changes of an offering, and what must hold for it: the same as for a file.

use graphql::{FieldProblem, LocalizedText};
use serde::Serialize;

use super::{Contact, Fee, Findings, LegalDays, OfferingContent, money, rules};

/// What is changed; what is not given stays as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OfferingEdit {
    pub fee: Option<Fee>,
    pub legal_days: Option<LegalDays>,
    pub contacts: Option<Vec<Contact>>,
    pub accepting: Option<bool>,
}

impl OfferingEdit {
    /// The content as it is after the edit, or all that is wrong with it.
    pub fn of(
        &self,
        content: &OfferingContent,
        sample_fees_refused: bool,
    ) -> Result<OfferingContent, Vec<FieldProblem>> {
        let mut edited = content.clone();
        if let Some(fee) = &self.fee {
            edited.fee = fee.clone();
        }
        if let Some(legal_days) = &self.legal_days {
            edited.legal_days = legal_days.clone();
        }
        if let Some(contacts) = &self.contacts {
            edited.contacts = contacts.clone();
        }
        edited.accepting = self.accepting.unwrap_or(content.accepting);
        let faults = self.faults(&edited, sample_fees_refused);
        if faults.is_empty() { Ok(edited) } else { Err(faults) }
    }

    fn faults(&self, edited: &OfferingContent, sample_fees_refused: bool) -> Vec<FieldProblem> {
        let mut findings = Findings::default();
        if self.fee.is_some() {
            rules::check_fee("fee", &edited.fee, edited.form.is_some(), "", &mut findings);
        }
        if self.legal_days.is_some() {
            rules::check_legal_days("legal_days", &edited.legal_days, "", &mut findings);
        }
        if self.contacts.is_some() {
            rules::check_contacts("contacts", &edited.contacts, "", &mut findings);
        }
        let mut faults: Vec<FieldProblem> = findings
            .0
            .into_iter()
            .map(|finding| {
                fault(
                    &pointer(&finding.key),
                    "ข้อมูลส่วนนี้ไม่ถูกต้องหรือไม่ครบถ้วน",
                    format!("It {}.", finding.message),
                )
            })
            .collect();
        if sample_fees_refused && edited.fee.is_sample() {
            faults.push(fault(
                "/fee/factStatus",
                "ระบบจริงไม่รับค่าธรรมเนียมตัวอย่าง",
                "A sample fee is refused in production.",
            ));
        }
        if edited.accepting && edited.form.is_none() {
            faults.push(fault(
                "/accepting",
                "บริการนี้ไม่มีแบบคำขอ จึงยื่นที่นี่ไม่ได้",
                "The service has no form: nothing can be filed here.",
            ));
        }
        if self.fee.is_none()
            && self.legal_days.is_none()
            && self.contacts.is_none()
            && self.accepting.is_none()
        {
            faults.push(fault("", "ไม่ได้ระบุสิ่งที่จะแก้ไข", "Nothing to change was given."));
        }
        faults
    }
}

/// Something refused, in the words of both languages.
pub fn fault(pointer: &str, th: &str, en: impl Into<String>) -> FieldProblem {
    FieldProblem { pointer: pointer.to_owned(), message: LocalizedText::new(th, en) }
}

/// Reads an amount in baht such as `505.00`.
pub fn satang_of(baht: &str) -> Result<i64, FieldProblem> {
    let (th, en) = (
        "ระบุเป็นบาทพร้อมทศนิยมสองตำแหน่ง เช่น 505.00 ไม่เกิน 1000000.00",
        "It is not an amount in baht such as \"505.00\", at most 1000000.00.",
    );
    money::satang(baht).ok_or_else(|| fault("/fee/amount", th, en))
}

/// A key of a file as a pointer into the input: `contacts[0].url` is `/contacts/0/url`.
fn pointer(key: &str) -> String {
    let path = key.replace("amount_baht", "amount").replace("legal_days", "legalDays");
    format!("/{}", path.replace('[', "/").replace(']', "").replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DaysCounted, FactStatus, FeeDue, FeeOnRejection};

    fn content() -> OfferingContent {
        serde_json::from_value(serde_json::json!({
            "service_code": "TST-01", "service_title": { "th": "ทดสอบ" }, "agency_code": "tests",
            "agency_name": { "th": "กรม" }, "area": null, "audience": ["citizen"], "ial": "2.1", "aal": "2.1",
            "fee": { "amount_baht": "50.00", "due": "approval", "status": "sample" },
            "legal_days": { "days": 1, "status": "sample" }, "decision": "officer", "accepting": false,
            "form": null, "evidence": [],
        }))
        .unwrap()
    }

    fn told(edit: &OfferingEdit, production: bool) -> Vec<String> {
        let faults = edit.of(&content(), production).err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn an_edit_is_held_to_what_files_are_held_to() {
        let fee = Fee {
            satang: Some(0),
            due: FeeDue::Approval,
            on_rejection: FeeOnRejection::Refund,
            status: FactStatus::Verified,
            source: None,
            note: None,
        };
        let legal_days = LegalDays {
            days: -1,
            counted: DaysCounted::Working,
            status: FactStatus::Sample,
            source: None,
            note: None,
        };
        let contact = Contact {
            name: LocalizedText::new("สำนักงาน", "Office"),
            url: Some("http://example.go.th".into()),
            phone: None,
            status: FactStatus::Sample,
            source: None,
        };
        let edit = OfferingEdit {
            fee: Some(fee),
            legal_days: Some(legal_days),
            contacts: Some(vec![contact]),
            accepting: Some(true),
        };
        let pointers = ["/fee/source", "/fee/amount", "/legalDays/days", "/contacts/0/url", "/accepting"];
        assert_eq!(told(&edit, false), pointers);
        assert_eq!(told(&OfferingEdit::default(), false), [""]);
        assert_eq!(
            told(&OfferingEdit { accepting: Some(false), ..OfferingEdit::default() }, true),
            ["/fee/factStatus"]
        );
    }
}
