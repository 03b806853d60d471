//! Money that goes back, and books that are never rewritten.

use clock::Clock;
use database::args;
use serde_json::json;

use crate::world::{World, fee};

#[tokio::test]
async fn a_rejected_application_gets_its_fee_back_once() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.publish("applications.closed", closed.clone()).await;
        world.publish("applications.closed", closed).await;
        world.drain().await;
        let now = world.bill_now(&who, &bill).await;
        let refund = json!([{ "reason": "APPLICATION_CLOSED", "status": "REFUNDED", "amount": { "amount": "505.00" } }]);
        assert_eq!((&now["refunds"], &now["status"]), (&refund, &json!("SETTLED")));
        assert_eq!(world.assert_books_agree().await, 0);
        let published = world.published.lock().unwrap().clone();
        let said: Vec<_> = published.iter().filter(|(topic, _)| topic == "payments.refunded").collect();
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].1["amount_satang"], 50_500);
        assert_eq!(said[0].1["application_id"], json!(application_id));
    }
}

#[tokio::test]
async fn a_fee_that_is_kept_is_not_refunded() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": false });
        world.publish("applications.closed", closed).await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"], json!([]));
    }
}

#[tokio::test]
async fn less_than_the_bill_settles_nothing_and_goes_back() {
    for world in World::all().await {
        let who = world.citizen();
        for method in ["PROMPTPAY_QR", "G_WALLET"] {
            let (bill, _) = world.bill(&who).await;
            let payment = world.started(&who, &bill, method).await;
            world.pay(&payment, "wrong_amount").await;
            for _ in 0..100 {
                world.drain().await;
                if world.payment(&who, &payment).await["status"] == "FAILED" {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            }
            world.drain().await;
            let now = world.bill_now(&who, &bill).await;
            assert_eq!(now["status"], "OPEN");
            let refund =
                json!([{ "reason": "UNDER", "status": "REFUNDED", "amount": { "amount": "504.00" } }]);
            assert_eq!(now["refunds"], refund, "{method}");
            // The citizen pays again, and rightly so: nothing of the first try is kept.
            let next = world.started(&who, &bill, method).await;
            world.pay(&next, "").await;
            world.until_settled(&who, &bill).await;
        }
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn more_than_the_bill_settles_it_and_the_rest_goes_back() {
    for world in World::all().await {
        let who = world.citizen();
        let application_id = Clock::system().uuid();
        let mut fee = fee(&who, application_id);
        // For one baht the sandbox's payer pays two.
        fee["amount_satang"] = json!(100);
        world.publish("applications.fee_fell_due", fee).await;
        let bill = world.bill_of(&who, application_id).await.unwrap();
        let payment = world.started(&who, &bill, "MOBILE_BANKING").await;
        world.pay(&payment, "wrong_amount").await;
        let settled = world.until_settled(&who, &bill).await;
        assert_eq!(settled["receipt"]["amount"]["amount"], "1.00");
        world.pass(1).await;
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.publish("applications.closed", closed).await;
        let refund =
            |reason| json!({ "reason": reason, "status": "REFUNDED", "amount": { "amount": "1.00" } });
        let refunds = world.bill_now(&who, &bill).await["refunds"].clone();
        assert_eq!(refunds, json!([refund("OVER"), refund("APPLICATION_CLOSED")]));
        assert_eq!(world.assert_books_agree().await, 0);
        assert_eq!(world.bank_books().await["totals"]["refunded_satang"], 200);
    }
}

#[tokio::test]
async fn a_refund_that_the_bank_refuses_waits_for_an_officer() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, application_id) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "PROMPTPAY_QR").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        // Somebody at the bank was faster.
        world.refund_at_bank("by-hand", "505.00").await;
        let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
        world.publish("applications.closed", closed).await;
        world.drain().await;
        assert_eq!(world.bill_now(&who, &bill).await["refunds"][0]["status"], "MANUAL");
        let published = world.published.lock().unwrap().clone();
        assert!(published.iter().all(|(topic, _)| topic != "payments.refunded"));
    }
}

#[tokio::test]
async fn the_ledger_is_append_only() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        let database = world.service.database();
        for sql in ["update ledger_transfer set amount_satang = 1", "delete from ledger_transfer"] {
            let error = database.execute(sql, args![]).await.unwrap_err();
            let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(reason.contains("append-only"), "{reason}");
        }
        world.assert_books_agree().await;
    }
}
