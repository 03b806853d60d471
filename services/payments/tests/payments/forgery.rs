//! What strangers send to the callbacks changes nothing.

use futures::future::join_all;
use payments::qr::BillPayment;
use serde_json::{Value, json};

use crate::world::{GWALLET_SECRET, World};

fn scb_confirmation(reference: &str) -> Value {
    json!({
        "transactionId": "forged-1",
        "amount": "505.00",
        "transactionDateandTime": "2026-11-23T10:00:05.000+07:00",
        "currencyCode": "764",
        "transactionType": "Domestic Transfers",
        "payerName": "TEST PAYER",
        "billPaymentRef1": reference,
    })
}

fn gwallet_notification(payment: &Value, reference: &str) -> String {
    json!({
        "type": "order.paid",
        "timestamp": "2026-11-23T03:00:05Z",
        "data": {
            "txn_ref_id": payment["walletReference"],
            "reference": reference,
            "amount": "505.00",
            "status": "PAID",
            "paid_at": "2026-11-23T03:00:05Z",
            "wallet_reference": "w",
        },
    })
    .to_string()
}

#[tokio::test]
async fn a_forged_unsigned_confirmation_settles_nothing() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        let reference = BillPayment::decode(payment["qrPayload"].as_str().unwrap()).unwrap().reference1;
        let url = format!("{}/callbacks/payments/scb", world.url);
        let known = world.http.post(&url).json(&scb_confirmation(&reference)).send().await.unwrap();
        let unknown = world.http.post(&url).json(&scb_confirmation("NOSUCHREFERENCE")).send().await.unwrap();
        assert_eq!((known.status(), unknown.status()), (unknown.status(), known.status()));
        let (mut known, mut unknown): (Value, Value) =
            (known.json().await.unwrap(), unknown.json().await.unwrap());
        assert_eq!(known["resCode"], "00");
        known["confirmId"] = Value::Null;
        unknown["confirmId"] = Value::Null;
        assert_eq!(known, unknown, "a stranger does not learn which references exist");
        world.pass(15).await;
        assert_eq!(world.bill_now(&who, &bill).await["status"], "OPEN");
        let now = world.payment(&who, &payment).await;
        assert_eq!((&now["status"], &now["settlements"]), (&json!("PENDING"), &json!([])));
        // The real money still counts.
        world.pay(&payment, "duplicate").await;
        world.until_settled(&who, &bill).await;
        world.assert_books_agree().await;
    }
}

#[tokio::test]
async fn a_notification_with_a_wrong_signature_is_refused() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        let reference: String = {
            let books = world.bank_books().await;
            books["transactions"][0]["reference1"].as_str().unwrap().to_owned()
        };
        let body = gwallet_notification(&payment, &reference);
        assert_eq!(world.notify_gwallet(&body, None).await, 401);
        assert_eq!(world.notify_gwallet(&body, Some(b"another secret of enough bytes")).await, 401);
        world.drain().await;
        assert_eq!(world.payment(&who, &payment).await["status"], "PENDING");
        assert_eq!(world.bill_now(&who, &bill).await["status"], "OPEN");
        // For a reference we do not know, even a good signature changes nothing.
        let elsewhere = gwallet_notification(&payment, "NOSUCHREFERENCE");
        assert_eq!(world.notify_gwallet(&elsewhere, Some(GWALLET_SECRET)).await, 200);
        assert_eq!(world.payment(&who, &payment).await["status"], "PENDING");
        // With the right secret the same words settle at once.
        assert_eq!(world.notify_gwallet(&body, Some(GWALLET_SECRET)).await, 200);
        assert_eq!(world.payment(&who, &payment).await["status"], "SUCCEEDED");
    }
}

#[tokio::test]
async fn confirmations_for_a_settled_payment_leave_it_as_it_is() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "duplicate").await;
        let settled = world.until_settled(&who, &bill).await;
        let reference =
            world.bank_books().await["transactions"][0]["reference1"].as_str().unwrap().to_owned();
        let body = gwallet_notification(&payment, &reference);
        assert_eq!(world.notify_gwallet(&body, Some(GWALLET_SECRET)).await, 200);
        let url = format!("{}/callbacks/payments/scb", world.url);
        world.http.post(&url).json(&scb_confirmation(&reference)).send().await.unwrap();
        world.pass(20).await;
        world.pass(2_000).await;
        assert_eq!(world.bill_now(&who, &bill).await, settled);
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn the_same_transfer_from_many_sources_at_once_counts_once() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        let reference =
            world.bank_books().await["transactions"][0]["reference1"].as_str().unwrap().to_owned();
        world.pay(&payment, "missing").await;
        let body = gwallet_notification(&payment, &reference);
        let told = join_all((0..4).map(|_| world.notify_gwallet(&body, Some(GWALLET_SECRET))));
        let asked = join_all((0..3).map(|_| world.check(&who, &payment)));
        let (told, _, ()) = tokio::join!(told, asked, world.pass(15));
        assert!(told.iter().all(|status| *status == 200), "{told:?}");
        let now = world.bill_now(&who, &bill).await;
        assert_eq!((&now["status"], &now["refunds"]), (&json!("SETTLED"), &json!([])));
        assert_eq!(world.payment(&who, &payment).await["settlements"].as_array().unwrap().len(), 1);
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn malformed_callbacks_are_refused() {
    for world in World::all().await {
        for body in ["", "{}", "[]", "\"ก\"", "{\"transactionId\":1}", "\u{0}"] {
            let url = format!("{}/callbacks/payments/scb", world.url);
            assert_eq!(world.http.post(url).body(body).send().await.unwrap().status(), 400, "{body}");
            assert_eq!(world.notify_gwallet(body, Some(GWALLET_SECRET)).await, 400, "{body}");
        }
        for amount in ["0.00", "-505.00", "5e2", "๕๐๕.๐๐", ""] {
            let mut confirmation = scb_confirmation("R");
            confirmation["amount"] = json!(amount);
            let url = format!("{}/callbacks/payments/scb", world.url);
            assert_eq!(world.http.post(url).json(&confirmation).send().await.unwrap().status(), 400);
        }
        let url = format!("{}/callbacks/payments/nobody", world.url);
        assert_eq!(world.http.post(url).body("{}").send().await.unwrap().status(), 404);
        let url = format!("{}/callbacks/payments/scb", world.url);
        let long = "x".repeat(64 * 1024 + 1);
        assert_eq!(world.http.post(url).body(long).send().await.unwrap().status(), 413);
    }
}
