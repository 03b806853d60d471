//! Paying by each method, and paying more than once.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn each_method_settles_its_bill_and_the_books_equal_the_bank_s() {
    for world in World::each_bank().await {
        let who = world.citizen();
        for (method, number) in [("PROMPTPAY_QR", 1), ("MOBILE_BANKING", 2), ("G_WALLET", 3)] {
            let (bill, application_id) = world.bill(&who).await;
            let payment = world.started(&who, &bill, method).await;
            assert_eq!(payment["amount"]["amount"], "505.00");
            assert_eq!(payment["qrPayload"].is_string(), method == "PROMPTPAY_QR");
            assert_eq!(payment["deepLink"].is_string(), method != "PROMPTPAY_QR");
            assert_eq!(payment["walletReference"].is_string(), method == "G_WALLET");
            world.pay(&payment, "").await;
            let settled = world.until_settled(&who, &bill).await;
            assert_eq!(settled["receipt"]["number"], format!("BMA-2569-{number:06}"));
            assert_eq!(settled["payments"], json!([{ "method": method, "status": "SUCCEEDED" }]));
            assert_eq!(settled["refunds"], json!([]));
            world.drain().await;
            let (topic, said) = world.published.lock().unwrap().last().cloned().unwrap();
            assert_eq!(
                (topic.as_str(), &said["application_id"]),
                ("payments.bill_settled", &json!(application_id))
            );
            assert_eq!(said["receipt_number"], settled["receipt"]["number"]);
        }
        assert_eq!(world.assert_books_agree().await, 0);
    }
}

#[tokio::test]
async fn a_payment_whose_confirmation_never_comes_is_found_by_asking() {
    for world in World::each_bank().await {
        let who = world.citizen();
        for method in ["PROMPTPAY_QR", "MOBILE_BANKING", "G_WALLET"] {
            let (bill, _) = world.bill(&who).await;
            let payment = world.started(&who, &bill, method).await;
            world.pay(&payment, "missing").await;
            world.drain().await;
            assert_eq!(world.payment(&who, &payment).await["status"], "PENDING");
            world.pass(15).await;
            assert_eq!(world.bill_now(&who, &bill).await["status"], "SETTLED", "{method}");
        }
        world.assert_books_agree().await;
    }
}

#[tokio::test]
async fn a_citizen_who_comes_back_makes_us_ask_at_once() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "MOBILE_BANKING").await;
        assert_eq!(world.check(&who, &payment).await["payment"]["status"], "PENDING");
        world.pay(&payment, "missing").await;
        world.pass(3).await;
        let checked = world.check(&who, &payment).await;
        assert_eq!(checked["payment"]["status"], "SUCCEEDED");
        assert_eq!(checked["payment"]["settlements"][0]["classification"], "SETTLES");
        assert!(checked["payment"]["deepLink"].is_null(), "what is paid is not shown to be paid");
    }
}

#[tokio::test]
async fn paying_by_two_methods_at_once_leaves_one_success_and_one_refund() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let by_qr = world.started(&who, &bill, "PROMPTPAY_QR").await;
        let by_wallet = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&by_qr, "missing").await;
        world.pay(&by_wallet, "missing").await;
        world.pass(15).await;
        world.drain().await;
        let now = world.bill_now(&who, &bill).await;
        assert_eq!(now["status"], "SETTLED");
        let statuses: Vec<&Value> =
            now["payments"].as_array().unwrap().iter().map(|payment| &payment["status"]).collect();
        assert_eq!(statuses.iter().filter(|status| ***status == "SUCCEEDED").count(), 1, "{now}");
        assert_eq!(statuses.iter().filter(|status| ***status == "FAILED").count(), 1, "{now}");
        let refund =
            json!([{ "reason": "DUPLICATE", "status": "REFUNDED", "amount": { "amount": "505.00" } }]);
        assert_eq!(now["refunds"], refund);
        assert_eq!(world.assert_books_agree().await, 0);
        assert_eq!(world.bank_books().await["totals"]["refund_count"], 1);
    }
}

#[tokio::test]
async fn a_payment_that_lost_the_race_is_withdrawn_at_its_provider() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let by_qr = world.started(&who, &bill, "PROMPTPAY_QR").await;
        let by_app = world.started(&who, &bill, "MOBILE_BANKING").await;
        world.pay(&by_qr, "").await;
        world.until_settled(&who, &bill).await;
        world.drain().await;
        assert_eq!(world.payment(&who, &by_app).await["status"], "CANCELLED");
        let link = by_app["deepLink"].as_str().unwrap();
        let late = world.http.post(link).form(&[("action", "pay")]).send().await.unwrap();
        assert_eq!(late.status(), 409);
    }
}

#[tokio::test]
async fn five_starts_at_once_with_one_key_make_one_payment() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let starts = join_all((0..5).map(|_| world.start(&who, &bill, "PROMPTPAY_QR", "one"))).await;
        let ids: std::collections::BTreeSet<_> =
            starts.iter().map(|start| start["payment"]["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 1);
        let others = join_all((0..5).map(|n| {
            let key = format!("other {n}");
            let (world, who, bill) = (&world, &who, &bill);
            async move { world.start(who, bill, "PROMPTPAY_QR", &key).await }
        }))
        .await;
        for other in others {
            assert_eq!(other["payment"]["id"], *ids.first().unwrap(), "the live one is returned");
        }
        assert_eq!(world.bank_books().await["transactions"].as_array().unwrap().len(), 1);
        let conflict = world.start(&who, &bill, "G_WALLET", "one").await;
        assert_eq!(
            (&conflict["__typename"], &conflict["code"]),
            (&json!("ConflictProblem"), &json!("CONFLICT"))
        );
    }
}

#[tokio::test]
async fn what_is_paid_cannot_be_paid_again() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        let again = world.start(&who, &bill, "PROMPTPAY_QR", "again").await;
        assert_eq!(
            again,
            json!({ "__typename": "BillNotPayable", "billStatus": "SETTLED", "code": "CONFLICT" })
        );
    }
}

#[tokio::test]
async fn receipt_numbers_have_no_gaps_when_many_bills_settle_at_once() {
    for world in World::each_bank().await {
        let who = world.citizen();
        let mut bills = Vec::new();
        for _ in 0..8 {
            let (bill, _) = world.bill(&who).await;
            let payment = world.started(&who, &bill, "G_WALLET").await;
            bills.push((bill, payment));
        }
        join_all(bills.iter().map(|(_, payment)| world.pay(payment, ""))).await;
        let mut numbers = Vec::new();
        for (bill, _) in &bills {
            let settled = world.until_settled(&who, bill).await;
            numbers.push(settled["receipt"]["number"].as_str().unwrap().to_owned());
        }
        numbers.sort();
        let expected: Vec<String> = (1..=8).map(|number| format!("BMA-2569-{number:06}")).collect();
        assert_eq!(numbers, expected);
        world.assert_books_agree().await;
    }
}
