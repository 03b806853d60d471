//! The catalogue through its GraphQL door, on both engines, by a caller who is not logged in.

mod setting;

use serde_json::{Value, json};
use setting::{codes, settings};

#[tokio::test]
async fn searches_in_thai_and_english_find_the_service_first() {
    for setting in settings().await {
        for (search, best) in [
            ("ขายอาหาร", "LAO-01"),
            ("food", "LAO-01"),
            ("Food premises", "LAO-01"),
            ("อยากเปิดร้านอาหาร", "LAO-01"),
            ("ใบขับขี่", "DLT-01"),
            ("ต่อใบขับขี่", "DLT-01"),
            ("driving licence", "DLT-01"),
            ("driving license", "DLT-01"),
            ("ร้องเรียน", "OPM-01"),
            ("complaint", "OPM-01"),
            ("พาสปอร์ต", "CON-01"),
            ("passp", "CON-01"),
            ("แจ้งเกิด", "DOP-05"),
            ("เกษตรกร", "DOAE-02"),
            ("ภาษีป้าย", "LAO-04"),
            ("จดทะเบียนพาณิชย์", "DBD-01"),
            ("LAO-02", "LAO-02"),
        ] {
            let found = setting.search(search).await;
            assert_eq!(found.first().map(String::as_str), Some(best), "{search}: {found:?}");
        }
        let shops = setting.search("เปิดร้าน").await;
        assert!(shops[..2].contains(&"DBD-01".into()) && shops[..2].contains(&"LAO-01".into()), "{shops:?}");
        assert!(setting.search("zzzz").await.is_empty());
        assert_eq!(setting.search("   ").await.len(), 5, "a blank search is none");
    }
}

#[tokio::test]
async fn all_services_come_page_by_page_each_once_and_in_order() {
    let document = "query($after: String, $search: String) {
        publicServices(first: 3, after: $after, search: $search) {
            nodes { code } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }";
    for setting in settings().await {
        for search in [None, Some("ใบอนุญาต licence")] {
            let mut all = Vec::new();
            let mut after = Value::Null;
            loop {
                let data = setting.ask(document, json!({ "after": after, "search": search })).await;
                let page = &data["publicServices"];
                assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
                all.extend(codes(&page["nodes"]));
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                assert_eq!(page["nodes"].as_array().unwrap().len(), 3);
                after = page["pageInfo"]["endCursor"].clone();
            }
            let mut once = all.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), all.len(), "{all:?}");
            match search {
                None => assert!(all.len() >= 14 && once == all, "{all:?}"),
                Some(_) => assert!(all.len() > 3, "{all:?}"),
            }
        }
    }
}

#[tokio::test]
async fn filters_hold_together() {
    let document = "query($filter: PublicServiceFilter!, $search: String) {
        publicServices(first: 100, filter: $filter, search: $search) { nodes {
            code audience channels fileable identityAssuranceLevel agency { code } } } }";
    for setting in settings().await {
        let found = async |filter: Value, search: Option<&str>| {
            let data = setting.ask(document, json!({ "filter": filter, "search": search })).await;
            data["publicServices"]["nodes"].clone()
        };
        let fileable = found(json!({ "fileable": true }), None).await;
        assert_eq!(
            codes(&fileable),
            [
                "DBD-01", "DBD-03", "DLT-01", "DOAE-02", "ECT-01", "LAO-01", "LAO-02", "LAO-05", "LAO-06",
                "MOT-01", "OPM-01"
            ]
        );
        let low = found(json!({ "identityAssuranceLevelMax": "IAL_1_3" }), None).await;
        assert_eq!(codes(&low), ["OPM-01"]);
        let for_companies = found(json!({ "audience": "BUSINESS", "channel": "BIZ_PORTAL" }), None).await;
        assert_eq!(codes(&for_companies), ["BKK-01", "DBD-01", "DOP-09", "DOP-10", "SME-01"]);
        let here = found(json!({ "area": "5001", "agency": "chiang-mai", "fileable": true }), None).await;
        assert_eq!(codes(&here), ["LAO-01", "LAO-02", "LAO-05", "LAO-06"]);
        assert_eq!(codes(&found(json!({ "agency": "dlt" }), None).await), ["DLT-01", "DLT-02", "DLT-03"]);
        assert_eq!(codes(&found(json!({ "agency": "nobody" }), None).await), [""; 0]);
        // A subdistrict lies in its district; another province does not.
        assert!(codes(&found(json!({ "area": "120101" }), None).await).contains(&"LAO-01".into()));
        assert!(!codes(&found(json!({ "area": "9001" }), None).await).contains(&"LAO-01".into()));
        assert!(codes(&found(json!({ "area": "9001" }), None).await).contains(&"DLT-01".into()));
        assert_eq!(
            codes(&found(json!({ "area": "1201", "fileable": true }), Some("food")).await)[0],
            "LAO-01"
        );
        assert!(
            !codes(&found(json!({ "audience": "BUSINESS" }), Some("ใบขับขี่")).await).contains(&"DLT-01".into())
        );
    }
}

#[tokio::test]
async fn a_municipality_has_its_own_fee() {
    let document = r#"query($area: String!) { publicService(code: "LAO-01") { offering(area: $area) {
        id area { code name { th } } agency { code name { th en } kind }
        fee { amount { amount currency } due onRejection factStatus note { en } }
        legalDays decision accepting revision publicService { code } } } }"#;
    for setting in settings().await {
        let offering = async |area: &str| {
            setting.ask(document, json!({ "area": area })).await["publicService"]["offering"].clone()
        };
        let nonthaburi = offering("1201").await;
        assert_eq!(
            nonthaburi,
            json!({
                "id": nonthaburi["id"],
                "area": { "code": "1201", "name": { "th": "เมืองนนทบุรี" } },
                "agency": {
                    "code": "nonthaburi",
                    "name": { "th": "เทศบาลนครนนทบุรี", "en": "Nonthaburi City Municipality" },
                    "kind": "LOCAL_GOVERNMENT",
                },
                "fee": {
                    "amount": { "amount": "1000.00", "currency": "THB" },
                    "due": "APPROVAL",
                    "onRejection": "REFUND",
                    "factStatus": "SAMPLE",
                    "note": { "en": "Set by ordinance, at most 3,000 baht." },
                },
                "legalDays": 30,
                "decision": "OFFICER",
                "accepting": true,
                "revision": 1,
                "publicService": { "code": "LAO-01" },
            })
        );
        assert_eq!(offering("5001").await["fee"]["amount"]["amount"], "800.00");
        assert_eq!(offering("500102").await["agency"]["code"], "chiang-mai");
        assert_eq!(offering("9001").await, Value::Null);
        // The same offering by its id, and none by another.
        let by_id = "query($id: ID!) { offering(id: $id) { fee { amount { amount } } } }";
        let found = setting.ask(by_id, json!({ "id": nonthaburi["id"] })).await;
        assert_eq!(found["offering"]["fee"]["amount"]["amount"], "1000.00");
        for id in ["off_00000000000000000000000000000000", "nonsense"] {
            assert_eq!(setting.ask(by_id, json!({ "id": id })).await["offering"], Value::Null);
        }
    }
}

#[tokio::test]
async fn a_guide_tells_all_there_is_to_know() {
    let document = r#"{ publicService(code: "LAO-01") {
        title { th en text(language: "en") } summary { th } agency { code } audience channels deliveryMode
        identityAssuranceLevel authenticatorAssuranceLevel steps { title { en } }
        evidence { code required heldByState heldBy { en } acceptedMediaTypes bytesMax }
        legalBasis { title { en } factStatus } contacts { name { en } url phone factStatus }
        form { revision schema layout } lifeEvents { code } revision fileable factStatus
        offerings(first: 1) { nodes { agency { code } } pageInfo { hasNextPage endCursor } } } }"#;
    for setting in settings().await {
        let data = setting.ask(document, json!({})).await;
        let service = &data["publicService"];
        assert_eq!(service["title"]["text"], "Food premises licence");
        assert_eq!(service["identityAssuranceLevel"], "IAL_2_1");
        let evidence = service["evidence"].as_array().unwrap();
        assert_eq!(evidence[0]["heldByState"], true);
        assert_eq!(evidence[0]["acceptedMediaTypes"], json!([]));
        assert_eq!(evidence[2]["code"], "map");
        assert_eq!(evidence[2]["required"], true);
        assert_eq!(evidence[2]["bytesMax"], 5_000_000);
        let schema = &service["form"]["schema"];
        assert_eq!(schema["properties"]["applicant_name"]["x-source"], "party.name_th");
        assert_eq!(schema["properties"]["applicant_name"]["readOnly"], true);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(service["form"]["layout"]["sections"][1]["fields"][0], "/shop_name");
        assert_eq!(codes(&service["lifeEvents"]), ["open-a-hotel", "open-a-restaurant"]);
        assert_eq!(service["offerings"]["nodes"], json!([{ "agency": { "code": "bma" } }]));
        let after = &service["offerings"]["pageInfo"]["endCursor"];
        let rest = r#"query($after: String!) { publicService(code: "LAO-01") {
            offerings(after: $after, area: "1201") { nodes { agency { code } } pageInfo { hasNextPage } } } }"#;
        let rest = setting.ask(rest, json!({ "after": after })).await;
        assert_eq!(
            rest["publicService"]["offerings"]["nodes"],
            json!([{ "agency": { "code": "nonthaburi" } }])
        );
    }
}

#[tokio::test]
async fn a_life_event_has_its_services_in_order() {
    for setting in settings().await {
        let document = r#"{ lifeEvent(code: "open-a-restaurant") { title { th } services { code } }
            lifeEvents { nodes { code } } none: lifeEvent(code: "x") { code } }"#;
        let data = setting.ask(document, json!({})).await;
        assert_eq!(codes(&data["lifeEvent"]["services"]), ["DBD-01", "LAO-01", "LAO-04", "BKK-01"]);
        let events = codes(&data["lifeEvents"]["nodes"]);
        assert!(events.contains(&"have-a-child".into()) && events.contains(&"open-a-restaurant".into()));
        assert_eq!(data["none"], Value::Null);
    }
}

#[tokio::test]
async fn entities_are_found_by_their_keys_and_the_unknown_are_null() {
    let document = "query($of: [_Any!]!) { _entities(representations: $of) {
        ... on PublicService { code title { en } } ... on Agency { name { en } } ... on Offering { accepting } } }";
    for setting in settings().await {
        let offering = catalogue::offering_id("DBD-01", "dbd").simple().to_string();
        let of = json!([
            { "__typename": "PublicService", "code": "DBD-01" },
            { "__typename": "PublicService", "code": "NO-99" },
            { "__typename": "Agency", "code": "dlt" },
            { "__typename": "Agency", "code": "nobody" },
            { "__typename": "Offering", "id": format!("off_{offering}") },
            { "__typename": "Offering", "id": "off_1" },
        ]);
        let data = setting.ask(document, json!({ "of": of })).await;
        assert_eq!(
            data["_entities"],
            json!([
                { "code": "DBD-01", "title": { "en": "Commercial registration (new)" } },
                null,
                { "name": { "en": "Department of Land Transport" } },
                null,
                { "accepting": true },
                null,
            ])
        );
    }
}

#[tokio::test]
async fn bad_input_has_a_code_and_changes_nothing() {
    for setting in settings().await {
        for document in [
            "{ publicServices(first: 101) { nodes { code } } }",
            "{ publicServices(first: -1) { nodes { code } } }",
            "{ publicServices(after: \"%\") { nodes { code } } }",
            "{ publicServices(after: \"eHg\") { nodes { code } } }",
            "{ publicServices(filter: { area: \"๑๒๐๑\" }) { nodes { code } } }",
            "{ publicService(code: \"LAO-01\") { offering(area: \"12'--\") { id } } }",
            "{ agencies(first: 1000) { nodes { code } } }",
        ] {
            let answer = setting.answer(document, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{document}: {answer}");
        }
        let document = "query($search: String) { publicServices(search: $search) { nodes { code } } }";
        let answer = setting.answer(document, json!({ "search": "ก".repeat(201) })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
}

#[test]
fn the_schema_can_be_exported_without_a_database() {
    let sdl = catalogue::sdl();
    for part in [
        "type PublicService @cacheControl(maxAge: 300, scope: PUBLIC) @key(fields: \"code\")",
        "type Offering @cacheControl(maxAge: 300, scope: PUBLIC) @key(fields: \"id\")",
        "scalar JSON",
    ] {
        assert!(sdl.contains(part), "{part}\n{sdl}");
    }
}
