//! The assumed G-Wallet as a merchant's server meets it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{Engines, TestDatabase};

use crate::world::{Told, World};

async fn create(world: &World, reference: &str) -> Value {
    let callback_url = format!("{}/callbacks/payments/gwallet", world.url);
    let asked = json!({ "reference": reference, "amount": "505.00", "description": "ค่าธรรมเนียม", "callback_url": callback_url });
    let (status, order) = world.wallet_post("/gwallet/v1/orders", asked).await;
    assert_eq!(status, 200, "{order}");
    order
}

fn signature_of(told: &Told) -> String {
    let key = STANDARD.decode("c2FuZGJveC1nd2FsbGV0LXdlYmhvb2stc2VjcmV0").unwrap();
    let header = |name| told.headers[name].to_str().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), told.body).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn an_order_is_paid_notified_with_a_signature_and_refunded() {
    for place in Engines::all().await {
        let world = World::open(&place.target).await;
        let order = create(&world, "pay-1").await;
        assert_eq!((&order["status"], &order["amount"]), (&json!("WAITING"), &json!("505.00")));
        assert_eq!(create(&world, "pay-1").await["txn_ref_id"], order["txn_ref_id"]);
        assert_eq!(world.send_form(order["deep_link"].as_str().unwrap(), "action=pay").await.status(), 200);

        let told = world.told(1).await;
        assert_eq!((told.len(), told[0].provider.as_str()), (1, "gwallet"));
        assert_eq!(told[0].headers["webhook-signature"], signature_of(&told[0]).as_str());
        let body: Value = serde_json::from_str(&told[0].body).unwrap();
        assert_eq!(
            (&body["data"]["reference"], &body["data"]["amount"]),
            (&json!("pay-1"), &json!("505.00"))
        );

        let path = format!("/gwallet/v1/orders/{}", order["txn_ref_id"].as_str().unwrap());
        let paid = world.wallet_get(&path).await.1;
        assert_eq!(
            (&paid["status"], &paid["wallet_reference"]),
            (&json!("PAID"), &body["data"]["wallet_reference"])
        );
        assert_eq!(world.wallet_post(&format!("{path}/cancel"), json!({})).await.1["error"], "state");

        let refunds = format!("{path}/refunds");
        let first = world.wallet_post(&refunds, json!({ "refund_id": "R1", "amount": "505.00" })).await;
        assert_eq!((first.0, &first.1["txn_ref_id"]), (200, &order["txn_ref_id"]));
        assert_eq!(
            world.wallet_post(&refunds, json!({ "refund_id": "R1", "amount": "505.00" })).await,
            first
        );
        let more = world.wallet_post(&refunds, json!({ "refund_id": "R2", "amount": "0.01" })).await;
        assert_eq!((more.0, &more.1["error"]), (409, &json!("state")));
        assert_eq!(world.wallet_get(&path).await.1["refunded_amount"], "505.00");
    }
}

#[tokio::test]
async fn a_cancelled_order_is_not_paid_and_an_unsigned_notification_has_no_signature() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let order = create(&world, "pay-2").await;
    let path = format!("/gwallet/v1/orders/{}/cancel", order["txn_ref_id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(world.wallet_post(&path, json!({})).await.1["status"], "CANCELLED");
    }
    assert_eq!(world.send_form(order["deep_link"].as_str().unwrap(), "action=pay").await.status(), 409);

    let order = create(&world, "pay-3").await;
    world.send_form(order["deep_link"].as_str().unwrap(), "action=pay&behave=unsigned").await;
    let told = world.told(1).await;
    assert_eq!((told.len(), told[0].headers.get("webhook-signature")), (1, None));
}

#[tokio::test]
async fn the_wallet_refuses_strangers_odd_input_and_foreign_callbacks() {
    let place = TestDatabase::sqlite();
    let world = World::open(&place.target).await;
    let stranger = world.client.post(world.at("/gwallet/v1/orders")).json(&json!({}));
    assert_eq!(stranger.send().await.unwrap().status(), 401);
    let good = json!({ "reference": "r", "amount": "1.00", "callback_url": "http://127.0.0.1:1/" });
    for (field, value) in [
        ("amount", json!("0")),
        ("amount", json!("1.001")),
        ("reference", json!("")),
        ("callback_url", json!("https://evil.example/")),
        ("callback_url", json!("ftp://127.0.0.1/")),
        ("expires_in_s", json!(1)),
    ] {
        let mut asked = good.clone();
        asked[field] = value;
        let (status, answer) = world.wallet_post("/gwallet/v1/orders", asked.clone()).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_request")), "{asked}");
    }
    assert_eq!(world.wallet_get("/gwallet/v1/orders/none").await.0, 404);
    assert_eq!(world.send_form(&world.at("/bank/pay/none"), "action=pay").await.status(), 404);
}
