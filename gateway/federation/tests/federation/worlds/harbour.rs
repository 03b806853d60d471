//! Keys of every kind: compound, nested, several, null, and stubs.

use serde_json::json;

use super::{ask, data};

#[tokio::test]
async fn an_entity_known_by_one_key_is_asked_for_by_another() {
    // The berths know a vessel by its number, the customs by flag and port number, the pilots by its call sign.
    let answer = data("harbour", "{ berths { occupant { detained channel } } }").await;
    assert_eq!(
        answer["berths"],
        json!([
            {"occupant": {"detained": false, "channel": 12}},
            {"occupant": null},
            {"occupant": {"detained": false, "channel": 9}},
        ])
    );
}

#[tokio::test]
async fn what_is_reached_by_a_null_key_alone_is_null() {
    let (answer, asked) = ask("harbour", "{ declarations { vessel { imo pilot { name } channel } } }").await;
    let declared = |number: usize| answer["data"]["declarations"][number]["vessel"].clone();
    assert_eq!(declared(0), json!({"imo": "9100001", "pilot": {"name": "Wit"}, "channel": 12}));
    assert_eq!(declared(2), json!({"imo": "9100002", "pilot": null, "channel": null}));
    assert!(asked.iter().any(|it| it.starts_with("pilots")), "{asked:?}");
}

#[tokio::test]
async fn a_key_within_a_key_within_a_key_is_sent_whole() {
    let query = "{ declarations { carrier { number parent { taxId parent { number } } } } }";
    let (answer, asked) = ask("harbour", query).await;
    assert_eq!(
        answer["data"]["declarations"],
        json!([
            {"carrier": {"number": "77", "parent": {"taxId": "T-77", "parent": {"number": "78"}}}},
            {"carrier": {"number": "77", "parent": {"taxId": null, "parent": null}}},
            {"carrier": null},
        ])
    );
    assert_eq!(answer["errors"][0]["path"], json!(["declarations", 1, "carrier", "parent", "taxId"]));
    let sent = r#""register":{"country":{"iso":"TH"}}"#;
    assert!(asked.iter().any(|it| it.starts_with("customs") && it.contains(sent)), "{asked:?}");
}

#[tokio::test]
async fn a_stub_is_completed_by_who_knows_more() {
    let (answer, asked) = ask("harbour", "{ pilots { berth { next { occupant { name } } } } }").await;
    assert_eq!(
        answer["data"]["pilots"],
        json!([
            {"berth": {"next": {"occupant": {"name": "Araya {\"language\":\"en\"}"}}}},
            null,
            {"berth": {"next": {"occupant": null}}},
        ]),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_root_field_two_parts_share_is_asked_of_one() {
    let (answer, asked) = ask("harbour", "{ anchorage { depth name } }").await;
    assert_eq!(answer["data"]["anchorage"], json!({"depth": 14.5, "name": "Ko Sichang"}));
    assert_eq!(asked.len(), 1, "{asked:?}");
}

#[tokio::test]
async fn an_object_of_a_key_is_completed_by_who_knows_more_of_it() {
    let query = "{ declarations { carrier { register { name country { iso } } } } }";
    let (answer, asked) = ask("harbour", query).await;
    let register = &answer["data"]["declarations"][1]["carrier"]["register"];
    assert_eq!(*register, json!({"name": "DBD", "country": {"iso": "TH"}}), "{asked:#?}");
    for query in [
        "{ declarations { carrier { a: register { country { iso } name } register { n: name } } } }",
        "{ declarations { carrier { register { ...all } } } } fragment all on Register { name country { iso } }",
    ] {
        data("harbour", query).await;
    }
}
