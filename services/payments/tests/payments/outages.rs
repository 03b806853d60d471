//! Providers that are silent, and payments that run out of time.

use serde_json::json;

use crate::world::{Outside, World};

#[tokio::test]
async fn an_unanswered_order_is_unknown_and_heals_without_the_citizen_paying_again() {
    for world in World::each_bank().await {
        let who = world.citizen();
        for (method, outside) in [
            ("PROMPTPAY_QR", Outside::LosesAnswers),
            ("MOBILE_BANKING", Outside::LosesAnswers),
            ("G_WALLET", Outside::LosesAnswers),
            ("G_WALLET", Outside::Silent),
        ] {
            let (bill, _) = world.bill(&who).await;
            world.outside(outside);
            let key = world.clock.now().to_string();
            let started = world.start(&who, &bill, method, &key).await["payment"].clone();
            assert_eq!(started["status"], "UNKNOWN", "{started}");
            assert!(started["qrPayload"].is_null() && started["deepLink"].is_null());
            let again = world.start(&who, &bill, method, &format!("{key} again")).await;
            assert_eq!(again["payment"]["id"], started["id"], "no second payment is made");
            world.pass(15).await;
            assert_eq!(world.payment(&who, &started).await["status"], "UNKNOWN");
            world.outside(Outside::Answers);
            world.pass(60).await;
            let healed = world.payment(&who, &started).await;
            assert_eq!(healed["status"], "PENDING", "{healed}");
            world.pay(&healed, "").await;
            world.until_settled(&who, &bill).await;
        }
        let books = world.bank_books().await;
        assert_eq!(books["transactions"].as_array().unwrap().len(), 4, "one order each: {books}");
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn a_start_that_was_cut_off_heals() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        world.outside(Outside::Silent);
        // The process ends, or the client leaves, while the provider is being asked.
        let cut = std::time::Duration::from_millis(400);
        assert!(tokio::time::timeout(cut, world.start(&who, &bill, "G_WALLET", "k")).await.is_err());
        world.outside(Outside::Answers);
        let left = world.start(&who, &bill, "G_WALLET", "k").await["payment"].clone();
        assert_eq!(left["status"], "CREATED");
        world.pass(15).await;
        let healed = world.payment(&who, &left).await;
        assert_eq!(healed["status"], "PENDING");
        world.pay(&healed, "").await;
        world.until_settled(&who, &bill).await;
    }
}

#[tokio::test]
async fn an_unknown_payment_does_not_expire_until_its_provider_speaks() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        world.outside(Outside::Silent);
        let started = world.start(&who, &bill, "PROMPTPAY_QR", "k").await["payment"].clone();
        for _ in 0..3 {
            world.pass(1_200).await;
            assert_eq!(world.payment(&who, &started).await["status"], "UNKNOWN");
        }
        world.outside(Outside::Answers);
        world.pass(700).await;
        assert_eq!(world.payment(&who, &started).await["status"], "EXPIRED");
    }
}

#[tokio::test]
async fn a_payment_expires_and_the_citizen_may_start_again() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        for method in ["PROMPTPAY_QR", "MOBILE_BANKING", "G_WALLET"] {
            let payment = world.started(&who, &bill, method).await;
            // Its time is over, but no timer has run yet: the provider is asked first.
            world.clock.advance(chrono::Duration::seconds(901));
            let next = world.started(&who, &bill, method).await;
            assert_ne!(next["id"], payment["id"]);
            assert_eq!(world.payment(&who, &payment).await["status"], "EXPIRED");
        }
        world.pass(3_600).await;
        world.drain().await;
        let now = world.bill_now(&who, &bill).await;
        assert!(
            now["payments"].as_array().unwrap().iter().all(|payment| payment["status"] == "EXPIRED"),
            "{now}"
        );
        assert_eq!(now["status"], "OPEN");
    }
}

#[tokio::test]
async fn money_that_comes_after_expiry_settles_an_open_bill_as_late() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.clock.advance(chrono::Duration::seconds(1_100));
        // Timers run: the payment expires here.
        world.drain().await;
        assert_eq!(world.payment(&who, &payment).await["status"], "EXPIRED");
        world.pay(&payment, "after_expiry").await;
        let settled = world.until_settled(&who, &bill).await;
        assert!(settled["receipt"]["number"].is_string());
        let now = world.payment(&who, &payment).await;
        assert_eq!(now["status"], "EXPIRED", "terminal stays terminal");
        let late = json!([{
            "classification": "LATE", "amount": { "amount": "505.00" }, "returned": { "amount": "0.00" },
        }]);
        assert_eq!(now["settlements"], late);
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn a_refund_waits_for_a_silent_provider_and_is_made_once() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        world.outside(Outside::LosesAnswers);
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.publish("applications.closed", closed).await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "SUBMITTED");
        world.outside(Outside::Answers);
        world.pass(30).await;
        let now = world.bill_now(&who, &bill).await;
        assert_eq!(now["refunds"][0]["status"], "REFUNDED", "{now}");
        assert_eq!(world.bank_books().await["totals"]["refund_count"], 1);
        assert_eq!(world.assert_books_agree().await, 0);
    }
}
