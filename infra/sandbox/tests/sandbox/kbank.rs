//! The second bank as a partner's server meets it.

use serde_json::{Value, json};
use testkit::{Engines, TestDatabase};

use crate::world::{World, json_of};

const UID: &str = "PAY00000000000001";

async fn token(world: &World) -> String {
    let asked = world
        .client
        .post(world.at("/kbank/v2/oauth/token"))
        .basic_auth("sandbox-kbank-consumer", Some("sandbox-kbank-secret"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    let (status, answer) = json_of(asked.send().await.unwrap()).await;
    assert_eq!((status, &answer["expires_in"]), (200, &json!("1799")));
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn ask(world: &World, path: &str, uid: &str, own: Value) -> Value {
    let mut body = json!({
        "partnerTxnUid": uid, "partnerId": "PTR0000001", "partnerSecret": "sandbox-kbank-partner-secret",
        "requestDt": "2026-11-23T10:00:00.000+07:00", "merchantId": "KB000000000001",
    });
    body.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let token = token(world).await;
    let asked = world.client.post(world.at(&format!("/kbank/v1/qrpayment/{path}"))).bearer_auth(token);
    let (status, answer) = json_of(asked.json(&body).send().await.unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn create(world: &World, uid: &str, amount: Value) -> Value {
    let own = json!({ "qrType": "3", "txnAmount": amount, "txnCurrencyCode": "THB", "reference1": "R1" });
    ask(world, "request", uid, own).await
}

/// What the bank does with the order `UID`; each request has a number of its own.
async fn about(world: &World, what: &str, uid: &str) -> Value {
    ask(world, what, uid, json!({ "origPartnerTxnUid": UID })).await
}

async fn scan(world: &World, code: &Value) -> reqwest::Response {
    let query = [("payload", code["qrCode"].as_str().unwrap())];
    let url = url::Url::parse_with_params(&world.at("/bank/scan"), query).unwrap();
    world.client.get(url).send().await.unwrap()
}

async fn pay(world: &World, code: &Value) -> u16 {
    let page = scan(world, code).await.headers()["location"].to_str().unwrap().to_owned();
    world.send_form(&page, "action=pay").await.status().as_u16()
}

#[tokio::test]
async fn a_code_is_made_paid_told_inquired_and_voided_once() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let code = create(&world, UID, json!("505.00")).await;
        assert_eq!((&code["statusCode"], &code["partnerTxnUid"]), (&json!("00"), &json!(UID)));
        assert_eq!(create(&world, UID, json!(505)).await["qrCode"], code["qrCode"], "the same order");
        assert_eq!(create(&world, UID, json!("506.00")).await["errorCode"], "DUPLICATE_UID");
        assert_eq!(about(&world, "inquiry", "ASK00000000000001").await["txnStatus"], "REQUESTED");
        assert_eq!(pay(&world, &code).await, 200);
        let told = world.told(1).await;
        assert_eq!((told.len(), told[0].provider.as_str()), (1, "kbank"));
        let told: Value = serde_json::from_str(&told[0].body).unwrap();
        assert_eq!((&told["partnerTxnUid"], &told["txnAmount"]), (&json!(UID), &json!("505.00")));
        let paid = about(&world, "inquiry", "ASK00000000000002").await;
        assert_eq!((&paid["txnStatus"], &paid["txnNo"]), (&json!("PAID"), &told["txnNo"]));
        assert_eq!(about(&world, "cancel", "CAN00000000000001").await["errorCode"], "INVALID_STATUS");
        assert_eq!(about(&world, "void", "VOI00000000000001").await["statusCode"], "00");
        assert_eq!(about(&world, "void", "VOI00000000000001").await["statusCode"], "00", "the same again");
        assert_eq!(about(&world, "void", "VOI00000000000002").await["errorCode"], "INVALID_STATUS");
        assert_eq!(about(&world, "inquiry", "ASK00000000000003").await["txnStatus"], "VOIDED");
        let totals = world.books().await["totals"].clone();
        assert_eq!((&totals["paid_satang"], &totals["refunded_satang"]), (&json!(50_500), &json!(50_500)));
    }
}

#[tokio::test]
async fn a_code_lives_ten_minutes_and_a_void_until_midnight() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let code = create(&world, UID, json!("505.00")).await;
    world.clock.advance(chrono::Duration::minutes(10));
    assert_eq!(pay(&world, &code).await, 409);
    assert_eq!(about(&world, "inquiry", "ASK00000000000001").await["txnStatus"], "EXPIRED");
    let second = create(&world, "PAY00000000000002", json!("1.00")).await;
    assert_eq!(pay(&world, &second).await, 200);
    world.clock.advance(chrono::Duration::days(1));
    let own = json!({ "origPartnerTxnUid": "PAY00000000000002" });
    let late = ask(&world, "void", "VOI00000000000001", own).await;
    assert_eq!((&late["statusCode"], &late["errorCode"]), (&json!("10"), &json!("INVALID_STATUS")));
}

#[tokio::test]
async fn a_cancelled_code_cannot_be_paid() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let code = create(&world, UID, json!("505.00")).await;
    for uid in ["CAN00000000000001", "CAN00000000000002"] {
        assert_eq!(about(&world, "cancel", uid).await["statusCode"], "00");
    }
    assert_eq!(pay(&world, &code).await, 409);
    assert_eq!(about(&world, "inquiry", "ASK00000000000001").await["txnStatus"], "CANCELLED");
}

#[tokio::test]
async fn the_second_bank_refuses_strangers_and_odd_input() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let url = world.at("/kbank/v1/qrpayment/request");
    assert_eq!(world.client.post(&url).json(&json!({})).send().await.unwrap().status(), 401);
    let guess = world.client.post(world.at("/kbank/v2/oauth/token")).basic_auth("x", Some("y"));
    assert_eq!(guess.body("grant_type=client_credentials").send().await.unwrap().status(), 401);
    for (field, value) in [
        ("partnerTxnUid", json!("SHORT")),
        ("partnerTxnUid", json!("ก".repeat(15))),
        ("partnerSecret", json!("guess")),
        ("merchantId", json!("KB9")),
        ("requestDt", json!("today")),
        ("qrType", json!("4")),
        ("txnAmount", json!("0.00")),
        ("txnAmount", json!(-1)),
        ("txnCurrencyCode", json!("USD")),
        ("reference1", json!("A".repeat(21))),
    ] {
        let mut own = json!({ "qrType": "3", "txnAmount": "505.00", "txnCurrencyCode": "THB" });
        own[field] = value;
        let refused = ask(&world, "request", UID, own).await;
        assert_eq!(refused["statusCode"], "10", "{field}");
    }
    assert_eq!(about(&world, "inquiry", "ASK00000000000001").await["errorCode"], "ORDER_NOT_FOUND");
    assert_eq!(world.books().await["transactions"], json!([]));
}
