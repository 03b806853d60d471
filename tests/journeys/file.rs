//! File: draft with what is known, two devices, evidence, one receipt number.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;

use crate::filing::{attach_map, food_premises_answers, key, offering, parties, save, start, submit};
use crate::installation::Installation;
use crate::person::Person;

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_for_my_company_begins_with_what_the_state_knows() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let company = parties(&somchai).await.remove(1);
    let draft = start(&somchai, &offering(&place, "LAO-01", "1201").await, &company).await;
    assert_eq!(draft["answers"]["applicant_name"], "บริษัท ครัวอุดม จำกัด");
    assert_eq!(draft["answers"]["applicant_registration_number"], "0105550000113");
    let sources = draft["answerSources"].as_array().unwrap();
    assert!(
        sources.iter().any(|from| from["pointer"] == "/applicant_name" && from["source"] == "party.name_th")
    );

    // What the state filled in is not the citizen's to change.
    let input = json!({
        "idempotencyKey": key(), "applicationId": draft["id"], "revision": draft["revision"],
        "answers": {"applicant_name": "someone else"},
    });
    let refused = somchai.ask("SaveApplicationDraft", json!({"input": input})).await;
    assert_eq!(refused["saveApplicationDraft"]["__typename"], "InvalidInput");
    assert_eq!(refused["saveApplicationDraft"]["fields"][0]["pointer"], "/applicant_name");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_lose_no_answer() {
    let place = Installation::start().await;
    let phone = Person::citizen(&place, "somchai", "thaid").await;
    let tablet = Person::citizen(&place, "somchai", "dga").await;
    let me = parties(&phone).await.remove(0);
    let draft = start(&phone, &offering(&place, "LAO-01", "1201").await, &me).await;
    save(&phone, &draft, &json!({"shop_name": "จากโทรศัพท์"})).await;

    let input = json!({
        "idempotencyKey": key(), "applicationId": draft["id"], "revision": draft["revision"],
        "answers": {"phone": "0812345678"},
    });
    let conflict = tablet.ask("SaveApplicationDraft", json!({"input": input})).await;
    let conflict = &conflict["saveApplicationDraft"];
    assert_eq!(
        (&conflict["__typename"], &conflict["code"]),
        (&json!("RevisionConflict"), &json!("CONFLICT"))
    );
    assert_eq!(conflict["application"]["answers"]["shop_name"], "จากโทรศัพท์");

    // The tablet merges with what came back and saves again: both answers are there.
    save(&tablet, &conflict["application"], &json!({"phone": "0812345678"})).await;
    let detail = phone.ask("ApplicationDetail", json!({"id": draft["id"]})).await;
    let answers = &detail["application"]["answers"];
    assert_eq!((&answers["shop_name"], &answers["phone"]), (&json!("จากโทรศัพท์"), &json!("0812345678")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_field_by_field_and_nothing_typed_is_lost() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let draft = start(&somchai, &offering(&place, "LAO-01", "1201").await, &me).await;
    let revision = save(&somchai, &draft, &json!({"shop_name": "ร้านฉัน"})).await;
    let refused = submit(&somchai, &draft["id"], revision, &key()).await;
    assert_eq!(refused["__typename"], "InvalidInput", "{refused}");
    let fields = refused["fields"].as_array().unwrap();
    let pointers: BTreeSet<&str> = fields.iter().map(|field| field["pointer"].as_str().unwrap()).collect();
    assert!(pointers.contains("/phone") && pointers.contains("/food_kind"), "{pointers:?}");
    assert!(
        fields.iter().all(|field| field["message"]["th"].is_string() && field["message"]["en"].is_string())
    );
    let detail = somchai.ask("ApplicationDetail", json!({"id": draft["id"]})).await;
    assert_eq!(detail["application"]["status"], "DRAFT");
    assert_eq!(detail["application"]["answers"]["shop_name"], "ร้านฉัน");
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_many_times_gives_one_application_and_one_receipt_number() {
    let mut place = Installation::start().await;
    let (application, me, receipts) = {
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        let me = parties(&somchai).await.remove(0);
        let draft = start(&somchai, &offering(&place, "LAO-01", "1201").await, &me).await;
        let revision = save(&somchai, &draft, &food_premises_answers()).await;
        attach_map(&somchai, &draft["id"]).await;

        // Five at once with one key, as an impatient thumb and a retrying network do.
        let key = key();
        let all = join_all((0..5).map(|_| submit(&somchai, &draft["id"], revision, &key))).await;
        let mut receipts = BTreeSet::new();
        for one in all {
            assert_eq!(one["__typename"], "ApplicationSubmitted", "{one}");
            receipts.insert(one["application"]["receiptNumber"].as_str().unwrap().to_owned());
        }
        // And after a lost answer, under another key: it cannot be filed a second time.
        let again = submit(&somchai, &draft["id"], revision, &crate::filing::key()).await;
        assert_ne!(again["__typename"], "ApplicationSubmitted", "{again}");
        (draft["id"].clone(), me, receipts)
    };
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    let receipt = receipts.first().unwrap();
    assert!(receipt.contains("-2569-"), "the year of the Buddhist era: {receipt}");

    // Stopping and starting again keeps it all, the session too.
    place.restart().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let listed = somchai.ask("MyApplications", json!({"filter": {"partyId": me}})).await;
    let nodes = listed["applications"]["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), &nodes[0]["id"]), (1, &application));
    assert_eq!(nodes[0]["receiptNumber"].as_str(), Some(receipt.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_is_read_by_the_applicant_and_that_agency_alone() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = crate::filing::submitted_food_premises(&place, &somchai, &me).await;
    let detail = somchai.ask("ApplicationDetail", json!({"id": application})).await;
    let evidence = &detail["application"]["evidence"][0];
    assert_eq!(evidence["fileName"], "แผนที่ร้าน.png");
    let address = evidence["url"].as_str().unwrap();
    let own = somchai.get(address).await;
    assert_eq!(own.headers()["content-type"], "image/png");
    assert_eq!(own.bytes().await.unwrap(), crate::filing::MAP);
    let agency = Person::officer(&place, "officer-nonthaburi").await.get(address).await;
    assert_eq!(agency.status(), 200);
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let chiang_mai = Person::officer(&place, "officer-chiangmai").await;
    assert_eq!(malee.get(address).await.status(), 404);
    assert_eq!(chiang_mai.get(address).await.status(), 404);
    assert_eq!(place.http.get(address).send().await.unwrap().status(), 401);
}
