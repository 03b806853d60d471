//! Find: without login, by words, filters and life events.

use serde_json::json;

use crate::installation::Installation;
use crate::person::Person;

#[tokio::test(flavor = "multi_thread")]
async fn a_search_in_thai_or_english_finds_the_service_with_my_municipality_s_offering() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    for words in ["ขายอาหาร", "food"] {
        let found = nobody.ask("FindServices", json!({"search": words, "area": "1201", "first": 5})).await;
        let first = &found["publicServices"]["nodes"][0];
        assert_eq!(first["code"], "LAO-01", "{words}: {found}");
        assert_eq!(first["offering"]["fee"]["amount"]["amount"], "1000.00");
        assert_eq!(first["offering"]["agency"]["code"], "nonthaburi");
    }
    let elsewhere = nobody.ask("FindServices", json!({"search": "food", "area": "5001", "first": 1})).await;
    assert_eq!(elsewhere["publicServices"]["nodes"][0]["offering"]["fee"]["amount"]["amount"], "800.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_services_are_paged_through_once_each() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    let (mut seen, mut after) = (Vec::new(), json!(null));
    loop {
        let page = nobody.ask("FindServices", json!({"area": "1201", "first": 3, "after": after})).await;
        let services = &page["publicServices"];
        let nodes = services["nodes"].as_array().unwrap();
        assert!(nodes.len() <= 3);
        seen.extend(nodes.iter().map(|node| node["code"].as_str().unwrap().to_owned()));
        if services["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = services["pageInfo"]["endCursor"].clone();
    }
    assert!(seen.len() >= 12, "{seen:?}");
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(seen, sorted, "each once, in order of code");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_by_audience_agency_channel_and_level() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    let codes = async |filter: serde_json::Value| -> Vec<String> {
        let found = nobody.ask("FindServices", json!({"area": "1201", "first": 100, "filter": filter})).await;
        let nodes = found["publicServices"]["nodes"].as_array().unwrap().clone();
        nodes.iter().map(|node| node["code"].as_str().unwrap().to_owned()).collect()
    };
    let all = codes(json!({})).await;
    for (filter, with, without) in [
        (json!({"audience": "BUSINESS"}), "DBD-01", "DOP-05"),
        (json!({"agency": "dlt"}), "DLT-01", "LAO-01"),
        (json!({"channel": "APP"}), "LAO-01", "CON-01"),
        (json!({"identityAssuranceLevelMax": "IAL_2_1"}), "LAO-01", "DLT-01"),
        (json!({"fileable": true}), "LAO-01", "CON-01"),
        (json!({"fileable": true, "agency": "dbd"}), "DBD-01", "LAO-01"),
    ] {
        let found = codes(filter.clone()).await;
        assert!(
            found.contains(&with.to_owned()) && !found.contains(&without.to_owned()),
            "{filter}: {found:?}"
        );
        assert!(found.len() < all.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_event_gives_its_services_in_order() {
    let place = Installation::start().await;
    let nobody = Person::nobody(&place);
    let found = nobody.ask("LifeEventGuide", json!({"code": "open-a-restaurant"})).await;
    let event = &found["lifeEvent"];
    assert_eq!(event["title"]["th"], "เปิดร้านอาหาร");
    let services = event["services"].as_array().unwrap();
    let codes: Vec<&str> = services.iter().map(|service| service["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["DBD-01", "LAO-01", "LAO-04", "BKK-01"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guide_says_what_it_costs_how_long_it_takes_and_what_the_state_already_holds() {
    let place = Installation::start().await;
    let found = Person::nobody(&place).ask("ServiceGuide", json!({"code": "LAO-01"})).await;
    let guide = &found["publicService"];
    assert!(guide["title"]["th"].as_str().unwrap().contains("สถานที่จำหน่ายอาหาร"));
    assert!(guide["title"]["en"].is_string() && guide["legalBasis"][0]["title"]["en"].is_string());
    assert_eq!(guide["identityAssuranceLevel"], "IAL_2_1");
    let evidence = guide["evidence"].as_array().unwrap();
    let of = |code: &str| evidence.iter().find(|item| item["code"] == code).unwrap();
    assert_eq!(of("id_card")["heldByState"], true);
    assert!(of("id_card")["heldBy"]["en"].as_str().unwrap().contains("Provincial Administration"));
    assert_eq!((&of("map")["heldByState"], &of("map")["required"]), (&json!(false), &json!(true)));
    assert!(guide["form"]["schema"]["properties"]["shop_name"].is_object());
    assert!(guide["form"]["layout"]["sections"].is_array());
    let offerings = guide["offerings"]["nodes"].as_array().unwrap();
    assert_eq!(offerings.len(), 3);
    assert!(offerings.iter().all(|offering| offering["legalDays"] == 30 && offering["accepting"] == true));
}
