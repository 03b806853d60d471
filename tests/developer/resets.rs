//! A persona that is reset is a person the portal has never seen.

use serde_json::{Value, json};

use crate::filing::{
    bill, bill_at, decide, offering, parties, pay, start, start_payment, submitted_food_premises,
};
use crate::installation::Installation;
use crate::person::Person;

/// How many applications and bills the caller sees, in their own name and their company's.
async fn belongings(person: &Person<'_>) -> (usize, usize) {
    let applications = person.ask("MyApplications", json!({"first": 50})).await;
    let bills = person.ask("MyBills", json!({"first": 50})).await;
    let count = |list: &Value| list["nodes"].as_array().expect("a list").len();
    (count(&applications["applications"]), count(&bills["bills"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_persona_comes_back_with_nothing_and_what_they_left_stays() {
    let mut places = vec![Installation::start().await];
    places.extend(Installation::start_on_postgres().await);
    for place in places {
        let before = Person::citizen(&place, "somchai", "thaid").await;
        let earlier = parties(&before).await;
        let application = submitted_food_premises(&place, &before, &earlier[0]).await;
        let of_company = submitted_food_premises(&place, &before, &earlier[1]).await;
        start(&before, &offering(&place, "LAO-01", "1201").await, &earlier[0]).await;
        let officer = Person::officer(&place, "officer-nonthaburi").await;
        decide(&officer, "TakeApplication", &application, json!({})).await;
        decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
        let issued = bill(&before, &application).await["id"].clone();
        assert_eq!(belongings(&before).await, (3, 1));

        let reset = place.http.post(format!("{}/sandbox/personas/somchai/reset", place.url)).send().await;
        assert!(reset.unwrap().status().is_success());

        // By either provider, in either order, and for the company too.
        for provider in ["dga", "thaid"] {
            let after = Person::citizen(&place, "somchai", provider).await;
            let parties = parties(&after).await;
            assert_eq!(parties.len(), 2);
            assert!(parties.iter().all(|party| !earlier.contains(party)), "{parties:?} and {earlier:?}");
            assert_eq!(belongings(&after).await, (0, 0));
            let seen = after.ask("ApplicationDetail", json!({"id": application})).await;
            assert!(seen["application"].is_null());
        }
        // The earlier person's session goes on, and the agency's queue and the books are as they were.
        assert_eq!(belongings(&before).await, (3, 1));
        let queue = officer.ask("OfficerQueue", json!({"first": 50})).await;
        let queued = queue["officerQueue"]["nodes"].as_array().unwrap();
        assert!(queued.iter().any(|case| case["id"] == of_company), "{queue}");
        let payment = start_payment(&before, &issued, "PROMPTPAY_QR").await;
        assert!(pay(&place, &payment, "").await.is_success());
        bill_at(&before, &issued, "SETTLED").await;

        // The new person begins as anyone does.
        let after = Person::citizen(&place, "somchai", "thaid").await;
        let party = parties(&after).await.remove(0);
        submitted_food_premises(&place, &after, &party).await;
        assert_eq!(belongings(&after).await.0, 1);
    }
}
