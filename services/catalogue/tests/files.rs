//! The files of this repository are valid, and the lint refuses what must not be asked.

use catalogue::{Catalogue, Findings, SourceFile};

const AGENCY: &str = r#"
kind = "department"
name = { th = "กรมทดสอบ", en = "Department of Tests" }
"#;

/// A whole service of the smallest kind that can be filed.
const SERVICE: &str = r#"
title = { th = "ใบอนุญาตทดสอบ", en = "Test licence" }
summary = { th = "ทดสอบ", en = "For tests." }
agency = "tests"
audience = ["citizen"]
channels = ["app"]
delivery_mode = "online"
keywords = { th = ["ทดสอบ"], en = ["test"] }
identity = { ial = "2.1", aal = "2.1", status = "sample" }
steps = [{ title = { th = "ยื่น", en = "File" } }]
contacts = [{ name = { th = "กรมทดสอบ", en = "Department of Tests" }, status = "sample" }]
evidence = [
    { code = "id_card", title = { th = "บัตร", en = "Card" }, required = true, held_by = { th = "กรม", en = "Dept" } },
    { code = "map", title = { th = "แผนที่", en = "Map" }, required = true, upload = { media_types = ["image/png"], bytes_max = 1000 } },
]

[form.schema]
required = ["shop_name"]

[form.schema.properties.applicant_name]
title = "ชื่อ"
x-title-en = "Name"
type = "string"
maxLength = 100
x-source = "party.name_th"

[form.schema.properties.shop_name]
title = "ชื่อร้าน"
x-title-en = "Shop"
type = "string"
maxLength = 100

[[form.layout.sections]]
title = { th = "คำขอ", en = "Request" }
fields = ["/applicant_name", "/shop_name"]

[[offerings]]
agency = "tests"
decision = "officer"
fee = { amount_baht = "50.00", due = "submission", status = "sample" }
legal_days = { days = 1, status = "sample" }
"#;

fn read(service: &str) -> Result<Catalogue, Findings> {
    Catalogue::read(&[
        SourceFile { path: "agencies/tests.toml".into(), text: AGENCY.into() },
        SourceFile { path: "public_services/TST-01.toml".into(), text: service.into() },
    ])
}

/// What is told when `from` is replaced by `to` in the small service.
fn told(from: &str, to: &str) -> String {
    assert!(SERVICE.contains(from), "{from}");
    read(&SERVICE.replacen(from, to, 1)).expect_err("the file is refused").to_string()
}

#[test]
fn every_catalogue_file_is_valid() {
    let mut files = Vec::new();
    for folder in ["agencies", "public_services", "life_events"] {
        let below = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.push(SourceFile {
                path: format!("{folder}/{name}"),
                text: std::fs::read_to_string(&path).unwrap(),
            });
        }
    }
    let catalogue = Catalogue::read(&files).unwrap_or_else(|findings| panic!("{findings}"));
    assert!(catalogue.services.len() >= 14);
    assert!(catalogue.services.values().filter(|service| service.has_form()).count() >= 7);
    assert!(catalogue.sample_fees().contains(&"LAO-01 by nonthaburi".to_owned()));
    assert!(!catalogue.sample_fees().contains(&"DLT-01 by dlt".to_owned()));
}

#[test]
fn the_small_service_is_valid() {
    read(SERVICE).unwrap_or_else(|findings| panic!("{findings}"));
}

#[test]
fn an_error_names_the_file_and_the_key() {
    let told = told("amount_baht = \"50.00\"", "amount_baht = \"50.00\", amount_usd = \"2.00\"");
    assert_eq!(told, "public_services/TST-01.toml: offerings[0].fee.amount_usd: is not a key of this file");
}

#[test]
fn a_malformed_file_names_its_line() {
    let told = told("delivery_mode = \"online\"", "delivery_mode = \"teleport\"");
    assert!(told.contains("public_services/TST-01.toml") && told.contains("teleport"), "{told}");
    assert!(told.contains("line 7"), "{told}");
}

#[test]
fn all_findings_are_told_at_once() {
    let service =
        SERVICE.replace("channels = [\"app\"]", "channels = []").replace("ial = \"2.1\"", "ial = \"3\"");
    let service = service.replace("days = 1", "days = -1");
    assert_eq!(read(&service).unwrap_err().0.len(), 2);
}

#[test]
fn a_form_may_not_ask_for_what_the_state_holds() {
    for name in ["national_id", "birth_date", "address", "name", "applicant_name_th", "surname", "citizenId"]
    {
        let told = told("[form.schema.properties.shop_name]", &format!("[form.schema.properties.{name}]"));
        let finding = format!("form.schema.properties.{name}: asks for what the state already holds");
        assert!(told.contains(&finding), "{told}");
    }
    let told = told("title = \"ชื่อร้าน\"", "title = \"เลขประจำตัวประชาชน 13 หลัก\"");
    assert!(told.contains("asks for what the state already holds"), "{told}");
}

#[test]
fn an_upload_may_not_ask_for_what_the_state_holds() {
    let upload = "upload = { media_types = [\"image/png\"], bytes_max = 1000 }";
    let held = "held_by = { th = \"กรม\", en = \"Dept\" }";
    let told_both = told(held, &format!("{held}, {upload}"));
    assert!(told_both.contains("evidence[0].upload: asks for what the state already holds"), "{told_both}");
    let told_known = told(held, upload);
    assert!(told_known.contains("evidence[0]: asks for \"id_card\""), "{told_known}");
    let told_neither = told(&format!(", {upload}"), "");
    assert!(told_neither.contains("can neither be fetched"), "{told_neither}");
}

#[test]
fn a_prefilled_field_is_never_editable() {
    let told_editable =
        told("x-source = \"party.name_th\"", "x-source = \"party.name_th\"\nreadOnly = false");
    assert!(told_editable.contains("may not be editable"), "{told_editable}");
    let told_unknown = told("x-source = \"party.name_th\"", "x-source = \"facebook.name\"");
    assert!(told_unknown.contains("is none of profile.name_th"), "{told_unknown}");
    let form = read(SERVICE).unwrap().services["TST-01"].form.clone().unwrap().published(1);
    assert_eq!(form.schema["properties"]["applicant_name"]["readOnly"], true);
    assert_eq!(form.schema["properties"]["shop_name"].get("readOnly"), None);
    assert_eq!(form.schema["additionalProperties"], false);
}

#[test]
fn a_form_has_limits_and_titles_and_every_field_has_its_place() {
    for (from, to, finding) in [
        ("type = \"string\"\nmaxLength = 100\n\n", "type = \"string\"\n\n", "is text without a maxLength"),
        ("x-title-en = \"Shop\"", "", "has no x-title-en"),
        ("type = \"string\"", "type = \"strng\"", "form.schema/properties/applicant_name/type"),
        ("maxLength = 100", "maxLength = 100\npattern = \"(\"", "form.schema"),
        ("\"/shop_name\"]", "\"/shop\"]", "points to no property"),
        ("\"/shop_name\"]", "\"/applicant_name\"]", "is placed twice"),
        (", \"/shop_name\"]", "]", "leaves out \"/shop_name\""),
        ("[\"shop_name\"]", "[\"shop\"]", "\"shop\" is not a property"),
    ] {
        let told = told(from, to);
        assert!(told.contains(finding), "{told}");
    }
}

#[test]
fn a_fee_is_an_amount_that_fits_when_it_is_due() {
    for (from, to, finding) in [
        ("\"50.00\"", "\"50\"", "is not an amount in baht"),
        ("\"50.00\"", "\"-50.00\"", "is not an amount in baht"),
        ("\"50.00\"", "\"99999999.00\"", "is not an amount in baht"),
        ("\"50.00\"", "\"0.00\"", "is nothing though a fee is due"),
        ("\"submission\"", "\"none\"", "though no fee is due"),
        ("amount_baht = \"50.00\", ", "", "a bill needs an amount"),
        ("status = \"sample\" }\nlegal", "status = \"verified\" }\nlegal", "fee.source: is missing"),
    ] {
        let told = told(from, to);
        assert!(told.contains(finding), "{told}");
    }
}

#[test]
fn a_file_has_its_place_and_its_name() {
    for path in
        ["LAO-01.toml", "public_services/../LAO-01.toml", "public_services/lao.toml", "services/LAO-01.toml"]
    {
        let files = [SourceFile { path: path.into(), text: SERVICE.into() }];
        assert!(Catalogue::read(&files).is_err(), "{path}");
    }
}
