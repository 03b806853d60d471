//! Publishing: the same files twice make nothing new, a change makes a revision and a message.

mod setting;

use catalogue::{Edits, Service, SourceFile, offering_id};
use chassis::Environment;
use database::args;
use serde_json::{Value, json};
use setting::{Setting, open, settings};
use testkit::Engines;

/// The text of a file of this repository, with a piece of it replaced.
fn edited(path: &str, from: &str, to: &str) -> SourceFile {
    let whole = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(whole).expect("the file is there");
    assert!(text.contains(from), "{path} has no {from}");
    SourceFile { path: path.into(), text: text.replace(from, to) }
}

async fn messages(service: &Service) -> Vec<Value> {
    let sql = "select payload from outbox_message where topic = 'catalogue.offering_published'";
    let rows = service.database().rows(sql, args![]).await.expect("the outbox is there");
    rows.iter().map(|row| row.get("payload").expect("each has a payload")).collect()
}

async fn fee(setting: &Setting, area: &str) -> Value {
    let document = r#"query($area: String!) { publicService(code: "LAO-01") { revision
        offering(area: $area) { revision accepting fee { amount { amount } } } } }"#;
    setting.ask(document, json!({ "area": area })).await["publicService"].clone()
}

#[tokio::test]
async fn the_same_files_make_no_new_revision() {
    for setting in settings().await {
        let before = messages(&setting.service).await.len();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let applied = setting.service.apply_directory(folder, Edits::Keep).await.unwrap();
        assert!(applied.is_empty(), "{applied:?}");
        assert!(setting.service.apply_embedded().await.unwrap().is_empty());
        assert_eq!(messages(&setting.service).await.len(), before);
    }
}

#[tokio::test]
async fn an_edited_fee_is_a_new_revision_of_that_offering_alone() {
    for setting in settings().await {
        let before = messages(&setting.service).await.len();
        let file = edited("public_services/LAO-01.toml", "\"1000.00\"", "\"1200.00\"");
        let applied = setting.service.apply(&[file], Edits::Keep).await.unwrap();
        let nonthaburi = offering_id("LAO-01", "nonthaburi");
        assert_eq!((applied.services.len(), applied.offerings), (0, vec![nonthaburi]));

        let changed = fee(&setting, "1201").await;
        assert_eq!(changed["offering"]["fee"]["amount"]["amount"], "1200.00");
        assert_eq!((&changed["revision"], &changed["offering"]["revision"]), (&json!(1), &json!(2)));
        assert_eq!(fee(&setting, "5001").await["offering"]["revision"], 1);

        let messages = messages(&setting.service).await;
        assert_eq!(messages.len(), before + 1);
        let message = messages.iter().find(|message| message["revision"] == 2).unwrap();
        assert_eq!(message["offering_id"], json!(nonthaburi));
        assert_eq!((&message["revision"], &message["fee_satang"]), (&json!(2), &json!(120_000)));

        // The first revision stays as it was.
        let sql = "select content from offering_revision where offering_id = $1 and revision = 1";
        let row = setting.service.database().row(sql, args![nonthaburi]).await.unwrap().unwrap();
        assert_eq!(row.get::<Value>("content").unwrap()["fee"]["amount_baht"], "1000.00");
    }
}

#[tokio::test]
async fn a_message_carries_all_that_an_application_pins() {
    for setting in settings().await {
        let messages = messages(&setting.service).await;
        let id = json!(offering_id("DBD-01", "dbd"));
        let message = messages.iter().find(|message| message["offering_id"] == id).unwrap();
        let mut outline = message.clone();
        outline["form"]["schema"] = json!("…");
        outline["form"]["layout"] = json!("…");
        assert_eq!(
            outline,
            json!({
                "offering_id": id,
                "revision": 1,
                "service_code": "DBD-01",
                "service_title": { "th": "จดทะเบียนพาณิชย์ (ตั้งใหม่)", "en": "Commercial registration (new)" },
                "agency_code": "dbd",
                "agency_name": { "th": "กรมพัฒนาธุรกิจการค้า", "en": "Department of Business Development" },
                "area": null,
                "audience": ["citizen", "business"],
                "ial": "2.1",
                "aal": "2.1",
                "fee_satang": 5_000,
                "fee_due": "submission",
                "fee_on_rejection": "refund",
                "legal_days": 1,
                "legal_days_counted": "working",
                "decision": "officer",
                "accepting": true,
                "form": { "revision": 1, "schema": "…", "layout": "…" },
                "evidence": [
                    { "code": "house_registration", "title": { "th": "ทะเบียนบ้าน", "en": "House registration" },
                      "required": true, "media_types": [], "bytes_max": 0, "held_by_state": true },
                    { "code": "map",
                      "title": { "th": "แผนที่ตั้งสถานประกอบการ", "en": "Map of the place of business" },
                      "required": true, "media_types": ["image/png", "image/jpeg", "application/pdf"],
                      "bytes_max": 5_000_000, "held_by_state": false },
                ],
            })
        );
        let tax = messages.iter().find(|message| message["service_code"] == "LAO-04").unwrap();
        assert_eq!(
            (&tax["form"], &tax["accepting"], &tax["fee_due"]),
            (&Value::Null, &json!(false), &json!("none"))
        );
    }
}

#[tokio::test]
async fn a_manual_that_counts_every_day_says_so_to_citizens_and_to_applications() {
    for setting in settings().await {
        let (working, calendar) =
            ("legal_days = { days = 30,", "legal_days = { counted = \"calendar\", days = 30,");
        let file = edited("public_services/LAO-01.toml", working, calendar);
        setting.service.apply(&[file], Edits::Keep).await.unwrap();
        let document =
            r#"{ publicService(code: "LAO-01") { offerings(first: 10) { nodes { legalDaysCounted } } } }"#;
        let data = setting.ask(document, json!({})).await;
        for offering in data["publicService"]["offerings"]["nodes"].as_array().unwrap() {
            assert_eq!(offering["legalDaysCounted"], "CALENDAR", "{data}");
        }
        let messages = messages(&setting.service).await;
        let id = json!(offering_id("LAO-01", "nonthaburi"));
        let of_offering = messages.iter().filter(|message| message["offering_id"] == id);
        let counted: Vec<_> = of_offering.map(|message| &message["legal_days_counted"]).collect();
        assert_eq!(counted, ["working", "calendar"]);
    }
}

#[tokio::test]
async fn an_edited_form_raises_its_revision_and_an_edited_text_does_not() {
    for setting in settings().await {
        let form = async || {
            let document = r#"{ publicService(code: "LAO-01") { revision form { revision } } }"#;
            let data = setting.ask(document, json!({})).await;
            let service = &data["publicService"];
            (service["revision"].as_i64().unwrap(), service["form"]["revision"].as_i64().unwrap())
        };
        let path = "public_services/LAO-01.toml";
        setting
            .service
            .apply(&[edited(path, "Receive the licence", "Get the licence")], Edits::Keep)
            .await
            .unwrap();
        assert_eq!(form().await, (2, 1));
        let applied = setting
            .service
            .apply(&[edited(path, "\"Name of the shop\"", "\"Shop name\"")], Edits::Keep)
            .await
            .unwrap();
        assert_eq!(form().await, (3, 2));
        assert_eq!(applied.offerings.len(), 3, "an offering pins its form");
    }
}

#[tokio::test]
async fn an_offering_that_the_file_no_longer_names_stops_accepting() {
    for setting in settings().await {
        let whole = edited("public_services/LAO-01.toml", "[[offerings]]", "[[offerings]]");
        let cut = whole.text.rfind("[[offerings]]").unwrap();
        let file = SourceFile { path: whole.path, text: whole.text[..cut].to_owned() };
        let applied = setting.service.apply(std::slice::from_ref(&file), Edits::Keep).await.unwrap();
        assert_eq!(applied.offerings, [offering_id("LAO-01", "chiang-mai")]);
        let withdrawn = fee(&setting, "5001").await;
        assert_eq!(
            (&withdrawn["offering"]["accepting"], &withdrawn["offering"]["revision"]),
            (&json!(false), &json!(2))
        );
        assert!(setting.service.apply(&[file], Edits::Keep).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_agencys_new_name_shows_in_all_it_offers() {
    for setting in settings().await {
        let file = edited("agencies/chiang-mai.toml", "Chiang Mai City Municipality", "City of Chiang Mai");
        let applied = setting.service.apply(&[file], Edits::Keep).await.unwrap();
        assert_eq!((applied.agencies.len(), applied.offerings.len()), (1, 7));
        let messages = messages(&setting.service).await;
        let renamed = messages.iter().filter(|message| message["agency_name"]["en"] == "City of Chiang Mai");
        assert_eq!(renamed.count(), 7);
    }
}

#[tokio::test]
async fn what_was_applied_survives_a_restart_and_is_searched_by_every_process() {
    for setting in settings().await {
        if setting.place.engine == "sqlite" {
            continue; // one process per data directory
        }
        let other = Setting { service: open(&setting.place).await, place: Engines::all().await.remove(0) };
        assert_eq!(other.search("zebra").await, [""; 0]);
        let path = "public_services/LAO-01.toml";
        setting
            .service
            .apply(&[edited(path, "en = [\"food\"", "en = [\"zebra\", \"food\"")], Edits::Keep)
            .await
            .unwrap();
        assert_eq!(other.search("zebra").await, ["LAO-01"]);
        assert!(other.service.apply_embedded().await.unwrap().is_empty());
        assert_eq!(setting.search("zebra").await, ["LAO-01"]);
    }
}

#[tokio::test]
async fn a_set_with_a_wrong_reference_changes_nothing() {
    for setting in settings().await {
        let good = edited("public_services/LAO-01.toml", "\"1000.00\"", "\"1200.00\"");
        let bad = edited("public_services/LAO-02.toml", "agency = \"chiang-mai\"", "agency = \"atlantis\"");
        let error = setting.service.apply(&[good, bad], Edits::Keep).await.unwrap_err().to_string();
        assert!(
            error.contains("LAO-02.toml: offerings[1].agency: there is no agency \"atlantis\""),
            "{error}"
        );
        let event = edited("life_events/have-a-child.toml", "NHSO-01", "NHSO-99");
        let error = setting.service.apply(&[event], Edits::Keep).await.unwrap_err().to_string();
        assert!(error.contains("there is no public service \"NHSO-99\""), "{error}");
        assert_eq!(fee(&setting, "1201").await["offering"]["revision"], 1);
    }
}

#[tokio::test]
async fn production_refuses_sample_fees_and_lists_them() {
    for place in Engines::all().await {
        let service = Service::open(&place.target, testkit::clock(), Environment::Production).await.unwrap();
        let error = service.apply_embedded().await.unwrap_err().to_string();
        assert!(
            error.contains("production refuses sample fees") && error.contains("LAO-01 by nonthaburi"),
            "{error}"
        );
        assert!(!error.contains("DLT-01"), "{error}");
        assert_eq!(service.sample_fees().await.unwrap(), [""; 0]);
    }
    for setting in settings().await {
        assert!(setting.service.sample_fees().await.unwrap().contains(&"LAO-01 by chiang-mai".to_owned()));
    }
}

#[tokio::test]
async fn two_processes_that_start_at_once_publish_once() {
    for place in Engines::all().await {
        let one = open(&place).await;
        let other = if place.engine == "sqlite" { one.clone() } else { open(&place).await };
        let (first, second) = tokio::join!(one.apply_embedded(), other.apply_embedded());
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(first.is_empty() != second.is_empty());
        assert_eq!(messages(&one).await.len(), first.offerings.len() + second.offerings.len());
    }
}

#[tokio::test]
async fn files_published_at_the_same_time_all_come_to_hold() {
    for setting in settings().await {
        let fees = ["LAO-01", "LAO-02"].map(|code| {
            edited(&format!("public_services/{code}.toml"), "due = \"approval\"", "due = \"submission\"")
        });
        let [one, other] = &fees;
        let service = &setting.service;
        let (first, second) = tokio::join!(
            service.apply(std::slice::from_ref(one), Edits::Keep),
            service.apply(std::slice::from_ref(other), Edits::Keep),
        );
        assert!(!first.unwrap().is_empty() && !second.unwrap().is_empty());
        let document = r#"query($code: String!) { publicService(code: $code) { offering(area: "1201") { fee { due } } } }"#;
        for code in ["LAO-01", "LAO-02"] {
            let data = setting.ask(document, json!({ "code": code })).await;
            assert_eq!(data["publicService"]["offering"]["fee"]["due"], "SUBMISSION", "{code}");
        }
        assert!(service.apply(&fees, Edits::Keep).await.unwrap().is_empty());
    }
}
