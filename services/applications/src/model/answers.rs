//! Answers to a form: bounds, types while drafting, and everything the form asks for at submission.

use graphql::{FieldProblem, LocalizedText};
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value as Json;

use super::prefill::Source;

/// Answers as JSON text are at most this long.
pub const ANSWERS_BYTES_MAX: usize = 64 * 1024;
/// Objects and lists in answers nest at most this deep.
pub const ANSWERS_DEPTH_MAX: usize = 10;
/// Faults listed in one refusal.
const FAULTS_MAX: usize = 100;

/// A form that is not a JSON Schema: catalogue's lint should have refused it.
#[derive(Debug, thiserror::Error)]
#[error("the form of the offering is not a valid JSON Schema")]
pub struct BadForm;

/// What is being asked of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A draft may lack answers, but what is there must be of the right type.
    Draft,
    /// A submission answers everything.
    Submission,
}

/// Holds answers against the form; an empty list means nothing is wrong.
pub fn faults(form: &Json, answers: &Json, asked: Asked) -> Result<Vec<FieldProblem>, BadForm> {
    if let Some(fault) = out_of_bounds(answers) {
        return Ok(vec![fault]);
    }
    let validator = validator(form)?;
    let errors = validator.iter_errors(answers);
    let counted = errors.filter(|error| asked == Asked::Submission || is_about_type(error.kind()));
    Ok(counted.flat_map(|error| in_words(&error)).take(FAULTS_MAX).collect())
}

/// Leaves out members that are null: to a form, "null" says "not answered".
pub fn without_nulls(answers: Json) -> Json {
    match answers {
        Json::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// Puts values the state gave back where the citizen left them out, and refuses changed ones.
pub fn keep_sourced(answers: &mut Json, kept: &Json, sources: &[Source]) -> Vec<FieldProblem> {
    let mut faults = Vec::new();
    for source in sources {
        let Some(name) = source.pointer.strip_prefix('/') else { continue };
        let (Some(value), Some(members)) = (kept.get(name), answers.as_object_mut()) else { continue };
        match members.get(name) {
            None => _ = members.insert(name.to_owned(), value.clone()),
            Some(given) if given == value => {}
            Some(_) => faults.push(fault(
                &source.pointer,
                "ข้อมูลนี้มาจากทะเบียนของรัฐ แก้ไขที่นี่ไม่ได้".into(),
                "This value comes from a state register and cannot be changed here.".into(),
            )),
        }
    }
    faults
}

/// A fault at a place in the answers (JSON pointer), in both languages.
pub fn fault(pointer: &str, th: String, en: String) -> FieldProblem {
    FieldProblem { pointer: pointer.to_owned(), message: LocalizedText { th, en: Some(en) } }
}

fn out_of_bounds(answers: &Json) -> Option<FieldProblem> {
    // Depth first: writing the text out recurses as deep as the value does.
    if depth(answers) > ANSWERS_DEPTH_MAX {
        let th = format!("คำตอบซ้อนกันลึกเกิน {ANSWERS_DEPTH_MAX} ชั้น");
        return Some(fault("", th, format!("Answers nest deeper than {ANSWERS_DEPTH_MAX} levels.")));
    }
    if answers.to_string().len() > ANSWERS_BYTES_MAX {
        let th = format!("คำตอบรวมกันยาวเกิน {ANSWERS_BYTES_MAX} ไบต์");
        return Some(fault("", th, format!("Answers are longer than {ANSWERS_BYTES_MAX} bytes in all.")));
    }
    None
}

fn depth(value: &Json) -> usize {
    let mut deepest = 0;
    let mut waiting = vec![(value, 1)];
    while let Some((value, level)) = waiting.pop() {
        if level > ANSWERS_DEPTH_MAX + 1 {
            return level;
        }
        match value {
            Json::Array(items) => waiting.extend(items.iter().map(|item| (item, level + 1))),
            Json::Object(members) => waiting.extend(members.values().map(|item| (item, level + 1))),
            _ => continue,
        }
        deepest = deepest.max(level);
    }
    deepest
}

fn validator(form: &Json) -> Result<Validator, BadForm> {
    jsonschema::options().should_validate_formats(true).build(form).map_err(|_| BadForm)
}

/// Wrong types, and answers to questions nobody asked.
fn is_about_type(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Type { .. }
            | Kind::AdditionalProperties { .. }
            | Kind::UnevaluatedProperties { .. }
            | Kind::FalseSchema
    )
}

/// One fault per field: a missing answer is reported where it is missing, not at its parent.
fn in_words(error: &ValidationError<'_>) -> Vec<FieldProblem> {
    let at = error.instance_path().as_str();
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![fault(&child(at, name), "กรุณากรอกข้อมูลนี้".into(), "This answer is required.".into())]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let unknown = unexpected.iter().map(|name| {
                fault(&child(at, name), "แบบคำขอไม่มีข้อนี้".into(), "The form has no such field.".into())
            });
            unknown.collect()
        }
        kind => {
            let (th, en) = rule_in_words(kind);
            vec![fault(at, th, en)]
        }
    }
}

fn rule_in_words(kind: &Kind) -> (String, String) {
    match kind {
        Kind::Type { kind } => {
            let wanted = wanted_type(kind);
            (format!("ชนิดข้อมูลไม่ถูกต้อง ต้องเป็น {wanted}"), format!("Wrong type: must be {wanted}."))
        }
        Kind::MinLength { limit: 1 } => ("กรุณากรอกข้อมูลนี้".into(), "This answer must not be empty.".into()),
        Kind::MinLength { limit } => {
            (format!("ต้องมีอย่างน้อย {limit} ตัวอักษร"), format!("At least {limit} characters."))
        }
        Kind::MaxLength { limit } => {
            (format!("ต้องไม่เกิน {limit} ตัวอักษร"), format!("At most {limit} characters."))
        }
        Kind::Minimum { limit } => (format!("ต้องไม่น้อยกว่า {limit}"), format!("Must be {limit} or more.")),
        Kind::Maximum { limit } => (format!("ต้องไม่มากกว่า {limit}"), format!("Must be {limit} or less.")),
        Kind::ExclusiveMinimum { limit } => {
            (format!("ต้องมากกว่า {limit}"), format!("Must be more than {limit}."))
        }
        Kind::ExclusiveMaximum { limit } => {
            (format!("ต้องน้อยกว่า {limit}"), format!("Must be less than {limit}."))
        }
        Kind::MinItems { limit } => {
            (format!("ต้องมีอย่างน้อย {limit} รายการ"), format!("At least {limit} entries."))
        }
        Kind::MaxItems { limit } => (format!("ต้องไม่เกิน {limit} รายการ"), format!("At most {limit} entries.")),
        Kind::UniqueItems => ("รายการต้องไม่ซ้ำกัน".into(), "Entries must differ from each other.".into()),
        Kind::OneOfNotValid { .. } | Kind::AnyOf { .. } | Kind::Enum { .. } => {
            ("ต้องเลือกจากตัวเลือกที่กำหนด".into(), "Must be one of the choices given.".into())
        }
        Kind::Constant { .. } => ("ต้องเป็นค่าที่กำหนด".into(), "Must be the value the form requires.".into()),
        Kind::Pattern { .. } => ("รูปแบบไม่ถูกต้อง".into(), "Not in the required form.".into()),
        Kind::MultipleOf { multiple_of } => {
            (format!("ต้องเป็นจำนวนเท่าของ {multiple_of}"), format!("Must be a multiple of {multiple_of}."))
        }
        Kind::Format { format } => format_in_words(format),
        _ => ("ข้อมูลไม่ถูกต้อง".into(), "This answer is not valid.".into()),
    }
}

fn format_in_words(format: &str) -> (String, String) {
    let (th, en) = match format {
        "date" => ("ต้องเป็นวันที่ เช่น 2026-11-30", "Must be a date such as 2026-11-30."),
        "date-time" => ("ต้องเป็นวันและเวลา", "Must be a date with a time."),
        "time" => ("ต้องเป็นเวลา เช่น 08:30:00+07:00", "Must be a time such as 08:30:00+07:00."),
        "email" | "idn-email" => ("ต้องเป็นที่อยู่อีเมล", "Must be an e-mail address."),
        "uri" | "iri" => {
            ("ต้องเป็นที่อยู่เว็บ เช่น https://example.com", "Must be a web address such as https://example.com.")
        }
        _ => return (format!("รูปแบบไม่ถูกต้อง ({format})"), format!("Not a valid {format}.")),
    };
    (th.into(), en.into())
}

fn wanted_type(kind: &jsonschema::error::TypeKind) -> String {
    match kind {
        jsonschema::error::TypeKind::Single(wanted) => wanted.to_string(),
        jsonschema::error::TypeKind::Multiple(wanted) => {
            wanted.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" / ")
        }
    }
}

/// A JSON pointer one step further (RFC 6901).
fn child(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Json {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": ["shop_name", "area_sqm"],
            "properties": {
                "owner_name": { "type": "string", "x-source": "profile.name_th" },
                "shop_name": { "type": "string", "minLength": 1, "maxLength": 20 },
                "area_sqm": { "type": "number", "minimum": 1 },
            },
        })
    }

    fn pointers(answers: Json, asked: Asked) -> Vec<String> {
        faults(&form(), &answers, asked).unwrap().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_draft_may_be_incomplete_but_not_of_a_wrong_type() {
        assert!(pointers(json!({}), Asked::Draft).is_empty());
        assert!(pointers(json!({ "shop_name": "" }), Asked::Draft).is_empty());
        assert_eq!(pointers(json!({ "area_sqm": "big" }), Asked::Draft), ["/area_sqm"]);
        assert_eq!(pointers(json!({ "pets": 3 }), Asked::Draft), ["/pets"]);
        assert_eq!(pointers(json!([1]), Asked::Draft), [""]);
    }

    #[test]
    fn a_submission_answers_everything_and_each_field_is_told() {
        let mut found = pointers(json!({ "area_sqm": 0 }), Asked::Submission);
        found.sort();
        assert_eq!(found, ["/area_sqm", "/shop_name"]);
        assert!(pointers(json!({ "shop_name": "ร้าน", "area_sqm": 40 }), Asked::Submission).is_empty());
    }

    #[test]
    fn faults_deep_in_lists_and_groups_are_told_where_they_are_in_both_languages() {
        let form = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "plots": { "type": "array", "minItems": 1, "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["rai", "planted_on"],
                    "properties": {
                        "rai": { "type": "number", "maximum": 100, "multipleOf": 0.25 },
                        "planted_on": { "type": "string", "format": "date" },
                        "a/b~c": { "type": "string", "minLength": 2 },
                        "kind": { "oneOf": [{ "const": "rice" }, { "const": "cane" }] },
                    },
                } },
                "contact": { "type": "object", "required": ["email"], "properties": {
                    "email": { "type": "string", "format": "email" },
                } },
            },
        });
        let answers = json!({
            "plots": [
                { "rai": 1, "planted_on": "2026-11-01", "kind": "rice" },
                { "rai": 100.3, "planted_on": "1 พ.ย. 2569", "a/b~c": "x", "kind": "tea", "owner": 1 },
                { "rai": null, "planted_on": null },
                "ไร่",
            ],
            "contact": { "email": "ไม่ใช่อีเมล" },
        });
        let told = faults(&form, &without_nulls(answers), Asked::Submission).unwrap();
        let mut pointers: Vec<&str> = told.iter().map(|fault| fault.pointer.as_str()).collect();
        pointers.sort_unstable();
        pointers.dedup();
        let expected = [
            "/contact/email",
            "/plots/1/a~1b~0c",
            "/plots/1/kind",
            "/plots/1/owner",
            "/plots/1/planted_on",
            "/plots/1/rai",
            "/plots/2/planted_on",
            "/plots/2/rai",
            "/plots/3",
        ];
        assert_eq!(pointers, expected);
        for fault in &told {
            let thai = |text: &str| text.chars().any(|letter| ('\u{e00}'..='\u{e7f}').contains(&letter));
            let english = fault.message.en.as_deref().unwrap();
            assert!(thai(&fault.message.th) && english.is_ascii(), "{fault:?}");
            assert!(!fault.message.th.contains("ไม่ถูกต้อง ("), "a format without words: {fault:?}");
        }
    }

    #[test]
    fn answers_are_bounded_in_depth_and_length() {
        let mut deep = json!({});
        for _ in 0..2_000 {
            deep = json!({ "in": deep });
        }
        assert_eq!(pointers(deep, Asked::Draft), [""]);
        let long = json!({ "shop_name": "ก".repeat(ANSWERS_BYTES_MAX) });
        assert_eq!(pointers(long, Asked::Draft), [""]);
    }

    #[test]
    fn what_the_state_gave_is_kept_and_cannot_be_changed() {
        let source = Source {
            pointer: "/owner_name".into(),
            source: "profile.name_th".into(),
            fetched_at: chrono::DateTime::UNIX_EPOCH,
        };
        let kept = json!({ "owner_name": "สมหญิง" });
        let mut left_out = json!({ "shop_name": "ร้าน" });
        assert!(keep_sourced(&mut left_out, &kept, std::slice::from_ref(&source)).is_empty());
        assert_eq!(left_out["owner_name"], "สมหญิง");
        let mut changed = json!({ "owner_name": "สมชาย" });
        assert_eq!(keep_sourced(&mut changed, &kept, &[source])[0].pointer, "/owner_name");
    }
}
