//! Two processes of each role on one database: each thing happens once.

use futures::future::join_all;
use pratu::Config;
use serde_json::json;

use crate::filing::{
    application_at, bill, bill_at, decide, parties, pay, start_payment, submitted_food_premises,
};
use crate::installation::Installation;
use crate::person::Person;

/// People who go their way at the same time.
const PERSONAS: [&str; 2] = ["somchai", "malee"];

#[tokio::test(flavor = "multi_thread")]
async fn with_two_processes_of_each_role_everything_happens_once() {
    let Some(place) = Installation::start_split(Config::default(), 2).await else { return };
    let place = &place;
    join_all(PERSONAS.map(async |persona| {
        let person = Person::citizen(place, persona, "thaid").await;
        let me = parties(&person).await.remove(0);
        let application = submitted_food_premises(place, &person, &me).await;
        let officer = Person::officer(place, "officer-nonthaburi").await;
        decide(&officer, "TakeApplication", &application, json!({})).await;
        decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
        let bill = bill(&person, &application).await;
        let payment = start_payment(&person, &bill["id"], "PROMPTPAY_QR").await;
        assert!(pay(place, &payment, "").await.is_success());
        bill_at(&person, &bill["id"], "SETTLED").await;
        application_at(&person, &application, "PAID").await;
        let detail = person.ask("ApplicationDetail", json!({"id": application})).await;
        let timeline = detail["application"]["timeline"]["nodes"].as_array().expect("events").clone();
        let mut kinds: Vec<&str> = timeline.iter().filter_map(|event| event["kind"].as_str()).collect();
        let all = kinds.len();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), all, "{kinds:?}");
    }))
    .await;
    let totals = place.bank_books().await["totals"].clone();
    assert_eq!(totals["paid_satang"], 200_000, "{totals}");
}
