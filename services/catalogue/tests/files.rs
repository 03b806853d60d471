//! The files of this repository are valid and whole, and the lint refuses what must not be asked.

use std::collections::BTreeSet;

use catalogue::model::{AgencyKind, DecisionMode, FeeDue, Offering};
use catalogue::{Catalogue, Findings, SourceFile};
use serde_json::{Value, json};

/// The public services of the catalogue: the letters of each code, and how many there are of them.
const CODES: [(&str, usize); 27] = [
    ("BKK", 1),
    ("CON", 4),
    ("DBD", 3),
    ("DCY", 1),
    ("DDC", 1),
    ("DEP", 1),
    ("DIW", 2),
    ("DLT", 3),
    ("DOA", 1),
    ("DOAE", 2),
    ("DOE", 1),
    ("DOP", 11),
    ("DSL", 1),
    ("ECT", 1),
    ("FDA", 2),
    ("LAO", 6),
    ("MEA", 1),
    ("MOT", 1),
    ("NCB", 1),
    ("NHSO", 1),
    ("OBEC", 1),
    ("OPM", 1),
    ("RD", 1),
    ("RICE", 1),
    ("RTP", 1),
    ("SME", 1),
    ("SSO", 1),
];

/// What each municipality gives in its own area.
const MUNICIPAL: [&str; 7] = ["BKK-01", "LAO-01", "LAO-02", "LAO-03", "LAO-04", "LAO-05", "LAO-06"];

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

/// The catalogue that this repository holds.
fn ours() -> Catalogue {
    let mut files = Vec::new();
    for folder in ["agencies", "public_services", "life_events"] {
        let below = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(below).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
            files.push(SourceFile {
                path: format!("{folder}/{name}"),
                text: std::fs::read_to_string(&path).expect("the file can be read"),
            });
        }
    }
    Catalogue::read(&files).unwrap_or_else(|findings| panic!("{findings}"))
}

/// The codes of the services that can be filed with an offering such as this.
fn fileable_with(fits: impl Fn(&Offering) -> bool) -> Vec<String> {
    let services = ours().services.into_iter();
    let fitting = services.filter(|(_, service)| service.has_form() && service.offerings.iter().any(&fits));
    fitting.map(|(code, _)| code).collect()
}

#[test]
fn every_catalogue_file_is_valid_and_fees_say_whether_they_are_samples() {
    let sample_fees = ours().sample_fees();
    assert!(sample_fees.contains(&"LAO-01 by nonthaburi".to_owned()));
    assert!(!sample_fees.contains(&"DLT-01 by dlt".to_owned()));
}

#[test]
fn all_fifty_two_services_are_there() {
    let codes =
        CODES.iter().flat_map(|(letters, count)| (1..=*count).map(move |n| format!("{letters}-{n:02}")));
    let (codes, ours): (BTreeSet<String>, _) = (codes.collect(), ours());
    assert_eq!(codes.len(), 52);
    assert_eq!(ours.services.keys().cloned().collect::<BTreeSet<_>>(), codes);
}

#[test]
fn every_reference_leads_somewhere_and_every_agency_is_of_use() {
    let ours = ours();
    let mut used = BTreeSet::new();
    for (code, service) in &ours.services {
        let offering = service.offerings.iter().map(|offering| &offering.agency);
        for agency in offering.chain([&service.agency]) {
            assert!(ours.agencies.contains_key(agency), "{code}: {agency}");
            used.insert(agency);
        }
    }
    assert_eq!(used, ours.agencies.keys().collect());
    for (code, event) in &ours.life_events {
        for member in &event.services {
            assert!(ours.services.contains_key(member), "{code}: {member}");
        }
    }
}

#[test]
fn every_bundle_has_its_services_in_order() {
    let ours = ours();
    let bundles: Vec<(&str, Vec<&str>)> = ours
        .life_events
        .iter()
        .map(|(code, event)| (code.as_str(), event.services.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        bundles,
        [
            ("farm-the-land", vec!["DOAE-01", "DOAE-02", "RICE-01", "DOA-01"]),
            ("finish-secondary-school", vec!["OBEC-01", "DSL-01"]),
            ("have-a-child", vec!["DOP-05", "DCY-01", "NHSO-01"]),
            ("lose-a-job", vec!["DOE-01", "SSO-01", "NHSO-01"]),
            ("open-a-hotel", vec!["BKK-01", "DOP-09", "LAO-01", "LAO-02"]),
            ("open-a-restaurant", vec!["DBD-01", "LAO-01", "LAO-04", "BKK-01"]),
        ]
    );
}

#[test]
fn what_municipalities_give_is_offered_by_three_and_an_ordinance_makes_its_own_fee() {
    let ours = ours();
    for code in MUNICIPAL {
        let offerings = &ours.services[code].offerings;
        let of_municipality =
            |offering: &&Offering| ours.agencies[&offering.agency].kind == AgencyKind::LocalGovernment;
        assert!(offerings.iter().filter(of_municipality).count() >= 3, "{code}");
        // One law taxes or grants alike everywhere; only an ordinance names an amount of its own.
        let amounts: BTreeSet<_> = offerings.iter().map(|offering| offering.fee.satang).collect();
        let by_ordinance = ["LAO-01", "LAO-02"].contains(&code);
        assert_eq!(amounts.len(), if by_ordinance { offerings.len() } else { 1 }, "{code}: {amounts:?}");
    }
}

#[test]
fn each_kind_of_filing_has_a_service() {
    let all = fileable_with(|_| true);
    assert!((10..=14).contains(&all.len()), "{all:?}");
    for code in ["LAO-01", "DBD-01", "DLT-01", "DOAE-02", "OPM-01"] {
        assert!(all.contains(&code.to_owned()), "{code}");
    }
    let kind = |due, decision| {
        fileable_with(move |offering| offering.fee.due == due && offering.decision == decision)
    };
    assert_eq!(kind(FeeDue::Submission, DecisionMode::Officer), ["DBD-01"]);
    assert_eq!(kind(FeeDue::Submission, DecisionMode::Automatic), ["DBD-03"]);
    assert_eq!(kind(FeeDue::Approval, DecisionMode::Officer), ["DLT-01", "LAO-01", "LAO-02"]);
    assert_eq!(kind(FeeDue::None, DecisionMode::Automatic), ["DOAE-02", "ECT-01", "MOT-01"]);
    assert_eq!(kind(FeeDue::None, DecisionMode::Officer), ["LAO-05", "LAO-06", "OPM-01"]);
}

#[test]
fn a_guide_tells_where_to_go_and_never_asks_for_a_file() {
    for (code, service) in ours().services.iter().filter(|(_, service)| !service.has_form()) {
        assert!(service.steps.len() >= 2 || service.evidence.is_empty(), "{code}: too few steps");
        assert!(service.evidence.iter().all(|evidence| evidence.upload.is_none()), "{code}: has an upload");
    }
}

#[test]
fn whoever_receives_money_for_another_is_named() {
    let ours = ours();
    for (code, mut answers, name) in [
        (
            "LAO-05",
            json!({ "holder_name": "ก", "holder_birth_date": "1960-01-31", "receive_by": "promptpay",
                    "no_state_pension": true, "phone": "0812345678" }),
            "receiver_name",
        ),
        (
            "LAO-06",
            json!({ "holder_name": "ก", "receive_by": "promptpay", "needs_carer": false, "phone": "021234567" }),
            "carer_name",
        ),
    ] {
        let form = ours.services[code].form.as_ref().unwrap().published(1);
        let valid = |answers: &Value| jsonschema::draft202012::is_valid(&form.schema, answers);
        assert!(valid(&answers), "{code}: {answers}");
        answers["receive_by"] = json!("carer");
        if code == "LAO-06" {
            answers["needs_carer"] = json!(true);
        }
        assert!(!valid(&answers), "{code}: {answers}");
        answers[name] = json!("ข");
        assert!(valid(&answers), "{code}: {answers}");
    }
}

#[test]
fn sixty_golden_searches_each_mean_a_service_that_is_there() {
    let golden: toml::Table = include_str!("golden_queries.toml").parse().unwrap();
    let golden = golden["queries"].as_array().unwrap();
    let of = |key: &str| golden.iter().map(|entry| entry[key].as_str().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!((golden.len(), of("query").len()), (60, 60));
    assert_eq!(of("service"), ours().services.keys().map(String::as_str).collect());
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
