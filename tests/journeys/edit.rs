//! Edit: an officer changes a fee; who filed before pays the old one, who files after pays the new one.

use serde_json::json;

use crate::filing::{
    attach_map, bill, decide, food_premises_answers, key, offering, parties, save, start, submit,
};
use crate::installation::{Installation, eventually};
use crate::person::Person;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_fee_is_for_those_who_begin_after_it() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    let me = parties(&somchai).await.remove(0);
    let offering = offering(&place, "LAO-01", "1201").await;
    let before = start(&somchai, &offering, &me).await;

    let input = json!({
        "idempotencyKey": key(), "offeringId": offering, "revision": 1, "reason": "เทศบัญญัติฉบับใหม่",
        "fee": {
            "amount": "1250.00", "due": "APPROVAL", "onRejection": "REFUND", "factStatus": "VERIFIED",
            "source": "เทศบัญญัติ พ.ศ. 2569",
        },
    });
    let edited = officer.ask("EditOffering", json!({ "input": input })).await;
    assert_eq!(edited["editOffering"]["offering"]["fee"]["amount"]["amount"], "1250.00", "{edited}");
    let record = officer.ask("OfferingChanges", json!({ "id": offering })).await;
    let change = &record["offeringChanges"]["nodes"][0];
    assert_eq!(change["before"]["fee"]["amount"]["amount"], "1000.00");
    assert_eq!((&change["revision"], &change["reason"]), (&json!(2), &json!("เทศบัญญัติฉบับใหม่")));

    // Applications hears of the edit by a message: a little later than the officer.
    let after = eventually("an application on the new terms", || async {
        let draft = start(&somchai, &offering, &me).await;
        let pinned = "query($id: ID!) { application(id: $id) { offeringRevision } }";
        let pinned = somchai.query(pinned, json!({ "id": draft["id"] })).await;
        (pinned["data"]["application"]["offeringRevision"] == 2).then_some(draft)
    })
    .await;
    for (draft, fee) in [(before, "1000.00"), (after, "1250.00")] {
        let revision = save(&somchai, &draft, &food_premises_answers()).await;
        attach_map(&somchai, &draft["id"]).await;
        let submitted = submit(&somchai, &draft["id"], revision, &key()).await;
        assert_eq!(submitted["__typename"], "ApplicationSubmitted", "{submitted}");
        decide(&officer, "TakeApplication", &draft["id"], json!({})).await;
        decide(&officer, "ApproveApplication", &draft["id"], json!({ "reason": "ครบถ้วน" })).await;
        assert_eq!(bill(&somchai, &draft["id"]).await["amount"]["amount"], fee);
    }
}
