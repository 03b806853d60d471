//! Who may see and pay what.

use auth::Principal;
use clock::Clock;
use serde_json::json;
use uuid::Uuid;

use crate::world::{AGENCY, World, fee};

const BILL: &str = "query($id: ID!) { bill(id: $id) { id status payments { status qrPayload } } }";

#[tokio::test]
async fn another_person_s_bill_is_not_found() {
    for world in World::all().await {
        let (who, stranger) = (world.citizen(), world.citizen());
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        assert!(world.ask(&stranger, BILL, json!({ "id": bill })).await["bill"].is_null());
        assert!(world.payment(&stranger, &payment).await.is_null());
        assert_eq!(world.bill_of(&stranger, application_id).await, None);
        assert_eq!(world.start(&stranger, &bill, "G_WALLET", "k").await["__typename"], "NotFoundProblem");
        assert_eq!(world.check(&stranger, &payment).await["__typename"], "NotFoundProblem");
        let of = json!([{ "__typename": "Bill", "id": bill }]);
        let document = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Bill { status } } }";
        assert!(world.ask(&stranger, document, json!({ "of": of })).await["_entities"][0].is_null());
        assert_eq!(world.ask(&who, document, json!({ "of": of })).await["_entities"][0]["status"], "OPEN");
        let bills = world.ask(&stranger, "{ bills { nodes { id } } }", json!({})).await;
        assert_eq!(bills["bills"]["nodes"], json!([]));
        for malformed in ["", "bil_", "pay_x", "ก", "bil_00000000000000000000000000000000"] {
            assert!(world.ask(&who, BILL, json!({ "id": malformed })).await["bill"].is_null());
        }
    }
}

#[tokio::test]
async fn an_officer_sees_the_agency_s_bills_but_not_what_pays_them() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        world.started(&who, &bill, "PROMPTPAY_QR").await;
        let officer = testkit::officer(Uuid::from_u128(9), AGENCY, world.clock.now());
        let seen = world.ask(&officer, BILL, json!({ "id": bill })).await["bill"].clone();
        assert_eq!(seen["payments"], json!([{ "status": "PENDING", "qrPayload": null }]));
        let elsewhere = testkit::officer(Uuid::from_u128(9), "DLT", world.clock.now());
        assert!(world.ask(&elsewhere, BILL, json!({ "id": bill })).await["bill"].is_null());
        let input = json!({ "idempotencyKey": "k", "billId": bill, "method": "G_WALLET" });
        let document = "mutation($input: StartPaymentInput!) { startPayment(input: $input) { __typename } }";
        let refused = world.ask_raw(&officer, document, json!({ "input": input })).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
}

#[tokio::test]
async fn without_a_login_or_the_scope_nothing_is_seen_or_paid() {
    let world = World::open(testkit::TestDatabase::sqlite()).await;
    let who = world.citizen();
    let (bill, application_id) = world.bill(&who).await;
    let Principal::Citizen(mut citizen) = who else { panic!("a citizen") };
    citizen.scopes.clear();
    let without_scope = Principal::Citizen(citizen);
    let input = json!({ "idempotencyKey": "k", "billId": bill, "method": "G_WALLET" });
    let start = "mutation($input: StartPaymentInput!) { startPayment(input: $input) { __typename } }";
    for (who, code) in [(Principal::Nobody, "UNAUTHENTICATED"), (without_scope, "FORBIDDEN")] {
        for (document, variables) in [
            (BILL, json!({ "id": bill })),
            ("{ bills { nodes { id } } }", json!({})),
            ("{ payment(id: \"pay_1\") { id } }", json!({})),
            (start, json!({ "input": input })),
        ] {
            let refused = world.ask_raw(&who, document, variables).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], code, "{document}: {refused}");
        }
        assert_eq!(world.bill_of(&who, application_id).await, None);
    }
}

#[tokio::test]
async fn a_repeated_start_shows_nothing_once_the_mandate_has_ended() {
    for world in World::all().await {
        let (person, company) = (Clock::system().uuid(), Clock::system().uuid());
        let director = testkit::citizen(person, &[company], world.clock.now());
        let former = testkit::citizen(person, &[], world.clock.now());
        let application_id = Clock::system().uuid();
        let mut fee = fee(&director, application_id);
        fee["party_id"] = json!(company);
        world.publish("applications.fee_fell_due", fee).await;
        let bill = world.bill_of(&director, application_id).await.unwrap();
        let started = world.start(&director, &bill, "G_WALLET", "k").await;
        assert_eq!(started["__typename"], "PaymentStarted");
        let again = world.start(&director, &bill, "G_WALLET", "k").await;
        assert_eq!(again["payment"]["id"], started["payment"]["id"]);
        let refused = world.start(&former, &bill, "G_WALLET", "k").await;
        assert_eq!(refused["__typename"], "NotFoundProblem", "{refused}");
    }
}
