//! Writing the catalogue out: files that `apply` takes and that change nothing.

mod setting;

use std::path::Path;

use catalogue::{Edits, Service, SourceFile, offering_id};
use chassis::Environment;
use serde_json::json;
use setting::{Setting, settings};
use testkit::Engines;

/// A catalogue in which files were left out, services changed and an offering was edited.
async fn changed(setting: &Setting) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("public_services/LAO-01.toml");
    let text = std::fs::read_to_string(path).expect("the file is there");
    let cut = text.rfind("[[offerings]]").expect("it has offerings");
    let withdrawn = SourceFile { path: "public_services/LAO-01.toml".into(), text: text[..cut].to_owned() };
    setting.service.apply(std::slice::from_ref(&withdrawn), Edits::Keep).await.expect("it is published");
    // The form goes on changing after an offering was withdrawn.
    let text = withdrawn.text.replace("\"Name of the shop\"", "\"Shop \\\"name\\\"\"");
    setting.service.apply(&[SourceFile { text, ..withdrawn }], Edits::Keep).await.expect("it is published");
    let officer = testkit::officer(uuid::Uuid::from_u128(5), "nonthaburi", testkit::clock().now());
    let offering = format!("off_{}", offering_id("LAO-02", "nonthaburi").simple());
    let edited = setting
        .ask_as(
            &officer,
            "mutation($input: EditOfferingInput!) { editOffering(input: $input) { __typename } }",
            json!({ "input": {
                "idempotencyKey": "1", "offeringId": offering, "revision": 1, "reason": "ย้ายสำนักงาน",
                "contacts": [{ "name": { "th": "ชั้น 2\nอาคารใหม่", "en": "Second floor" }, "factStatus": "SAMPLE" }],
            } }),
        )
        .await;
    assert_eq!(edited["editOffering"]["__typename"], "OfferingEdited", "{edited}");
}

#[tokio::test]
async fn what_is_written_out_makes_no_new_revision() {
    for setting in settings().await {
        changed(&setting).await;
        let folder = setting.place.directory().join("exported");
        let exported = setting.service.export_directory(&folder, false).await.unwrap();
        assert!(
            exported.services >= 16 && exported.agencies >= 15 && exported.life_events >= 2,
            "{exported:?}"
        );
        let applied = setting.service.apply_directory(&folder, Edits::Keep).await.unwrap();
        assert!(applied.is_empty(), "{applied:?}");
    }
}

#[tokio::test]
async fn another_installation_gets_the_same_catalogue_from_it() {
    for setting in settings().await {
        changed(&setting).await;
        let folder = setting.place.directory().join("exported");
        let exported = setting.service.export_directory(&folder, false).await.unwrap();
        for place in Engines::all().await {
            let other = Service::open(&place.target, testkit::clock(), Environment::Sandbox).await.unwrap();
            let applied = other.apply_directory(&folder, Edits::Keep).await.unwrap();
            assert_eq!(applied.services.len(), exported.services);
            let again = place.directory().join("again");
            other.export_directory(&again, false).await.unwrap();
            for below in ["agencies", "public_services", "life_events"] {
                for entry in std::fs::read_dir(folder.join(below)).unwrap() {
                    let path = entry.unwrap().path();
                    let twin = again.join(below).join(path.file_name().unwrap());
                    let read = |path: &Path| {
                        toml::from_str::<serde_json::Value>(&std::fs::read_to_string(path).unwrap()).unwrap()
                    };
                    assert_eq!(read(&path), read(&twin), "{}", path.display());
                }
            }
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_not_empty_is_overwritten_only_when_told_so() {
    let setting = settings().await.remove(0);
    let folder = setting.place.directory().join("exported");
    std::fs::create_dir_all(folder.join("public_services")).unwrap();
    let (own, old) =
        (folder.join("public_services/MINE-01.toml"), folder.join("public_services/LAO-01.toml"));
    std::fs::write(&own, "mine").unwrap();
    std::fs::write(&old, "old").unwrap();
    let refused = setting.service.export_directory(&folder, false).await.unwrap_err().to_string();
    assert!(refused.contains("is not empty"), "{refused}");
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "old");
    assert!(!folder.join("agencies").exists());

    let exported = setting.service.export_directory(&folder, true).await.unwrap();
    assert_eq!(exported.left, ["public_services/MINE-01.toml"]);
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "mine");
    assert_ne!(std::fs::read_to_string(&old).unwrap(), "old");
}
