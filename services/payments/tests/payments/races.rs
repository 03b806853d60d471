//! Two things at once, and clocks that jump: money is counted once and goes where it belongs.

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::TestDatabase;

use crate::world::{GWALLET_SECRET, World};

async fn order_references(world: &World) -> Vec<String> {
    let books = world.bank_books().await;
    let references = books["transactions"].as_array().unwrap().iter();
    references.map(|one| one["reference1"].as_str().unwrap().to_owned()).collect()
}

fn told(payment: &Value, reference: &str) -> String {
    json!({
        "type": "order.paid", "timestamp": "2026-11-23T03:00:05Z",
        "data": {
            "txn_ref_id": payment["walletReference"], "reference": reference, "amount": "505.00",
            "status": "PAID", "paid_at": "2026-11-23T03:00:05Z", "wallet_reference": "w",
        },
    })
    .to_string()
}

#[tokio::test]
async fn money_by_three_methods_at_the_same_moment_settles_once_and_the_rest_goes_back() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let mut payments = Vec::new();
        for method in ["PROMPTPAY_QR", "MOBILE_BANKING", "G_WALLET"] {
            payments.push(world.started(&who, &bill, method).await);
        }
        join_all(payments.iter().map(|payment| world.pay(payment, "duplicate"))).await;
        // Asked by citizens, told by providers and looked at by timers, all together.
        join_all(payments.iter().map(|payment| world.check(&who, payment))).await;
        world.until_settled(&who, &bill).await;
        world.pass(15).await;
        world.pass(1_300).await;
        let now = world.bill_now(&who, &bill).await;
        let count = |status: &str| {
            now["payments"].as_array().unwrap().iter().filter(|payment| payment["status"] == status).count()
        };
        assert_eq!((count("SUCCEEDED"), count("FAILED")), (1, 2), "{now}");
        let refunds = now["refunds"].as_array().unwrap();
        assert!(refunds.iter().all(|refund| refund["status"] == "REFUNDED"), "{now}");
        assert_eq!(refunds.len(), 2);
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn an_application_that_closes_while_its_fee_is_paid_keeps_nothing_it_must_give_back() {
    for world in World::all().await {
        let who = world.citizen();
        for _ in 0..4 {
            let (bill, application_id) = world.bill(&who).await;
            let payment = world.started(&who, &bill, "G_WALLET").await;
            let closed = json!({ "application_id": application_id, "outcome": "withdrawn", "refund": true });
            // Whichever comes first: the money ends up with its payer, and a success stays one.
            let (status, ()) =
                tokio::join!(world.pay_status(&payment, ""), world.publish("applications.closed", closed));
            world.pass(30).await;
            world.pass(1_200).await;
            let now = world.bill_now(&who, &bill).await;
            let refunds = now["refunds"].as_array().unwrap();
            assert_eq!(refunds.len(), usize::from(status.is_success()), "{now}");
            assert!(refunds.iter().all(|refund| refund["status"] == "REFUNDED"), "{now}");
            assert_ne!(now["status"], "OPEN");
        }
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn a_second_payment_that_comes_while_the_fee_is_being_refunded_goes_back_as_well() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let by_qr = world.started(&who, &bill, "PROMPTPAY_QR").await;
        let by_wallet = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&by_qr, "missing").await;
        world.pay(&by_wallet, "missing").await;
        world.check(&who, &by_qr).await;
        assert_eq!(world.bill_now(&who, &bill).await["status"], "SETTLED");
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        tokio::join!(world.publish("applications.closed", closed), world.check(&who, &by_wallet));
        world.pass(15).await;
        world.pass(60).await;
        let now = world.bill_now(&who, &bill).await;
        let mut reasons: Vec<_> =
            now["refunds"].as_array().unwrap().iter().map(|refund| refund["reason"].to_string()).collect();
        reasons.sort();
        assert_eq!(reasons, [r#""APPLICATION_CLOSED""#, r#""DUPLICATE""#], "{now}");
        assert_eq!(world.assert_books_agree().await, 0);
        assert_eq!(world.bank_books().await["totals"]["refunded_satang"], 101_000);
    }
}

#[tokio::test]
async fn a_payment_that_is_told_and_expires_at_the_same_moment_counts_once() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        let reference = order_references(&world).await.remove(0);
        world.pay(&payment, "missing").await;
        world.clock.advance(chrono::Duration::seconds(901));
        let body = told(&payment, &reference);
        let (status, (), _) = tokio::join!(
            world.notify_gwallet(&body, Some(GWALLET_SECRET)),
            world.drain(),
            world.start(&who, &bill, "G_WALLET", "again"),
        );
        assert_eq!(status, 200);
        world.pass(1_300).await;
        let now = world.bill_now(&who, &bill).await;
        assert_eq!((&now["status"], &now["refunds"]), (&json!("SETTLED"), &json!([])), "{now}");
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn money_that_came_just_after_midnight_is_found_days_later() {
    for world in World::all().await {
        let who = world.citizen();
        // Ten to midnight in Thailand.
        world.pass(13 * 3_600 + 50 * 60).await;
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.clock.advance(chrono::Duration::minutes(12));
        world.pay(&payment, "missing").await;
        // The machine sleeps for three days; the bank is asked by the day.
        world.clock.advance(chrono::Duration::days(3));
        world.check(&who, &payment).await;
        let now = world.bill_now(&who, &bill).await;
        assert_eq!(now["status"], "SETTLED", "{now}");
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn a_signed_word_from_before_a_clock_jump_is_not_taken_and_the_money_is_found_by_asking() {
    let world = World::open(TestDatabase::sqlite()).await;
    let who = world.citizen();
    let (bill, _) = world.bill(&who).await;
    let payment = world.started(&who, &bill, "G_WALLET").await;
    let reference = order_references(&world).await.remove(0);
    world.pay(&payment, "missing").await;
    let body = told(&payment, &reference);
    let signed = world.signed_gwallet(&body, GWALLET_SECRET);
    world.clock.advance(chrono::Duration::days(40));
    assert_eq!(signed.send().await.unwrap().status(), 401);
    world.drain().await;
    assert_eq!(world.bill_now(&who, &bill).await["status"], "SETTLED");
    assert_eq!(world.assert_books_agree().await, 0);
}
