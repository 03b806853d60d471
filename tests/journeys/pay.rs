//! Pay: by each method, at submission and after approval, twice at once.

use serde_json::{Value, json};

use crate::filing::{
    application_at, attach_map, bill, bill_at, decide, key, offering, parties, pay, save, start,
    start_payment, submit, submitted_food_premises,
};
use crate::installation::{Installation, eventually};
use crate::person::Person;

/// An approved food-premises application whose bill is issued.
async fn approved(place: &Installation, person: &Person<'_>) -> (Value, Value) {
    let me = parties(person).await.remove(0);
    let application = submitted_food_premises(place, person, &me).await;
    let officer = Person::officer(place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    let approved = decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบถ้วน"})).await;
    assert_eq!(approved["__typename"], "ApplicationApproved", "{approved}");
    let bill = bill(person, &application).await;
    (application, bill)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_approval_each_method_settles_the_bill_and_gives_a_receipt() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    for method in ["PROMPTPAY_QR", "MOBILE_BANKING", "G_WALLET"] {
        let (application, bill) = approved(&place, &somchai).await;
        assert_eq!((&bill["status"], &bill["amount"]["amount"]), (&json!("OPEN"), &json!("1000.00")));
        let payment = start_payment(&somchai, &bill["id"], method).await;
        assert_eq!(payment["qrPayload"].is_string(), method == "PROMPTPAY_QR", "{payment}");
        assert!(pay(&place, &payment, "").await.is_success());
        let settled = bill_at(&somchai, &bill["id"], "SETTLED").await;
        assert!(settled["receipt"]["number"].is_string(), "{settled}");
        assert_eq!(settled["receipt"]["amount"]["amount"], "1000.00");
        let paid = application_at(&somchai, &application, "PAID").await;
        assert_eq!(paid["nextAction"]["actor"], "AGENCY");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_sends_no_confirmation_is_asked() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let (_, bill) = approved(&place, &somchai).await;
    let payment = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    assert!(pay(&place, &payment, "missing").await.is_success());
    // The citizen comes back from the bank's app.
    let input = json!({"idempotencyKey": key(), "paymentId": payment["id"]});
    let checked = somchai.ask("CheckPayment", json!({"input": input})).await;
    assert_eq!(checked["checkPayment"]["payment"]["status"], "SUCCEEDED", "{checked}");
    bill_at(&somchai, &bill["id"], "SETTLED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_confirmation_moves_no_money() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let (_, bill) = approved(&place, &somchai).await;
    start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    let forged = json!({
        "transactionId": "forged", "amount": "1000.00", "billPaymentRef1": "UNKNOWN1", "currencyCode": "764",
    });
    for provider in ["scb", "gwallet"] {
        let address = format!("{}/callbacks/payments/{provider}", place.url);
        place.http.post(address).json(&forged).send().await.unwrap();
    }
    let detail = somchai.ask("BillDetail", json!({"id": bill["id"]})).await;
    assert_eq!((&detail["bill"]["status"], &detail["bill"]["receipt"]), (&json!("OPEN"), &json!(null)));
    assert_eq!(detail["bill"]["payments"][0]["status"], "PENDING");
}

#[tokio::test(flavor = "multi_thread")]
async fn paying_by_two_methods_at_once_leaves_one_success_and_a_refund() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let (_, bill) = approved(&place, &somchai).await;
    let by_qr = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    let by_wallet = start_payment(&somchai, &bill["id"], "G_WALLET").await;
    // The bank takes the first and says nothing of it, so that nothing stops the second.
    assert!(pay(&place, &by_qr, "missing").await.is_success());
    assert!(pay(&place, &by_wallet, "").await.is_success());
    let settled = bill_at(&somchai, &bill["id"], "SETTLED").await;
    assert!(settled["receipt"]["number"].is_string());
    let bill = eventually("the refund", || async {
        let detail = somchai.ask("BillDetail", json!({"id": bill["id"]})).await;
        (detail["bill"]["refunds"][0]["status"] == "REFUNDED").then(|| detail["bill"].clone())
    })
    .await;
    assert_eq!(bill["refunds"][0]["amount"]["amount"], "1000.00");
    let succeeded = bill["payments"].as_array().unwrap().iter().filter(|one| one["status"] == "SUCCEEDED");
    assert_eq!(succeeded.count(), 1, "{bill}");
    let books = place.bank_books().await;
    assert_eq!(books["totals"]["paid_satang"], 200_000);
    assert_eq!(books["totals"]["refunded_satang"], 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_law_has_it_so_the_fee_is_paid_at_submission() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let company = parties(&somchai).await.remove(1);
    let draft = start(&somchai, &offering(&place, "DBD-01", "1201").await, &company).await;
    let answers = json!({
        "trade_name": "ครัวอุดม", "business_kind": "restaurant", "started_on": "2026-11-01", "capital_baht": 100_000,
        "premises_address": "99/1 ถนนทดสอบ ตำบลสวนใหญ่", "phone": "0812345678",
    });
    let revision = save(&somchai, &draft, &answers).await;
    attach_map(&somchai, &draft["id"]).await;
    let submitted = submit(&somchai, &draft["id"], revision, &key()).await;
    assert_eq!(submitted["__typename"], "ApplicationSubmitted", "{submitted}");
    assert_eq!(submitted["application"]["status"], "AWAITING_PAYMENT");
    let bill = bill(&somchai, &draft["id"]).await;
    let payment = start_payment(&somchai, &bill["id"], "MOBILE_BANKING").await;
    assert!(pay(&place, &payment, "").await.is_success());
    let moved = application_at(&somchai, &draft["id"], "UNDER_REVIEW").await;
    assert_eq!(moved["bill"]["status"], "SETTLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_at_submission_and_decided_by_a_rule_needs_no_officer() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let company = parties(&somchai).await.remove(1);
    let draft = start(&somchai, &offering(&place, "DBD-03", "1201").await, &company).await;
    let answers = json!({ "certified_company": "0105560000222", "language": "en", "purpose": "bank" });
    let revision = save(&somchai, &draft, &answers).await;
    let submitted = submit(&somchai, &draft["id"], revision, &key()).await;
    assert_eq!(submitted["application"]["status"], "AWAITING_PAYMENT", "{submitted}");
    let bill = bill(&somchai, &draft["id"]).await;
    assert_eq!(bill["amount"]["amount"], "100.00");
    let payment = start_payment(&somchai, &bill["id"], "PROMPTPAY_QR").await;
    assert!(pay(&place, &payment, "").await.is_success());
    let decided = application_at(&somchai, &draft["id"], "APPROVED").await;
    assert_eq!(
        (&decided["decision"]["automatic"], &decided["bill"]["status"]),
        (&json!(true), &json!("SETTLED"))
    );
}
