//! Ways to pay that are closed: what is new is refused with what is open, what was begun goes on.

use auth::Principal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

const METHODS: &str = "{ paymentMethods { method availability { open text { en } } } }";

fn operator(world: &World) -> Principal {
    testkit::operator(Uuid::from_u128(7), "dga", world.clock.now())
}

async fn switch(world: &World, operation: &str, of: &str, code: &str, key: &str) -> Value {
    let kind = format!("{}{}Input", operation[..1].to_uppercase(), &operation[1..]);
    let document = format!(
        "mutation($input: {kind}!) {{ it: {operation}(input: $input) {{ __typename ... on Problem {{ code }} }} }}"
    );
    let mut input = json!({ "idempotencyKey": key, "of": of, "code": code });
    match operation {
        "openPayments" => input["reason"] = json!("mended"),
        _ => {
            input["closure"] = json!({ "textTh": "ธนาคารปิดปรับปรุง", "textEn": "The bank is being mended",
                "reason": "the bank called", "until": "2026-11-23T05:00:00Z" });
        }
    }
    world.ask(&operator(world), &document, json!({ "input": input })).await["it"].clone()
}

async fn start(world: &World, who: &Principal, bill: &str, method: &str, key: &str) -> Value {
    let document = "mutation($input: StartPaymentInput!) { it: startPayment(input: $input) { __typename
        ... on PaymentStarted { payment { id status } }
        ... on PaymentMethodClosed { code message retryable text { th en } opensAt openMethods } } }";
    let input = json!({ "idempotencyKey": key, "billId": bill, "method": method });
    world.ask(who, document, json!({ "input": input })).await["it"].clone()
}

async fn open_methods(world: &World) -> Vec<String> {
    let answer = world.ask(&Principal::Nobody, METHODS, json!({})).await;
    let methods = answer["paymentMethods"].as_array().unwrap().clone();
    let open = methods.iter().filter(|one| one["availability"]["open"] == true);
    open.map(|one| one["method"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_closed_method_is_refused_with_why_until_when_and_what_is_open() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        switch(&world, "closePayments", "METHOD", "PROMPTPAY_QR", "one").await;
        let refused = start(&world, &who, &bill, "PROMPTPAY_QR", "pay").await;
        assert_eq!(
            refused,
            json!({ "__typename": "PaymentMethodClosed", "code": "UNAVAILABLE", "retryable": true,
                "message": "This method is closed to new payments for the moment.",
                "text": { "th": "ธนาคารปิดปรับปรุง", "en": "The bank is being mended" },
                "opensAt": "2026-11-23T05:00:00+00:00", "openMethods": ["G_WALLET", "MOBILE_BANKING"] })
        );
        assert_eq!(open_methods(&world).await, ["G_WALLET", "MOBILE_BANKING"]);
        assert_eq!(world.bill_now(&who, &bill).await["payments"], json!([]), "nothing was begun");
        let other = start(&world, &who, &bill, "G_WALLET", "pay-2").await;
        assert_eq!(other["__typename"], "PaymentStarted");
        // The refused key was not used up: opened again, the same call goes through.
        switch(&world, "openPayments", "METHOD", "PROMPTPAY_QR", "two").await;
        assert_eq!(start(&world, &who, &bill, "PROMPTPAY_QR", "pay").await["__typename"], "PaymentStarted");
    }
}

#[tokio::test]
async fn a_method_is_said_to_open_when_all_that_keeps_it_closed_opens() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        switch(&world, "closePayments", "METHOD", "PROMPTPAY_QR", "one").await;
        let input = json!({ "idempotencyKey": "two", "of": "PROVIDER", "code": "scb", "closure": {
            "textTh": "ยังไม่ทราบ", "textEn": "Nobody knows yet", "reason": "an incident" } });
        let document =
            "mutation($input: ClosePaymentsInput!) { closePayments(input: $input) { __typename } }";
        world.ask(&operator(&world), document, json!({ "input": input })).await;
        let refused = start(&world, &who, &bill, "PROMPTPAY_QR", "pay").await;
        assert_eq!((&refused["text"]["en"], &refused["opensAt"]), (&json!("Nobody knows yet"), &Value::Null));
        let seen = world.ask(&Principal::Nobody, METHODS, json!({})).await.to_string();
        assert!(!seen.contains("being mended") && seen.contains("Nobody knows yet"), "{seen}");
    }
}

#[tokio::test]
async fn a_closed_provider_closes_every_method_it_serves_and_what_was_begun_goes_on() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let begun = start(&world, &who, &bill, "MOBILE_BANKING", "pay").await;
        let payment = world.payment(&who, &begun["payment"]).await;
        switch(&world, "closePayments", "PROVIDER", "scb", "one").await;
        assert_eq!(open_methods(&world).await, ["G_WALLET"]);
        let refused = start(&world, &who, &bill, "PROMPTPAY_QR", "pay-2").await;
        assert_eq!(refused["openMethods"], json!(["G_WALLET"]));
        // The answer that was lost is given again, the live payment too, and it can be paid.
        for key in ["pay", "pay-3"] {
            let again = start(&world, &who, &bill, "MOBILE_BANKING", key).await;
            assert_eq!(again["payment"]["id"], begun["payment"]["id"]);
        }
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn only_those_who_run_the_platform_switch_and_only_what_there_is() {
    for world in World::all().await {
        let unknown = switch(&world, "closePayments", "METHOD", "CHEQUE", "one").await;
        assert_eq!(unknown["__typename"], "NotFoundProblem");
        let unknown = switch(&world, "closePayments", "PROVIDER", "PROMPTPAY_QR", "two").await;
        assert_eq!(unknown["code"], "NOT_FOUND");
        let document = "{ paymentSwitchChanges(of: METHOD, code: \"G_WALLET\") { nodes { number } } }";
        let refused = world.ask_raw(&world.officer(5), document, json!({})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
        switch(&world, "closePayments", "METHOD", "G_WALLET", "three").await;
        let record = world.ask(&operator(&world), document, json!({})).await;
        assert_eq!(record["paymentSwitchChanges"]["nodes"], json!([{ "number": 1 }]));
    }
}
