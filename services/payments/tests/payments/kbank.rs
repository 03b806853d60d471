//! What is different about the second bank: codes of ten minutes, voids of the whole amount on the same day.

use payments::QrBank;
use payments::qr::BillPayment;
use serde_json::{Value, json};
use testkit::Engines;

use crate::world::{World, fee};
use clock::Clock;

async fn worlds() -> Vec<World> {
    let mut all = Vec::new();
    for place in Engines::all().await {
        all.push(World::open_with(place, QrBank::Kbank).await);
    }
    all
}

#[tokio::test]
async fn a_code_of_the_second_bank_is_paid_notified_and_voided_when_the_application_is_rejected() {
    for world in worlds().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        let said = BillPayment::decode(payment["qrPayload"].as_str().unwrap()).unwrap();
        assert_eq!((said.biller_id.as_str(), said.amount_satang), ("010700000000001", Some(50_500)));
        let left = payment["expiresAt"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert_eq!((left - world.clock.now()).num_seconds(), 600);
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.publish("applications.closed", closed).await;
        world.drain().await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "REFUNDED");
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn a_refund_after_the_day_of_payment_or_of_a_part_waits_for_an_officer() {
    for world in worlds().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        world.pass(86_400).await;
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.publish("applications.closed", closed).await;
        world.drain().await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "MANUAL");

        let application_id = Clock::system().uuid();
        let mut fee = fee(&who, application_id);
        fee["amount_satang"] = json!(100);
        world.publish("applications.fee_fell_due", fee).await;
        let bill = world.bill_of(&who, application_id).await.unwrap();
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "wrong_amount").await;
        world.until_settled(&who, &bill).await;
        world.drain().await;
        let refunds = world.bill_now(&who, &bill).await["refunds"].clone();
        assert_eq!(
            refunds,
            json!([{ "reason": "OVER", "status": "MANUAL", "amount": { "amount": "1.00" } }])
        );
        assert_eq!(world.assert_books_agree().await, 50_600, "owed, and not yet paid back");
    }
}

#[tokio::test]
async fn a_withdrawn_code_cannot_be_paid_and_one_that_was_paid_first_is_found() {
    for world in worlds().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        let closed = json!({ "application_id": application_id, "outcome": "withdrawn", "refund": true });
        world.publish("applications.closed", closed).await;
        assert_eq!(world.payment(&who, &payment).await["status"], "CANCELLED");
        assert_eq!(world.pay_status(&payment, "").await, 409);

        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "missing").await;
        let closed = json!({ "application_id": application_id, "outcome": "withdrawn", "refund": true });
        world.publish("applications.closed", closed).await;
        world.drain().await;
        let refund = json!([{ "reason": "LATE", "status": "REFUNDED", "amount": { "amount": "505.00" } }]);
        assert_eq!(world.bill_now(&who, &bill).await["refunds"], refund);
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

/// To the next night, after the banks have closed their day.
const TO_THE_NIGHT_S: i64 = 17 * 3_600;

#[tokio::test]
async fn money_that_came_and_was_voided_on_one_day_is_no_difference_at_night() {
    for world in worlds().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.publish("applications.closed", closed).await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "REFUNDED");
        world.pass(TO_THE_NIGHT_S).await;
        assert_eq!(world.findings(&world.officer(1)).await, json!([]));
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn a_void_that_nobody_here_ordered_is_found_at_night() {
    for world in worlds().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        void_at_bank(&world).await;
        world.pass(TO_THE_NIGHT_S).await;
        let found = world.findings(&world.officer(1)).await;
        let told = (&found[0]["kind"], &found[0]["status"], &found[0]["bill"]["id"], &found[1]);
        assert_eq!(told, (&json!("REFUND_MISSING_US"), &json!("OPEN"), &json!(bill), &json!(null)));
    }
}

#[tokio::test]
async fn money_that_the_bank_voided_before_we_heard_of_it_settles_nothing() {
    for world in worlds().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "missing").await;
        void_at_bank(&world).await;
        world.check(&who, &payment).await;
        assert_eq!(world.payment(&who, &payment).await["status"], "CANCELLED");
        world.pass(TO_THE_NIGHT_S).await;
        assert_eq!(world.bill_now(&who, &bill).await["status"], "OPEN");
        assert_eq!(world.findings(&world.officer(1)).await, json!([]));
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

/// Somebody at the bank gives the newest payment back.
async fn void_at_bank(world: &World) {
    let bank = format!("{}/sandbox/kbank", world.url);
    let token = world
        .http
        .post(format!("{bank}/v2/oauth/token"))
        .basic_auth("sandbox-kbank-consumer", Some("sandbox-kbank-secret"))
        .body("grant_type=client_credentials");
    let token: Value = token.send().await.unwrap().json().await.unwrap();
    let void = json!({
        "partnerTxnUid": "BYHAND000000000000", "partnerId": "PTR0000001",
        "partnerSecret": "sandbox-kbank-partner-secret", "merchantId": "KB000000000001",
        "requestDt": "2026-11-23T10:00:05.000+07:00",
        "origPartnerTxnUid": world.bank_books().await["transactions"][0]["reference1"],
    });
    let token = token["access_token"].as_str().unwrap();
    let made = world.http.post(format!("{bank}/v1/qrpayment/void")).bearer_auth(token).json(&void);
    let said: Value = made.send().await.unwrap().json().await.unwrap();
    assert_eq!(said["statusCode"], "00", "{said}");
}
