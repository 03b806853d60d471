//! Forms that would let anything in, grow without end or cannot be written back are refused.

use catalogue::{Catalogue, SourceFile};

const AGENCY: &str = "kind = \"department\"\nname = { th = \"กรมทดสอบ\", en = \"Department of Tests\" }\n";

/// What is told of a service whose one field is `field`, under `name`.
fn told(name: &str, field: &str) -> String {
    let service = format!(
        r#"
title = {{ th = "ทดสอบ", en = "Test" }}
summary = {{ th = "ทดสอบ", en = "For tests." }}
agency = "tests"
audience = ["citizen"]
channels = ["app"]
delivery_mode = "online"
keywords = {{ th = ["ทดสอบ"], en = ["test"] }}
identity = {{ ial = "2.1", aal = "2.1", status = "sample" }}
steps = [{{ title = {{ th = "ยื่น", en = "File" }} }}]
contacts = [{{ name = {{ th = "กรม", en = "Department" }}, status = "sample" }}]

[[offerings]]
agency = "tests"
decision = "officer"
fee = {{ amount_baht = "0.00", due = "none", status = "sample" }}
legal_days = {{ days = 1, status = "sample" }}

[[form.layout.sections]]
title = {{ th = "คำขอ", en = "Request" }}
fields = ["/{name}"]

[form.schema.properties.{name}]
title = "หัวข้อ"
x-title-en = "Heading"
{field}
"#
    );
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    let files = [file("agencies/tests.toml", AGENCY), file("public_services/TST-01.toml", &service)];
    Catalogue::read(&files).map_or_else(|findings| findings.to_string(), |_| String::new())
}

const PLACE: &str = "{ title = \"ที่\", x-title-en = \"Place\", type = \"string\", maxLength = 9 }";

#[test]
fn what_is_in_a_list_or_an_object_is_held_to_the_same() {
    assert_eq!(told("shop", "type = \"string\"\nmaxLength = 10"), "");
    assert_eq!(
        told(
            "plots",
            &format!(
                "type = \"array\"\nmaxItems = 3\nitems = {{ type = \"object\", additionalProperties = false, properties = {{ place = {PLACE} }} }}"
            )
        ),
        ""
    );
    for (field, finding) in [
        ("type = \"array\"\nmaxItems = 3".to_owned(), "does not say of what"),
        (
            "type = \"array\"\nmaxItems = 3\nitems = { type = \"string\" }".to_owned(),
            "shop.items: is text without a maxLength",
        ),
        ("type = \"object\"".to_owned(), "is an object without properties"),
        (format!("type = \"object\"\nproperties = {{ place = {PLACE} }}"), "one that takes others"),
        (
            format!(
                "type = \"object\"\nadditionalProperties = false\nproperties = {{ birth_date = {PLACE} }}"
            ),
            "birth_date: asks for what the state already holds",
        ),
    ] {
        let told = told("shop", &field);
        assert!(told.contains(finding), "{field}: {told}");
    }
}

#[test]
fn a_field_has_a_plain_name_and_a_date_stands_in_quotes() {
    let fancy = told("Shop-name", "type = \"string\"\nmaxLength = 10");
    assert!(fancy.contains("is not a name of small letters"), "{fancy}");
    let date = told("day", "type = \"string\"\nmaxLength = 10\nconst = 2026-11-22");
    assert!(date.contains("a date that is not in quotes"), "{date}");
}

#[test]
fn a_form_has_a_size_that_every_revision_can_carry() {
    let choices: Vec<String> = (0..4_000).map(|n| format!("\"choice number {n:030}\"")).collect();
    let told = told("shop", &format!("enum = [{}]", choices.join(", ")));
    assert!(told.contains("form.schema: is larger than"), "{}", &told[..told.len().min(200)]);
}
