//! Forms, and the lint that refuses one which asks for what the state already holds.

use std::collections::BTreeSet;

use graphql::LocalizedText;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Findings, PublishedForm};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const FIELDS_MAX: usize = 100;
/// Longer than any answer that an officer reads.
const TEXT_CHARS_MAX: u64 = 10_000;
const ITEMS_MAX: u64 = 200;
/// Every revision of every offering pins the form: it is kept small.
const FORM_BYTES_MAX: usize = 128 * 1024;
const SECTIONS_MAX: usize = 50;
/// How the TOML reader writes a date that stands without quotes.
const TOML_DATE: &str = "$__toml_private_datetime";

/// What a prefilled field may be filled from; applications knows how to fetch each.
const SOURCES: [&str; 6] = [
    "profile.name_th",
    "profile.name_en",
    "profile.birth_date",
    "profile.address",
    "party.name_th",
    "party.registration_number",
];

/// What the state holds about whoever applies, as property names without case and underscores.
const HELD_BY_THE_STATE: [&str; 27] = [
    "address",
    "birthdate",
    "birthday",
    "citizenid",
    "companyregistrationnumber",
    "dateofbirth",
    "familyname",
    "firstname",
    "fullname",
    "givenname",
    "homeaddress",
    "houseregistration",
    "idcard",
    "idcardnumber",
    "idnumber",
    "lastname",
    "name",
    "nameen",
    "nameth",
    "nationalid",
    "nationalidnumber",
    "pid",
    "registeredaddress",
    "registrationnumber",
    "surname",
    "taxid",
    "thaiid",
];

/// Names for whoever applies: `applicant_name` asks for the same as `name`.
const APPLICANT_WORDS: [&str; 9] =
    ["applicant", "citizen", "complainant", "farmer", "holder", "my", "person", "trader", "voter"];

/// A form: JSON Schema 2020-12 for the answers, and a layout for the screen.
///
/// The schema is written without `$schema`, `type` and `additionalProperties`: they are always the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Form {
    pub schema: Value,
    pub layout: Layout,
}

/// The order and grouping of a form's fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    pub sections: Vec<Section>,
}

/// A group of fields under a title.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    pub title: LocalizedText,
    /// JSON pointers into the answers: `/shop_name`.
    pub fields: Vec<String>,
}

impl Form {
    /// The form as clients get it: the schema completed, prefilled fields marked read-only.
    pub fn published(&self, revision: i64) -> PublishedForm {
        let mut schema = Map::new();
        schema.insert("$schema".into(), json!(DIALECT));
        schema.insert("type".into(), json!("object"));
        schema.insert("additionalProperties".into(), json!(false));
        schema.extend(self.schema.as_object().cloned().unwrap_or_default());
        for property in
            schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
        {
            if let Some(property) =
                property.as_object_mut().filter(|property| property.contains_key("x-source"))
            {
                property.insert("readOnly".into(), json!(true));
            }
        }
        PublishedForm { revision, schema: Value::Object(schema), layout: self.layout.clone() }
    }

    /// Notes what is wrong with the form of `file`.
    pub fn lint(&self, file: &str, findings: &mut Findings) {
        for key in ["$schema", "type", "additionalProperties"] {
            if self.schema.get(key).is_some() {
                findings.add(
                    file,
                    format!("form.schema.{key}"),
                    "is always the same and is added when published",
                );
            }
        }
        let text = self.schema.to_string();
        if text.len() > FORM_BYTES_MAX {
            return findings.add(file, "form.schema", format!("is larger than {FORM_BYTES_MAX} bytes"));
        }
        if text.contains(TOML_DATE) {
            findings.add(file, "form.schema", "has a date that is not in quotes");
        }
        if !(1..=SECTIONS_MAX).contains(&self.layout.sections.len()) {
            findings.add(file, "form.layout.sections", format!("are not 1 to {SECTIONS_MAX}"));
        }
        let schema = self.published(1).schema;
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            findings.add(file, format!("form.schema{}", error.instance_path()), error.to_string());
        } else if let Err(error) = jsonschema::draft202012::new(&schema) {
            findings.add(file, "form.schema", error.to_string());
        }
        let Some(properties) = self.schema.get("properties").and_then(Value::as_object) else {
            return findings.add(file, "form.schema.properties", "is missing");
        };
        if properties.is_empty() || properties.len() > FIELDS_MAX {
            findings.add(
                file,
                "form.schema.properties",
                format!("has none or more than {FIELDS_MAX} fields"),
            );
        }
        lint_properties(properties, "form.schema.properties", true, file, findings);
        self.lint_names(properties, file, findings);
    }

    /// `required` and the layout name the fields that there are, and the layout each of them once.
    fn lint_names(&self, properties: &Map<String, Value>, file: &str, findings: &mut Findings) {
        let required =
            self.schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for name in required.iter().filter_map(Value::as_str) {
            if !properties.contains_key(name) {
                findings.add(file, "form.schema.required", format!("\"{name}\" is not a property"));
            }
        }
        let mut placed = BTreeSet::new();
        for (index, section) in self.layout.sections.iter().enumerate() {
            for pointer in &section.fields {
                let key = format!("form.layout.sections[{index}].fields");
                let name = pointer.strip_prefix('/').unwrap_or_default();
                if !properties.contains_key(name) {
                    findings.add(file, key, format!("\"{pointer}\" points to no property"));
                } else if !placed.insert(name) {
                    findings.add(file, key, format!("\"{pointer}\" is placed twice"));
                }
            }
        }
        for name in properties.keys().filter(|name| !placed.contains(name.as_str())) {
            findings.add(file, "form.layout.sections", format!("leaves out \"/{name}\""));
        }
    }
}

fn lint_properties(
    properties: &Map<String, Value>,
    path: &str,
    top: bool,
    file: &str,
    findings: &mut Findings,
) {
    for (name, property) in properties {
        let key = format!("{path}.{name}");
        let Some(property) = property.as_object() else {
            findings.add(file, key, "is not a schema");
            continue;
        };
        if !super::rules::is_field_name(name) {
            findings.add(file, &key, "is not a name of small letters, digits and underscores");
        }
        for (title, language) in [("title", "Thai"), ("x-title-en", "English")] {
            if property.get(title).and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
                findings.add(file, &key, format!("has no {title}, its {language} title"));
            }
        }
        lint_source(name, property, &key, top, file, findings);
        lint_limits(property, &key, file, findings);
        let items = property.get("items").and_then(Value::as_object);
        if let Some(items) = items {
            lint_limits(items, &format!("{key}.items"), file, findings);
        }
        for (below, at) in [(Some(property), ""), (items, ".items")] {
            if let Some(inner) = below.and_then(|schema| schema.get("properties")).and_then(Value::as_object)
            {
                lint_properties(inner, &format!("{key}{at}.properties"), false, file, findings);
            }
        }
    }
}

/// What the state holds is prefilled from its source and never asked for.
fn lint_source(
    name: &str,
    property: &Map<String, Value>,
    key: &str,
    top: bool,
    file: &str,
    findings: &mut Findings,
) {
    match property.get("x-source") {
        None if is_held_by_the_state(name, property) => {
            findings.add(
                file,
                key,
                "asks for what the state already holds: give it an x-source or leave it out",
            );
        }
        None => {}
        Some(Value::String(source)) if SOURCES.contains(&source.as_str()) => {
            if !top {
                findings.add(
                    file,
                    key,
                    "has an x-source below the top of the form, where nothing is prefilled",
                );
            }
            if property.get("readOnly").is_some_and(|value| value != true) {
                findings.add(file, key, "is prefilled from x-source and so may not be editable (readOnly)");
            }
        }
        Some(source) => {
            findings.add(file, key, format!("x-source {source} is none of {}", SOURCES.join(", ")));
        }
    }
}

fn is_held_by_the_state(name: &str, property: &Map<String, Value>) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let about_applicant = APPLICANT_WORDS.iter().filter_map(|word| plain.strip_prefix(word));
    let held =
        std::iter::once(plain.as_str()).chain(about_applicant).any(|name| HELD_BY_THE_STATE.contains(&name));
    let title = property.get("title").and_then(Value::as_str).unwrap_or_default();
    held || title.contains("เลขประจำตัวประชาชน") || title.contains("เลขบัตรประชาชน") || title == "วันเกิด"
}

/// Every answer has a limit.
fn lint_limits(property: &Map<String, Value>, key: &str, file: &str, findings: &mut Findings) {
    let limit = |name: &str| property.get(name).and_then(Value::as_u64);
    match property.get("type").and_then(Value::as_str) {
        Some("string") if limit("maxLength").is_none_or(|chars| chars > TEXT_CHARS_MAX) => {
            findings.add(file, key, format!("is text without a maxLength of at most {TEXT_CHARS_MAX}"));
        }
        Some("array") if limit("maxItems").is_none_or(|items| items > ITEMS_MAX) => {
            findings.add(file, key, format!("is a list without maxItems of at most {ITEMS_MAX}"));
        }
        Some("array") if !property.get("items").is_some_and(Value::is_object) => {
            findings.add(file, key, "is a list that does not say of what (items)");
        }
        // What is in an object is checked like the form itself, so it must be all that can be in it.
        Some("object")
            if !property.get("properties").is_some_and(Value::is_object)
                || property.get("additionalProperties") != Some(&json!(false)) =>
        {
            findings.add(
                file,
                key,
                "is an object without properties, or one that takes others (additionalProperties)",
            );
        }
        Some("number" | "integer") if !property.contains_key("maximum") => {
            findings.add(file, key, "is a number without a maximum");
        }
        Some("string" | "array" | "number" | "integer" | "boolean" | "object") => {}
        _ if ["const", "enum", "oneOf"].iter().any(|choice| property.contains_key(*choice)) => {}
        _ => findings.add(file, key, "has neither a type nor a choice (const, enum, oneOf)"),
    }
}
