//! The whole way from finding to paid, on each engine, over a restart.

use serde_json::json;

use crate::filing::{
    application_at, bill, bill_at, decide, parties, pay, start_payment, submitted_food_premises,
};
use crate::installation::Installation;
use crate::person::Person;

#[tokio::test(flavor = "multi_thread")]
async fn from_finding_to_paid_on_postgresql_as_on_sqlite() {
    let mut places = vec![Installation::start().await];
    places.extend(Installation::start_on_postgres().await);
    for place in places {
        whole(place).await;
    }
}

async fn whole(mut place: Installation) {
    let (application, bill_id) = {
        let nobody = Person::nobody(&place);
        let found = nobody.ask("FindServices", json!({"search": "ขายอาหาร", "area": "1201"})).await;
        assert_eq!(found["publicServices"]["nodes"][0]["code"], "LAO-01");
        let somchai = Person::citizen(&place, "somchai", "dga").await;
        let company = parties(&somchai).await.remove(1);
        let application = submitted_food_premises(&place, &somchai, &company).await;
        let officer = Person::officer(&place, "officer-nonthaburi").await;
        decide(&officer, "TakeApplication", &application, json!({})).await;
        decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
        let bill = bill(&somchai, &application).await;
        let payment = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
        assert!(pay(&place, &payment, "").await.is_success());
        bill_at(&somchai, &bill["id"], "SETTLED").await;
        application_at(&somchai, &application, "PAID").await;
        (application, bill["id"].clone())
    };
    place.restart().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let detail = somchai.ask("ApplicationDetail", json!({"id": application})).await;
    assert_eq!(
        (&detail["application"]["status"], &detail["application"]["bill"]["id"]),
        (&json!("PAID"), &bill_id)
    );
    assert_eq!(detail["application"]["bill"]["status"], "SETTLED");
}
